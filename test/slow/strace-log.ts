/** Reads what `strace -f -y` wrote: finished calls in the order in which they ended, calls cut in two put together. */
export interface SystemCall {
  readonly name: string
  /** All that stands between the brackets. */
  readonly args: string
  readonly result: string
}

const whole = /^(\d+)\s+(\w+)\((.*)\)\s+= (.*)$/
const begun = /^(\d+)\s+(\w+)\((.*) <unfinished \.\.\.>$/
const ended = /^(\d+)\s+<\.\.\. (\w+) resumed>(.*)\)\s+= (.*)$/

export function parseStrace(text: string): readonly SystemCall[] {
  const calls: SystemCall[] = []
  const open = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, thread = '', name = '', args = '', result = ''] = whole.exec(line) ?? ended.exec(line) ?? []
    const start = begun.exec(line)
    if (name !== '') {
      calls.push({ name, args: (open.get(thread) ?? '') + args, result })
      open.delete(thread)
    } else if (start !== null) open.set(start[1] as string, start[3] as string)
  }
  return calls
}
