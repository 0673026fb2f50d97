/** When a key or token ends, as a body says it. */
import { durationForms, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import { maxExpiryMs } from '../engine/key-input.ts'
import { parseTime } from './rfc3339.ts'

export interface ExpiryMembers {
  readonly expires_at?: string | null
  readonly expires_in?: string | number
}

export function expiryIn({ expires_at: at, expires_in: within }: ExpiryMembers) {
  if (at !== undefined && within !== undefined) {
    throw new OuthookError('unprocessable', 'expires_at must not stand beside expires_in; give one of them')
  }
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
  if (ms === null) throw new OuthookError('unprocessable', `expires_in must be ${durationForms}`)
  if (ms > 0 && ms <= maxExpiryMs) return ms
  throw new OuthookError('unprocessable', 'expires_in must be in the future, by 100 years at most')
}
