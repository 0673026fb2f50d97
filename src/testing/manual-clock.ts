/** A clock that only moves when it is told to, so that tests of days run in milliseconds and always the same way. */
import type { Clock } from '../core/clock.ts'

export interface ManualClock extends Clock {
  /**
   * Moves on by `ms`. Timers that come due fire in order of their due time, each at its own moment, also those that
   * a fired timer sets up; after each one promises get the chance to run. Calls that overlap run one after the other.
   */
  advance(ms: number): Promise<void>
  /** The wall clock jumps by `ms`, ahead or back, and no time passes: what a correction of a machine's clock does. */
  jump(ms: number): void
  /** Timers that are set and have not fired. */
  readonly pendingTimers: number
}

interface Timer {
  readonly dueAt: number
  readonly order: number
  readonly callback: () => void
}

/**
 * @example
 * const clock = createManualClock(Date.parse('2030-01-01T00:00:00Z'))
 * clock.schedule(60_000, () => console.log('a minute later'))
 * await clock.advance(60_000)
 */
export function createManualClock(startMs = Date.UTC(2030, 0, 1)): ManualClock {
  const timers = new Set<Timer>()
  let elapsedMs = 0
  let jumpedMs = 0
  let scheduled = 0
  let advancing = Promise.resolve()

  const nextDue = (untilMs: number): Timer | undefined => {
    let next: Timer | undefined
    for (const timer of timers) {
      if (timer.dueAt > untilMs) continue
      if (
        next === undefined ||
        timer.dueAt < next.dueAt ||
        (timer.dueAt === next.dueAt && timer.order < next.order)
      ) {
        next = timer
      }
    }
    return next
  }

  const advance = async (ms: number): Promise<void> => {
    const untilMs = elapsedMs + ms
    await settlePromises()
    for (let timer = nextDue(untilMs); timer !== undefined; timer = nextDue(untilMs)) {
      timers.delete(timer)
      elapsedMs = Math.max(elapsedMs, timer.dueAt)
      timer.callback()
      await settlePromises()
    }
    elapsedMs = untilMs
  }

  return {
    now: () => startMs + jumpedMs + elapsedMs,
    elapsed: () => elapsedMs,
    schedule(delayMs, callback) {
      const timer = { dueAt: elapsedMs + Math.max(0, delayMs), order: scheduled++, callback }
      timers.add(timer)
      return () => {
        timers.delete(timer)
      }
    },
    advance(ms) {
      if (!(ms >= 0))
        throw new RangeError('a clock does not go back; give a number of milliseconds of 0 or more')
      const done = advancing.then(() => advance(ms))
      advancing = done.catch(() => {})
      return done
    },
    jump(ms) {
      if (!Number.isFinite(ms)) throw new RangeError('a clock jumps by a number of milliseconds')
      jumpedMs += ms
    },
    get pendingTimers() {
      return timers.size
    },
  }
}

/** A turn of the event loop: every promise that is ready, and what becomes ready by it, has run afterwards. */
function settlePromises(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
