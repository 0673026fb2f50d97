/**
 * Turns for suspects: deliveries that lost several claims, one of which may be what ends the process.
 *
 * They run apart from ordinary work, so that they take nobody of it with them, and in groups (`suspectGroup`): the
 * group that runs is all that is leased. Should the process end, that group alone loses a claim more and comes back as
 * two, so one poisonous delivery among thousands is found in a few rounds, while each group without it is done in one.
 *
 * A turn stops ordinary work, so it is bounded: it waits until the node is quiet, runs groups one after the other for a
 * while, and then ordinary work has the node for at least as long as the turn took. Who did not get to run comes again.
 */

/** From when the node is quiet, none begins after this. */
const turnMs = 5000

export class AloneTurns<T> {
  readonly #groupOf: (item: T) => string
  readonly #waiting: T[] = []
  /** The suspects of the group that runs whose attempts have not begun. */
  #group: T[] = []
  readonly #running = new Set<T>()
  #groupName: string | null = null
  /** Others were given back for the group that runs, and are claimed again in this turn. */
  #hasMore = false
  #beganAt: number | null = null
  #quietAt: number | null = null
  #ordinaryUntil = Number.NEGATIVE_INFINITY

  constructor(groupOf: (item: T) => string) {
    this.#groupOf = groupOf
  }

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

  /**
   * The next to run. Undefined: none may begin now; when there is none left the turn is over, but for `wantsMore`.
   * `isQuiet`: nothing is in flight.
   */
  next(now: number, isQuiet: boolean): T | undefined {
    if (this.#beganAt === null || (!isQuiet && this.#running.size === 0)) return undefined
    this.#quietAt ??= now
    if (now - this.#quietAt < turnMs) {
      if (this.#running.size === 0 && this.#group.length === 0) this.#pickGroup()
      const item = this.#group.shift()
      if (item !== undefined) this.#running.add(item)
      if (item !== undefined || this.wantsMore(now)) return item
    }
    if (this.#running.size === 0) this.#endTurn(now, this.#beganAt)
    return undefined
  }

  /** It has no slot while others of its group run: it is the next again. */
  putBack(item: T): void {
    if (this.#running.delete(item)) this.#group.unshift(item)
  }

  /** The turn goes on and has nothing to run: what was given back for its sake may be claimed again. */
  wantsMore(now: number): boolean {
    const inTime = this.#quietAt === null || now - this.#quietAt < turnMs
    const hasWork = this.#running.size > 0 || this.#group.length > 0 || this.#waiting.length > 0
    return this.active && this.#hasMore && inTime && !hasWork
  }

  /**
   * Called after each claim: of all that wait only the group that runs, or is the next to run, stays, once the others
   * are given back for good; and nobody while the node is not quiet for it. Does nothing outside of a turn.
   */
  async holdOneGroup(isQuiet: boolean, giveBack: (items: readonly T[]) => Promise<void>): Promise<void> {
    if (!this.active) return
    this.#hasMore = this.#waiting.length > 0
    if (!this.#hasMore) return
    const goesOn = this.#running.size > 0 || this.#group.length > 0
    if (isQuiet && !goesOn) this.#groupName = this.#groupOf(this.#waiting[0] as T)
    const mayStay = isQuiet || goesOn
    const others = this.#waiting.splice(0)
    const kept = others.filter((item) => mayStay && this.#groupOf(item) === this.#groupName)
    try {
      await giveBack(others.filter((item) => !kept.includes(item)))
    } catch (error) {
      await giveBack(kept).catch(() => {})
      throw error
    }
    // It may have taken so long that the turn is over.
    if (this.active) this.#group.push(...kept)
    else await giveBack(kept)
  }

  /** Nothing happens for an item that does not run alone. */
  done(item: T): void {
    this.#running.delete(item)
  }

  /** The suspects that the last turn left, and when they may come again. */
  takeLeft(now: number): { readonly items: readonly T[]; readonly delayMs: number } {
    return { items: this.active ? [] : this.drain(), delayMs: Math.max(0, this.#ordinaryUntil - now) }
  }

  /** All that wait. */
  drain(): T[] {
    return [...this.#group.splice(0), ...this.#waiting.splice(0)]
  }

  #pickGroup(): void {
    const first = this.#waiting[0]
    if (first === undefined) return
    const name = this.#groupOf(first)
    this.#groupName = name
    const waiting = this.#waiting.splice(0)
    this.#group = waiting.filter((item) => this.#groupOf(item) === name)
    this.#waiting.push(...waiting.filter((item) => this.#groupOf(item) !== name))
  }

  #endTurn(now: number, beganAt: number): void {
    this.#ordinaryUntil = now + (now - beganAt)
    this.#beganAt = null
    this.#quietAt = null
    this.#groupName = null
    this.#hasMore = false
  }
}
