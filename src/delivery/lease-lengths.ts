/**
 * How long leases are that this node asks for now: as long as an attempt needs that takes the server's total timeout, and
 * longer once an endpoint is sent to whose own timeout is longer. A batch is leased as one, before it is known of a claim
 * what it brings: the first delivery of such an endpoint is given back without an attempt, and the next claim is for long
 * enough. A longer lease costs nothing until a process dies; then what it held is due again that much later.
 */
import { attemptTimeout } from '../core/attempt-timeout.ts'
import type { Clock } from '../core/clock.ts'
import { attemptLength, lastsAnAttempt, leaseLength } from './lease.ts'
import type { Target } from './routing-cache.ts'
import type { Work } from './work.ts'

/** Since the last target of the longest timeout was met. */
const forgottenAfterMs = 600_000

export class LeaseLengths {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #totalTimeoutMs: number
  #longestMs: number
  #metAt = 0

  constructor(clock: Pick<Clock, 'elapsed'>, totalTimeoutMs: number) {
    this.#clock = clock
    this.#totalTimeoutMs = totalTimeoutMs
    this.#longestMs = totalTimeoutMs
  }

  /** For the next batch. */
  get ms(): number {
    const isOver = this.#clock.elapsed() - this.#metAt > forgottenAfterMs
    if (this.#longestMs > this.#totalTimeoutMs && isOver) this.#longestMs = this.#totalTimeoutMs
    return leaseLength(this.#longestMs)
  }

  /** How long a delivery may wait in memory and still have enough of the usual lease left for an attempt. */
  get maxWaitMs(): number {
    return leaseLength(this.#totalTimeoutMs) - attemptLength(this.#totalTimeoutMs)
  }

  /** Whether what is left of its lease is enough for an attempt. */
  cover({ target, leaseEndsAt }: Pick<Work, 'target' | 'leaseEndsAt'>): boolean {
    const leftMs = leaseEndsAt - this.#clock.elapsed()
    return lastsAnAttempt(leftMs, attemptTimeout(target.destination.timeoutMs, this.#totalTimeoutMs))
  }

  /** Something is to be sent there: leases are long enough for it from now on. */
  meet({ destination }: Pick<Target, 'destination'>): void {
    if (destination.timeoutMs === null) return
    const timeoutMs = attemptTimeout(destination.timeoutMs, this.#totalTimeoutMs)
    if (timeoutMs <= this.#totalTimeoutMs || timeoutMs < this.#longestMs) return
    this.#longestMs = timeoutMs
    this.#metAt = this.#clock.elapsed()
  }
}
