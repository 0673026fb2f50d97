/**
 * Turns for deliveries that lost several claims: one of them may be what ends the process.
 *
 * Each runs with nothing else in flight, so that it takes nobody with it. That stops ordinary work, so a turn is
 * bounded: it waits until the node is quiet, runs such deliveries one after the other for a while, and then
 * ordinary work has the node for at least as long as the turn took. Who did not get to run comes again.
 */

/** From when the node is quiet, no further one begins after this. */
const turnMs = 5000

export class AloneTurns<T> {
  readonly #waiting: T[] = []
  #running: T | null = null
  #beganAt: number | null = null
  #quietAt: number | null = null
  #ordinaryUntil = Number.NEGATIVE_INFINITY

  /** A turn goes on: nothing else may start. */
  get active(): boolean {
    return this.#beganAt !== null
  }

  /** Takes the item in and begins a turn, or gives the milliseconds for which ordinary work goes first. */
  admit(item: T, now: number): number {
    if (now < this.#ordinaryUntil) return this.#ordinaryUntil - now
    this.#beganAt ??= now
    this.#waiting.push(item)
    return 0
  }

  /** Asked while nothing is in flight: the next to run, or undefined, by which the turn is over. */
  next(now: number): T | undefined {
    if (this.#beganAt === null || this.#running !== null) return undefined
    this.#quietAt ??= now
    const item = now - this.#quietAt < turnMs ? this.#waiting.shift() : undefined
    if (item === undefined) {
      this.#ordinaryUntil = now + (now - this.#beganAt)
      this.#beganAt = null
      this.#quietAt = null
      return undefined
    }
    this.#running = item
    return item
  }

  /** Nothing happens for an item that does not run alone. */
  done(item: T): void {
    if (this.#running === item) this.#running = null
  }

  /** Those that the turn which ended left, and when they may come again. */
  takeLeft(now: number): { readonly items: readonly T[]; readonly delayMs: number } {
    const items = this.active ? [] : this.#waiting.splice(0)
    return { items, delayMs: Math.max(0, this.#ordinaryUntil - now) }
  }

  /** All that wait. */
  drain(): T[] {
    return this.#waiting.splice(0)
  }
}
