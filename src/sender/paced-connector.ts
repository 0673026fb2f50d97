/**
 * Opens connections a few at a time, in the order in which they were asked for. What a receiver costs is not known before
 * it has answered: one that means harm takes 1 to 2 ms of this thread, most of it when its answer is read, and as much of
 * the machine; an honest one takes a tenth of that. Two hundred harmful attempts that began in one turn of the event loop
 * were answered in one turn, too, and for its 140 ms nobody else's request went out.
 */
import type { ConnectCallback, Connector, ConnectTarget } from './connector.ts'

export interface Pace {
  /** So many are opened together, at least one, when so many wait. */
  readonly together: (waiting: number) => number
  /** Calls back when the next ones may be opened. */
  readonly rest: (callback: () => void) => void
}

/** For all: four in each turn of the event loop. */
export const turnPace: Pace = { together: () => 4, rest: setImmediate }

const strangerRestMs = 4
/** Timers of 4 ms come after about 5, so that so many groups take a second. */
const strangerGroups = 200

/**
 * For receivers that have not yet shown that they answer, or failed to the last time. Two hundred harmful ones at once, at
 * the pace of all, were noticed by healthy endpoints for a quarter of a second: their p99 was 2.9 times as high as without.
 * With one in 5 ms it was 1.7 times as high, with one in 3 ms 2.3 times, and with groups that grow while the thread has
 * little else to do 2.5 times. Nobody waits longer than a second or so: the more wait, the more are opened together.
 */
export const strangerPace: Pace = {
  together: (waiting) => Math.max(1, Math.ceil(waiting / strangerGroups)),
  // A connection rests for the network's time, also where a test's clock stands still.
  rest: (callback) => setTimeout(callback, strangerRestMs),
}

interface Waiting {
  readonly target: ConnectTarget
  readonly callback: ConnectCallback
  /** Null as long as it waits. */
  cancelOpen: (() => void) | null
}

export class PacedConnector implements Connector {
  readonly #connector: Connector
  readonly #pace: Pace
  readonly #waiting = new Set<Waiting>()
  /** Since the last rest. */
  #opened = 0
  #isResting = false

  constructor(connector: Connector, pace: Pace) {
    this.#connector = connector
    this.#pace = pace
  }

  open(target: ConnectTarget, callback: ConnectCallback): () => void {
    this.#rest()
    if (this.#waiting.size === 0 && this.#opened < this.#pace.together(0)) {
      this.#opened++
      return this.#connector.open(target, callback)
    }
    const one: Waiting = { target, callback, cancelOpen: null }
    this.#waiting.add(one)
    return () => {
      this.#waiting.delete(one)
      one.cancelOpen?.()
    }
  }

  /** What waits for this receiver waits no longer. */
  admit(target: ConnectTarget): void {
    for (const one of this.#waiting) if (one.target === target) this.#begin(one)
  }

  #rest(): void {
    if (this.#isResting) return
    this.#isResting = true
    this.#pace.rest(() => this.#goOn())
  }

  #goOn(): void {
    this.#isResting = false
    this.#opened = 0
    if (this.#waiting.size === 0) return
    this.#rest()
    const together = this.#pace.together(this.#waiting.size)
    for (const one of this.#waiting) {
      if (this.#opened === together) return
      this.#opened++
      this.#begin(one)
    }
  }

  #begin(one: Waiting): void {
    this.#waiting.delete(one)
    one.cancelOpen = this.#connector.open(one.target, one.callback)
  }
}
