/**
 * The pace at which an endpoint is sent to after it refused requests (429, or 503 with `Retry-After`).
 *
 *     refused ─► held until the time that it asked for ─► at 0.9 of the rate that it took ─► faster, bit by bit ─► over
 *        ▲                                                      │ refused again
 *        └──────────────────────────────────────────────────────┘
 *
 * Fewer requests at once would not do: a receiver that answers within milliseconds takes a hundred a second one by one.
 * Each node learns by itself from what it sends, so the nodes of a cluster share what the endpoint takes.
 */

/** Of the rate that the endpoint took before it refused. */
const backOff = 0.9
/** Every endpoint is asked at least so often, or nobody would learn that it takes more again. */
const leastPerSecond = 0.5
/** For so long the pace stays as it is; then it grows by so much each second. */
const steadyMs = 10_000
const growth = 0.05
/** What may be sent at once after a silence. */
const burstMs = 250
const leastBurst = 2
/** An endpoint that refused nothing for so long takes all that it is sent. */
const overMs = 300_000
/** Refusals of requests that were under way together are one. */
const sameRefusalMs = 500

export class Pace {
  #perSecond = 0
  #tokens = 1
  #countedAt = 0
  #heldUntil = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #grownAt = 0

  /** `tookPerSecond`: what it answered well in the second before. Times are on the elapsed scale. */
  refused(now: number, holdMs: number, tookPerSecond: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, now + holdMs)
    if (now - this.#refusedAt >= sameRefusalMs) {
      const took = this.#perSecond === 0 ? tookPerSecond : Math.min(tookPerSecond, this.#perSecond)
      this.#perSecond = Math.max(leastPerSecond, took * backOff)
    }
    this.#refusedAt = now
    // One goes when the time is over, and the others by the pace.
    this.#tokens = 1
    this.#countedAt = this.#heldUntil
  }

  answered(now: number): void {
    if (now - this.#refusedAt < steadyMs) {
      this.#grownAt = now
      return
    }
    const seconds = Math.min(1, (now - this.#grownAt) / 1000)
    this.#perSecond *= 1 + growth * seconds
    this.#grownAt = now
  }

  isOver(now: number): boolean {
    return now - this.#refusedAt >= overMs
  }

  /** Requests that may start now. */
  room(now: number): number {
    if (now < this.#heldUntil) return 0
    this.#count(now)
    return Math.floor(this.#tokens)
  }

  take(now: number): void {
    this.#count(now)
    this.#tokens = Math.max(0, this.#tokens - 1)
  }

  #count(now: number): void {
    if (now <= this.#countedAt) return
    const most = Math.max(leastBurst, (this.#perSecond * burstMs) / 1000)
    this.#tokens = Math.min(most, this.#tokens + ((now - this.#countedAt) * this.#perSecond) / 1000)
    this.#countedAt = now
  }
}

/** Answers of the last second, from the counts of two seconds, so that it costs the same at any rate. */
export class SuccessRate {
  #since = Number.NEGATIVE_INFINITY
  #count = 0
  #before = 0

  add(now: number): void {
    this.#turn(now)
    this.#count++
  }

  perSecond(now: number): number {
    this.#turn(now)
    const share = 1 - (now - this.#since) / 1000
    return this.#count + this.#before * share
  }

  #turn(now: number): void {
    if (now - this.#since < 1000) return
    this.#before = now - this.#since < 2000 ? this.#count : 0
    this.#count = 0
    this.#since = now - this.#since < 2000 ? this.#since + 1000 : now
  }
}
