/** What of refused requests an operator has to hear. The callers hear less: see `problem.ts`. */
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'

/** While the store is away every request fails in the same way; a line for each would bury the log. */
const outageQuietMs = 10_000

export interface ErrorLog {
  /** A defect, or a broken installation: each is told. */
  failed(error: unknown, request: { readonly method: string; readonly path: string }): void
  /** The store could not be used: the first is told, then at most one in ten seconds with the number since the last. */
  storeUnavailable(error: unknown): void
}

export function createErrorLog(log: Logger, clock: Clock): ErrorLog {
  let quietUntil = Number.NEGATIVE_INFINITY
  let untold = 0
  return {
    failed: (error, request) => log.error({ err: error, ...request }, 'a request failed'),
    storeUnavailable(error) {
      if (clock.elapsed() < quietUntil) {
        untold++
        return
      }
      log.warn(
        { err: error, since_last: untold },
        'a request is answered with 503, because the store cannot be used now',
      )
      quietUntil = clock.elapsed() + outageQuietMs
      untold = 0
    },
  }
}
