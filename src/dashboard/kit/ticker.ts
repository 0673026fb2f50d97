/**
 * Lets what is said of times go on by itself. There is one timer for the page: every second while one of the times is
 * less than a minute away, else every minute, and none while the page shows no time or nobody sees it.
 */
import { now } from '../clock.ts'

interface SeenPage {
  readonly hidden: boolean
  addEventListener(name: 'visibilitychange', listener: () => void): void
}

interface ShownTime {
  readonly atMs: number
  readonly hear: () => void
}

const secondMs = 1_000
const minuteMs = 60_000

export class Ticker {
  readonly #page: SeenPage
  readonly #shown = new Set<ShownTime>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #dueMs = 0

  constructor(page: SeenPage) {
    this.#page = page
    page.addEventListener('visibilitychange', () => this.#tick())
  }

  /** `hear` is called with each tick, until what this answers is called. */
  add(atMs: number, hear: () => void): () => void {
    const time = { atMs, hear }
    this.#shown.add(time)
    this.#tickFor(time)
    return () => {
      this.#shown.delete(time)
      if (this.#shown.size === 0) this.#stop()
    }
  }

  #tick(): void {
    this.#stop()
    if (this.#page.hidden) return
    for (const { hear } of this.#shown) hear()
    for (const time of this.#shown) this.#tickFor(time)
  }

  /** A tick that comes sooner stays, or times that are added all the while would put it off for ever. */
  #tickFor({ atMs }: ShownTime): void {
    const nowMs = now()
    const waitMs = waitFor(atMs - nowMs)
    if (this.#page.hidden || (this.#timer !== undefined && this.#dueMs <= nowMs + waitMs)) return
    this.#stop()
    this.#dueMs = nowMs + waitMs
    this.#timer = setTimeout(() => this.#tick(), waitMs)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

/** What is ahead is said in seconds from its last minute on, so the tick before that comes in time. */
function waitFor(leftMs: number): number {
  if (Math.abs(leftMs) < minuteMs) return secondMs
  return leftMs < 0 ? minuteMs : Math.min(minuteMs, Math.max(secondMs, leftMs - minuteMs))
}
