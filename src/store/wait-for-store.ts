/** A store that is not there yet: the start of a process need not come after the start of its database. */
import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { Logger } from '../core/logger.ts'

/** Between two tries. */
const pauseMs = 500
/** Between two lines of the log. */
const tellEveryMs = 10_000

export interface WaitOptions {
  /** For so long at most; 0: the first try is the only one. */
  readonly waitMs: number
  /** What is waited for, such as `PostgreSQL at db.internal:5432`. */
  readonly what: string
  readonly clock: Pick<Clock, 'elapsed'>
  readonly logger: Logger
  /** Ends the wait: rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Whether it may pass by itself, unlike a wrong password. */
  readonly mayPass: (error: unknown) => boolean
}

/** Tries again until it opens. Keeps the process alive meanwhile. */
export async function openWithPatience<T extends { close(): Promise<void> }>(
  open: () => Promise<T>,
  options: WaitOptions,
): Promise<T> {
  const { waitMs, what, clock, logger, signal, mayPass } = options
  const startedAt = clock.elapsed()
  let toldAt = Number.NEGATIVE_INFINITY
  for (;;) {
    try {
      const opened = await openUnlessAborted(open, signal)
      if (toldAt > 0) logger.info({ waited_ms: Math.round(clock.elapsed() - startedAt) }, `${what} answers`)
      return opened
    } catch (error) {
      const waitedMs = clock.elapsed() - startedAt
      if (signal?.aborted === true || waitMs === 0 || !mayPass(error)) throw error
      if (waitedMs >= waitMs) throw tookTooLong(what, waitMs, error)
      if (clock.elapsed() - toldAt >= tellEveryMs) {
        toldAt = clock.elapsed()
        const seconds = Math.ceil((waitMs - waitedMs) / 1000)
        logger.warn({ err: error }, `waiting for ${what}, for ${seconds} s more: it does not answer yet`)
      }
    }
    await wait(pauseMs, undefined, signal && { signal })
  }
}

async function openUnlessAborted<T extends { close(): Promise<void> }>(
  open: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  signal?.throwIfAborted()
  const opening = open()
  if (signal === undefined) return opening
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([opening, promise])
  } catch (error) {
    // What opens too late is nobody's.
    opening.then(
      (opened) => opened.close(),
      () => undefined,
    )
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function tookTooLong(what: string, waitMs: number, error: unknown): OuthookError {
  const { message, fault } = error as OuthookError
  return new OuthookError(
    'store_unavailable',
    `${what} did not answer within ${Math.round(waitMs / 1000)} s: ${message}`,
    {
      cause: error,
      fault,
    },
  )
}
