/** Lets a few alerts of one key through per time, and tells afterwards how many it held back. */
import type { Clock } from '../core/clock.ts'

export interface ThrottleOptions {
  /** Alerts of one key that pass within the time. Default 3. */
  readonly limit?: number
  /** Default 60 000. */
  readonly perMs?: number
}

export interface AlertThrottleOptions<Alert> {
  readonly limit: number
  readonly perMs: number
  readonly clock: Clock
  /** Once per key and time at most. `first` is the first one that was held back. */
  readonly onSummary: (first: Alert, heldBack: number) => void
}

interface Window<Alert> {
  /** When those that passed did, oldest first. */
  passed: number[]
  heldBack: number
  first: Alert | null
  cancelTimer: (() => void) | null
}

/** Keys come from callers; memory must not grow with them. */
const maxKeys = 5000

export class AlertThrottle<Alert> {
  readonly #options: AlertThrottleOptions<Alert>
  readonly #windows = new Map<string, Window<Alert>>()

  constructor(options: AlertThrottleOptions<Alert>) {
    this.#options = options
  }

  /** Whether it may pass. */
  pass(key: string, alert: Alert): boolean {
    const { limit, perMs, clock } = this.#options
    const now = clock.elapsed()
    const window = this.#windowOf(key, now)
    window.passed = window.passed.filter((at) => now - at < perMs)
    if (window.passed.length < limit) {
      window.passed.push(now)
      return true
    }
    window.heldBack++
    window.first ??= alert
    window.cancelTimer ??= clock.schedule(perMs, () => this.#summarize(window))
    return false
  }

  /** Tells now what would be told later. */
  summarizeAll(): void {
    for (const window of this.#windows.values()) this.#summarize(window)
  }

  #summarize(window: Window<Alert>): void {
    const { heldBack, first } = window
    window.cancelTimer?.()
    window.cancelTimer = null
    window.heldBack = 0
    window.first = null
    if (first !== null && heldBack > 0) this.#options.onSummary(first, heldBack)
  }

  #windowOf(key: string, now: number): Window<Alert> {
    const known = this.#windows.get(key)
    if (known !== undefined) return known
    if (this.#windows.size >= maxKeys) this.#forget(now)
    const window: Window<Alert> = { passed: [], heldBack: 0, first: null, cancelTimer: null }
    this.#windows.set(key, window)
    return window
  }

  /** Those that hold nothing any more; else the oldest, whose key may then pass early. */
  #forget(now: number): void {
    for (const [key, { passed, heldBack }] of this.#windows) {
      const isOver = (passed.at(-1) ?? 0) <= now - this.#options.perMs
      if (isOver && heldBack === 0) this.#windows.delete(key)
    }
    const [oldest] = this.#windows
    if (this.#windows.size < maxKeys || oldest === undefined) return
    this.#summarize(oldest[1])
    this.#windows.delete(oldest[0])
  }
}
