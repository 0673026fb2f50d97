import { uptime } from 'node:os'

/** Where the time comes from. `Date.now()` and timers stand in this file only. */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. It may jump, either way. */
  now(): number
  /**
   * Milliseconds on a scale that never goes back, whatever becomes of the wall clock. Only differences mean anything.
   * The system clock counts time during which the machine was suspended.
   */
  elapsed(): number
  /** Calls back once after `delayMs`; the returned function cancels. Does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}

const maxTimerMs = 2 ** 31 - 1

/** A step of one clock against another that is no drift. */
export const clockStepMs = 500

/** Within this the wall clock is not read again: under load `elapsed()` is asked ten times for each delivery. */
const wallLookMs = 1

/** A pause between two readings after which it is asked what time really passed. */
const longPauseMs = 5000

/**
 * The real clock. On Linux `performance.now()` stops while the machine is suspended, and a lease must not. The uptime
 * that the kernel counts goes on, and no change of the wall clock moves it, so it tells the one from the other. To read
 * it is to read a file (25 µs), so it is asked only when the wall clock stepped or nothing was read for a while.
 */
export function createSystemClock(): Clock {
  const readLead = createLeadReader({ wall: () => Date.now(), elapsed: () => performance.now() })
  const suspended = process.platform === 'linux' ? suspendedSince() : () => 0
  let lastLead = readLead()
  let lastMonotonic = performance.now()
  let suspendedMs = 0
  return {
    now: () => Date.now(),
    elapsed() {
      const monotonic = performance.now()
      if (monotonic - lastMonotonic < wallLookMs) return monotonic + suspendedMs
      const lead = Date.now() - monotonic
      if (Math.abs(lead - lastLead) > clockStepMs || monotonic - lastMonotonic > longPauseMs) {
        suspendedMs = suspended()
        lastLead = readLead()
      } else lastLead = lead
      lastMonotonic = monotonic
      return monotonic + suspendedMs
    },
    schedule(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), maxTimerMs))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}

/**
 * Reads how far a wall clock is ahead of a monotonic one. Between the two readings the process may have stood still,
 * which would look like a step: such a pair is read again.
 */
export function createLeadReader(clocks: { wall(): number; elapsed(): number }): () => number {
  const maxTries = 20
  const togetherMs = 20
  return () => {
    for (let tries = 1; ; tries++) {
      const before = clocks.elapsed()
      const wall = clocks.wall()
      if (clocks.elapsed() - before <= togetherMs || tries === maxTries) return wall - before
    }
  }
}

/** How long the machine was suspended since now, as far as it is more than the resolution of what says so. */
function suspendedSince(): () => number {
  const readLead = createLeadReader({ wall: () => uptime() * 1000, elapsed: () => performance.now() })
  const firstLead = readLead()
  let suspendedMs = 0
  return () => {
    const aheadMs = readLead() - firstLead
    if (Math.abs(aheadMs - suspendedMs) > clockStepMs) suspendedMs = aheadMs
    return suspendedMs
  }
}
