import { randomBytes } from 'node:crypto'
import type { StreamItem, StreamMissed } from '../../core/stream-item.ts'
import { errorOf } from '../portal-rights.ts'
import { formatTime } from '../rfc3339.ts'

const times: ReadonlySet<string> = new Set(['at', 'nextAttemptAt'])

/** Ids say nothing but that a reader was there before: of another process, or of a longer time ago, nothing is kept. */
const process = randomBytes(6).toString('hex')
let last = 0

const rendered = new WeakMap<StreamItem, string>()

/** The same text for all who read it. */
export function toFrame(item: StreamItem | StreamMissed, withContents = true): string {
  if (item.kind === 'missed') return renderFrame('missed', item)
  if (item.kind === 'attempt' && !withContents) {
    return renderFrame(item.kind, { ...item, error: errorOf(item.error, item.httpStatus) })
  }
  const known = rendered.get(item)
  if (known !== undefined) return known
  const text = renderFrame(item.kind, item)
  rendered.set(item, text)
  return text
}

/** JSON has no line ends in it. */
export function renderFrame(name: string, value: object): string {
  last++
  const members = Object.entries(value).map(([member, each]): [string, unknown] => [
    member.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    typeof each === 'number' && times.has(member) ? formatTime(each) : each,
  ])
  return `event: ${name}\nid: ${process}-${last}\ndata: ${JSON.stringify(Object.fromEntries(members))}\n\n`
}
