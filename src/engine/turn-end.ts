/**
 * Callers of the same turn of the event loop share a commit: each request that a turn brings has its own microtasks, and
 * the first one's would begin a commit of one event. Over HTTP that cost a tenth more CPU per event.
 */

/**
 * A turn that brings so many callers, each with microtasks of its own as requests over HTTP are, begins a commit with what
 * they brought instead of with all when it ends: the store writes while this thread goes on reading requests. With 64
 * connections on two cores a tenth more events per second; a commit for every 12 callers costs more than that brings.
 * Callers that are answered together and publish again in each other's microtasks come all together anyhow: counted one by
 * one, they made smaller commits, at 2 to 3 µs a delivery.
 */
const manyInTurn = 24

export class TurnEnd {
  readonly #write: () => void
  #isPlanned = false
  /** Callers, or groups of them, that have come in this turn. */
  #count = 0
  /** Whoever comes now belongs to the group that has just been counted. */
  #isTogether = false

  constructor(write: () => void) {
    this.#write = write
  }

  /** There is something to write, when this turn ends at the latest. */
  come(): void {
    if (!this.#isTogether) this.#countGroup()
    if (this.#isPlanned) return
    this.#isPlanned = true
    setImmediate(() => {
      this.#isPlanned = false
      this.#count = 0
      this.#write()
    })
  }

  #countGroup(): void {
    this.#isTogether = true
    queueMicrotask(() => {
      this.#isTogether = false
      if (++this.#count % manyInTurn === 0) this.#write()
    })
  }
}
