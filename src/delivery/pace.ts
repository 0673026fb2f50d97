/**
 * The pace at which an endpoint is sent to after it refused requests (429, or 503 with `Retry-After`).
 *
 *     refused ─► held until the time that it asked for ─► at 0.9 of the rate that it took ─► faster, bit by bit ─► over
 *        ▲                                                      │ refused again
 *        └──────────────────────────────────────────────────────┘
 *
 * Fewer requests at once would not do: a receiver that answers within milliseconds takes a hundred a second one by one.
 *
 * Of several nodes one keeps the pace: the one that wrote the refusal down. It says so to the others every second, with
 * its rate, and they leave the endpoint to it until it has been silent for a while, be it dead or done. Nodes that each
 * kept a pace of their own took 61 to 79 s for 200 events where the receiver would have taken 40, because the part that
 * one node sends, one or two a second, is too little to learn a rate from.
 */

/** The part of the rate that the endpoint took before it refused. */
const backOff = 0.9
/** Every endpoint is asked at least so often, or nobody would learn that it takes more again. */
const leastPerSecond = 0.5
/** For so long a measured pace stays as it is; then it grows by so much each second. */
const steadyMs = 20_000
const growth = 0.05
/** What was taken before the first refusal, or by another node, is a guess: it grows by so much until a refusal. */
const growthOfGuess = 0.5
/** One refusal lowers a pace to no less than so much of it: after a pause the last second holds too little. */
const mostAtOnce = 0.6
/** What may be sent at once after a silence. More would be too much for a receiver that counts each second by itself. */
const burstMs = 100
const leastBurst = 1.2
const prefetchMs = 1000
/** An endpoint that refused nothing for so long takes all that it is sent. */
const overMs = 300_000
/** Refusals of requests that were under way together are one. */
const sameRefusalMs = 500
/** The node that keeps the pace says so every second; after so long a silence the others send again. */
const silenceMs = 5000

export class Pace {
  #perSecond = 0
  #tokens = 1
  #countedAt = 0
  #heldUntil = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #grownAt = 0
  #isGuess = true
  #isKeptHere = false
  #leftUntil = Number.NEGATIVE_INFINITY

  /** `tookPerSecond`: what it answered well in the second before. Times are on the elapsed scale. */
  refused(now: number, holdMs: number, tookPerSecond: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, now + holdMs)
    if (now - this.#refusedAt >= sameRefusalMs) {
      this.#isGuess = this.#perSecond === 0
      const took = Math.max(tookPerSecond, this.#perSecond * mostAtOnce)
      const sustained = this.#perSecond === 0 ? took : Math.min(took, this.#perSecond)
      this.#perSecond = Math.max(leastPerSecond, sustained * backOff)
    }
    this.#refusedAt = now
    // One goes when the time is over, and the others by the pace.
    this.#tokens = 1
    this.#countedAt = this.#heldUntil
    this.#grownAt = this.#heldUntil
  }

  answered(now: number): void {
    if (now < this.#heldUntil || (!this.#isGuess && now - this.#refusedAt < steadyMs)) {
      this.#grownAt = now
      return
    }
    const seconds = Math.min(1, (now - this.#grownAt) / 1000)
    this.#perSecond *= 1 + (this.#isGuess ? growthOfGuess : growth) * seconds
    this.#grownAt = now
  }

  /** This node wrote the refusal down. */
  keepHere(): void {
    this.#isKeptHere = true
    this.#leftUntil = Number.NEGATIVE_INFINITY
  }

  /** Null: another node keeps it, or none. */
  get keptHere(): number | null {
    return this.#isKeptHere ? this.#perSecond : null
  }

  /** Another node keeps it, and sends so much. */
  leaveTo(now: number, perSecond: number): void {
    this.#isKeptHere = false
    this.#isGuess = true
    this.#perSecond = perSecond
    this.#refusedAt = now
    this.#leftUntil = now + silenceMs
    this.#tokens = 1
    this.#countedAt = this.#leftUntil
    this.#grownAt = this.#leftUntil
  }

  isOver(now: number): boolean {
    return now - this.#refusedAt >= overMs
  }

  /** Requests that may start now. */
  room(now: number): number {
    if (now < Math.max(this.#heldUntil, this.#leftUntil)) return 0
    this.#count(now)
    return Math.floor(this.#tokens)
  }

  /** Requests that may start now or within a second, so that what waits for its turn is here when it comes. */
  roomSoon(now: number): number {
    if (now < Math.max(this.#heldUntil, this.#leftUntil)) return 0
    this.#count(now)
    return Math.floor(this.#tokens + (this.#perSecond * prefetchMs) / 1000)
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
