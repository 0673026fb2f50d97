/** Where the time comes from. `Date.now()` and timers stand in this file only. */
export interface Clock {
  /** Wall-clock time, milliseconds since the epoch. */
  now(): number
  /**
   * Milliseconds on a scale that never goes back. Only differences mean anything.
   * The system clock counts time during which the machine was suspended.
   */
  elapsed(): number
  /** Calls back once after `delayMs`; the returned function cancels. Does not keep the process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}

const maxTimerMs = 2 ** 31 - 1

/** A step of the wall clock against the monotonic one that counts as a suspension, not as drift. */
const suspensionMs = 500

/**
 * The real clock. `performance.now()` stops while a machine is suspended, and a lease must not:
 * each jump of the wall clock ahead of it is added. A wall clock that is set back changes nothing.
 */
export function createSystemClock(): Clock {
  let lastLead = Date.now() - performance.now()
  let suspended = 0
  return {
    now: () => Date.now(),
    elapsed() {
      const monotonic = performance.now()
      const lead = Date.now() - monotonic
      if (lead - lastLead > suspensionMs) suspended += lead - lastLead
      lastLead = lead
      return monotonic + suspended
    },
    schedule(delayMs, callback) {
      const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), maxTimerMs))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
