/**
 * Opens connections to receivers that have not yet shown that they answer, or failed to the last time, more slowly
 * than the others'. What such a receiver costs is not known before it has answered: one that means harm takes 1 to
 * 2 ms of this thread and as much of the machine, an honest one a tenth of that. Two hundred attempts at harmful
 * receivers that began together, four in each turn of the event loop, were noticed by healthy endpoints for a quarter
 * of a second: their p99 was 2.9 times as high as without. With one in 5 ms it is 1.7 times as high, with one in
 * 3 ms 2.3 times, and with groups that grow while the thread has little else to do 2.5 times.
 *
 * Nobody waits longer than a second or so: the more wait, the more are opened at once.
 */
import type { ConnectCallback, Connector, ConnectTarget } from './connector.ts'

const restMs = 4
/** Timers of 4 ms come after about 5, so that so many groups take a second. */
const maxGroups = 200

interface Waiting {
  readonly target: ConnectTarget
  readonly callback: ConnectCallback
  /** Null as long as it waits. */
  cancelOpen: (() => void) | null
}

export class StrangerConnector implements Connector {
  readonly #connector: Connector
  readonly #waiting = new Set<Waiting>()
  #isResting = false

  constructor(connector: Connector) {
    this.#connector = connector
  }

  open(target: ConnectTarget, callback: ConnectCallback): () => void {
    if (!this.#isResting) {
      this.#rest()
      return this.#connector.open(target, callback)
    }
    const one: Waiting = { target, callback, cancelOpen: null }
    this.#waiting.add(one)
    return () => {
      this.#waiting.delete(one)
      one.cancelOpen?.()
    }
  }

  /** It has answered: what waits for it waits no longer. */
  admit(target: ConnectTarget): void {
    for (const one of this.#waiting) if (one.target === target) this.#begin(one)
  }

  #begin(one: Waiting): void {
    this.#waiting.delete(one)
    one.cancelOpen = this.#connector.open(one.target, one.callback)
  }

  #rest(): void {
    this.#isResting = true
    setTimeout(() => this.#openSome(), restMs)
  }

  #openSome(): void {
    this.#isResting = false
    if (this.#waiting.size === 0) return
    this.#rest()
    let left = Math.ceil(this.#waiting.size / maxGroups)
    for (const one of this.#waiting) {
      if (left-- === 0) return
      this.#begin(one)
    }
  }
}
