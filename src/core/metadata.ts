/** An event's metadata: a few short strings that go out as `outhook-meta-<name>` headers. */
import { OuthookError } from './errors.ts'
import { limits } from './model.ts'

import { isPlainObject } from './plain-object.ts'

import { textProblem } from './text.ts'

const namePattern = /^[a-z0-9_-]{1,64}$/

/**
 * Checks metadata: at most 16 members, names of `a-z 0-9 _ -` up to 64 characters, values of text up to 256 bytes of
 * UTF-8 without control characters or spaces at either end. Absent or empty is null. Throws `invalid_request`, which
 * names the member.
 */
export function parseMetadata(value: unknown, member = 'metadata'): Readonly<Record<string, string>> | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'object' || !isPlainObject(value)) {
    throw refused(member, 'must be an object of short strings')
  }
  const entries = Object.entries(value)
  if (entries.length === 0) return null
  if (entries.length > limits.maxMetadataEntries) {
    throw refused(member, `has ${entries.length} members; at most ${limits.maxMetadataEntries} are allowed`)
  }
  for (const [name, text] of entries) {
    if (!namePattern.test(name)) {
      const shown = JSON.stringify(name.slice(0, limits.maxMetadataKeyBytes))
      throw refused(member, `has the name ${shown}; names are 1 to 64 of a-z, 0-9, "_" and "-"`)
    }
    const problem = valueProblem(text)
    if (problem !== null) throw refused(`${member}.${name}`, problem)
  }
  return Object.fromEntries(entries) as Record<string, string>
}

function valueProblem(text: unknown): string | null {
  if (typeof text !== 'string') return 'must be a string'
  if (Buffer.byteLength(text) > limits.maxMetadataValueBytes) {
    return `must be at most ${limits.maxMetadataValueBytes} bytes of UTF-8`
  }
  const problem = textProblem(text)
  if (problem !== null) return problem
  // An HTTP header loses them on the way.
  return text.trim() === text ? null : 'must not begin or end with a space'
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('invalid_request', `${member} ${problem}`)
}
