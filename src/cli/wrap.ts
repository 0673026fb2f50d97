/** Text in lines of at most 80 characters, broken between words only: a word that is longer stands whole. */
import { defaultWidth } from './table.ts'

export interface WrapOptions {
  /** Spaces before every line but the first. */
  readonly indent?: number
  readonly width?: number | undefined
}

/** Each line of `text` by itself. */
export function wrap(text: string, options: WrapOptions = {}): string {
  return text
    .split('\n')
    .map((line) => wrapLine(line, options))
    .join('\n')
}

function wrapLine(line: string, { indent = 0, width = defaultWidth }: WrapOptions): string {
  if (line.length <= width) return line
  const lines: string[] = []
  let current = /^ */.exec(line)?.[0] ?? ''
  let isEmpty = true
  // Columns within the line keep their blanks.
  for (const [, blanks = '', word = ''] of line.slice(current.length).matchAll(/( *)([^ ]+)/g)) {
    if (!isEmpty && current.length + blanks.length + word.length > width) {
      lines.push(current)
      current = ' '.repeat(indent) + word
    } else current += isEmpty ? word : blanks + word
    isEmpty = false
  }
  return [...lines, current].join('\n')
}
