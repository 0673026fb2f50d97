/**
 * The one rule for text that callers give and that is kept: keys, topics, names, descriptions, metadata, filters. A
 * payload is bytes and not text: whatever JSON can say goes through as it is.
 *
 * Text is well-formed Unicode without control characters. PostgreSQL cannot hold NUL, and half of a surrogate pair
 * becomes U+FFFD in either store, so that two keys would become one. The other control characters break a line of a
 * log, a table or a header; only text of several lines may hold tabs and line ends.
 */
import { OuthookError } from './errors.ts'

/** `lines`: tabs and line ends are part of it. */
export type TextForm = 'line' | 'lines'

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the point.
const controlCharacter = /[\0-\x1f\x7f-\x9f]/
// biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
const controlButLineEnds = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/

/** What is wrong with the text, as the end of a sentence that names it; null when nothing is. */
export function textProblem(text: string, form: TextForm = 'line'): string | null {
  if (!text.isWellFormed()) return 'must be well-formed Unicode, and holds half of a surrogate pair'
  if (!(form === 'line' ? controlCharacter : controlButLineEnds).test(text)) return null
  return text.includes('\0')
    ? 'must not hold control characters such as NUL'
    : 'must not hold control characters'
}

/** Text of somebody else's, such as an error of a receiver's, made such that it can be kept. */
export function toStoredText(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** Throws `invalid_request` (400), which names the member. What is not text is for the member's own check. */
export function checkText(text: unknown, member: string, form: TextForm = 'line'): void {
  const problem = typeof text === 'string' ? textProblem(text, form) : null
  if (problem !== null) throw new OuthookError('invalid_request', `${member} ${problem}`)
}
