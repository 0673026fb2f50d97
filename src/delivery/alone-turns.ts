/**
 * Turns for deliveries that lost several claims: one of them may be what ends the process.
 *
 * Each runs with nothing else in flight, so that it takes nobody with it. That stops ordinary work, so a turn is
 * bounded: it waits until the node is quiet, runs such deliveries one after the other for a while, and then
 * ordinary work has the node for at least as long as the turn took. Who did not get to run comes again.
 *
 * Only the one that runs stays leased (`holdOne`): should it end the process, its claim alone is lost. Were the
 * others held meanwhile, a few crashes in a row would count against all of them, and in the end give up healthy
 * work (measured: 160 held at each of 20 kills, one of them running).
 */

/** From when the node is quiet, no further one begins after this. */
const turnMs = 5000

export class AloneTurns<T> {
  readonly #waiting: T[] = []
  #running: T | null = null
  /** Others were given back for the one that runs, and are claimed again in this turn. */
  #hasMore = false
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

  /** Asked while nothing is in flight: the next to run, or undefined, by which the turn is over, but for `wantsMore`. */
  next(now: number): T | undefined {
    if (this.#beganAt === null || this.#running !== null) return undefined
    this.#quietAt ??= now
    const item = now - this.#quietAt < turnMs ? this.#waiting.shift() : undefined
    if (item === undefined && this.wantsMore(now)) return undefined
    if (item === undefined) {
      this.#ordinaryUntil = now + (now - this.#beganAt)
      this.#beganAt = null
      this.#quietAt = null
      this.#hasMore = false
      return undefined
    }
    this.#running = item
    return item
  }

  /** The turn goes on and has nothing to run: what was given back for its sake may be claimed again. */
  wantsMore(now: number): boolean {
    const inTime = this.#quietAt === null || now - this.#quietAt < turnMs
    return this.active && this.#hasMore && inTime && this.#running === null && this.#waiting.length === 0
  }

  /**
   * Called after each claim: of all that wait, only the next to run stays, once the others are given back for good;
   * and nobody while the node is not quiet. Does nothing outside of a turn that has something to run.
   */
  async holdOne(isQuiet: boolean, giveBack: (items: readonly T[]) => Promise<void>): Promise<void> {
    if (!this.active) return
    const others = this.#waiting.splice(0)
    const first = isQuiet ? others.splice(0, 1) : []
    this.#hasMore = first.length + others.length > 0
    if (!this.#hasMore) return
    try {
      await giveBack(others)
    } catch (error) {
      await giveBack(first).catch(() => {})
      throw error
    }
    // It may have taken so long that the turn is over.
    if (this.active) this.#waiting.unshift(...first)
    else await giveBack(first)
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
