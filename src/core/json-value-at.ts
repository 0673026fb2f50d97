/** A value inside of JSON, as the text that stands there: numbers keep their digits, which parsing would round. */
import { elementRange, findMember, firstOf, skipSpace, type TextRange } from './exact-json.ts'

/** Names of members, and positions in lists. */
export type ValuePath = readonly (string | number)[]

/** @param json known to be JSON. The bytes of the value; null: there is none. */
export function findValueAt(json: Uint8Array, path: ValuePath): Uint8Array | null {
  const start = skipSpace(json, 0)
  let range: TextRange | null = { start, end: trimmedEnd(json) }
  for (const step of path) {
    range = stepInto(json, range.start, step)
    if (range === null) return null
  }
  return json.subarray(range.start, range.end)
}

function stepInto(json: Uint8Array, at: number, step: string | number): TextRange | null {
  switch (firstOf(json, at)) {
    case 'object':
      return findMember(json, at, Buffer.from(String(step)))
    case 'list':
      return /^\d{1,9}$/.test(String(step)) ? elementRange(json, at, Number(step)) : null
    case 'plain':
      return null
  }
}

function trimmedEnd(json: Uint8Array): number {
  let end = json.length
  while (end > 0 && (json[end - 1] as number) <= 0x20) end--
  return end
}
