/** Keeps a command running until somebody asks it to end. */
import { createSystemClock } from '../core/clock.ts'
import { exitCodes } from './exit-codes.ts'
import type { CliIo } from './io.ts'

/**
 * Ctrl-C reaches a program under npm twice, from the terminal and from npm: what follows the first signal so
 * closely is the same one.
 */
const sameSignalMs = 1000

/** Waits for a signal, then for `close`. A later second signal ends the process at once, with exit code 1. */
export async function closeOnSignal(io: CliIo, close: () => Promise<void>): Promise<void> {
  const clock = createSystemClock()
  const first = Promise.withResolvers<void>()
  let firstAt: number | null = null
  const stopListening = io.signals.onSignal(() => {
    if (firstAt === null) {
      firstAt = clock.elapsed()
      first.resolve()
    } else if (clock.elapsed() - firstAt > sameSignalMs) {
      io.signals.exit(exitCodes.failure)
    }
  })
  // Listening alone does not keep a process alive that has nothing else to do.
  const keepAlive = setInterval(() => {}, 60_000)
  try {
    await first.promise
    io.printError('stopping: requests in flight are finished (signal again to end at once)')
    await close()
  } finally {
    clearInterval(keepAlive)
    stopListening()
  }
}
