/** When a key or token ends, as a body says it. */
import { durationForms, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import { parseTime } from './rfc3339.ts'

export interface ExpiryMembers {
  readonly expires_at?: string | null
  readonly expires_in?: string | number
}

export function expiryIn({ expires_at: at, expires_in: within }: ExpiryMembers) {
  return {
    ...(at !== undefined && { expiresAt: at === null ? null : readTime(at) }),
    ...(within !== undefined && { expiresInMs: readDuration(within) }),
  }
}

function readTime(text: string): number {
  return parseTime(text, 'expires_at')
}

function readDuration(text: string | number): number {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  throw new OuthookError('unprocessable', `expires_in must be ${durationForms}`)
}
