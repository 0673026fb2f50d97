/**
 * The limits of a receiver, kept before it has to refuse: a `Webhook` asks before every attempt, retries included.
 */
import type { AttemptResult } from './port.ts'

export interface Pacer {
  /**
   * 0: send now, the slot is taken. Else the milliseconds after which to ask again: someone else may have taken the
   * slot by then. A wait beyond the send's `maxRetryAfterMs` fails it at once.
   */
  delayMs(url: URL): number
  /** What came of the attempt for which `delayMs` last answered 0. */
  observe(url: URL, result: AttemptResult): void
}
