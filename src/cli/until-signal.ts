/** Keeps a command running until somebody asks it to end. */
import type { Clock } from '../core/clock.ts'
import { createSystemClock } from '../core/clock.ts'
import { exitCodes } from './exit-codes.ts'
import type { CliIo } from './io.ts'

/**
 * Ctrl-C reaches a program under npm twice, from the terminal and from npm: what follows the first signal so
 * closely is the same one.
 */
const sameSignalMs = 1000

export interface Running {
  close(): Promise<void>
  /** Settles only when it can do nothing useful any more. */
  readonly lost?: Promise<Error> | undefined
}

/** How long what is left is closed: there is nothing to record it in. */
const closeLostMs = 5000

/**
 * Runs `start`, waits for a signal, then closes what `start` gave. Listens from the beginning: a signal during
 * the start counts too, and aborts what `start` was given; a process that is PID 1 of a container would otherwise not
 * even get it. A later second signal ends the process at once, with exit code 1. Rejects with what was lost when it ends
 * for that.
 */
export async function runUntilSignal(
  io: Pick<CliIo, 'signals' | 'printError'>,
  start: (signal: AbortSignal) => Promise<Running>,
  clock: Pick<Clock, 'elapsed'> = createSystemClock(),
): Promise<void> {
  const stopping = new AbortController()
  const first = Promise.withResolvers<void>()
  let firstAt: number | null = null
  const stopListening = io.signals.onSignal(() => {
    if (firstAt === null) {
      firstAt = clock.elapsed()
      io.printError('stopping: requests in flight are finished first (signal again to end at once)')
      stopping.abort()
      first.resolve()
    } else if (clock.elapsed() - firstAt > sameSignalMs) {
      io.signals.exit(exitCodes.failure)
    }
  })
  // Listening for signals alone does not keep a process alive that has nothing else to do.
  const keepAlive = setInterval(() => {}, 60_000)
  try {
    const running = await start(stopping.signal)
    const lost = await Promise.race([first.promise, running.lost].filter((each) => each !== undefined))
    if (lost === undefined) await running.close()
    else await endWithout(running, lost)
  } catch (error) {
    // It stopped waiting for what it had not yet begun with.
    if (!stopping.signal.aborted || (error as Error).name !== 'AbortError') throw error
  } finally {
    clearInterval(keepAlive)
    stopListening()
  }
}

async function endWithout(running: Running, lost: Error): Promise<never> {
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(late.resolve, closeLostMs)
  await Promise.race([running.close().catch(() => undefined), late.promise])
  clearTimeout(timer)
  throw lost
}
