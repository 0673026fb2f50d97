/** How fast events may come in, per tenant: a bucket of tokens for each that has a rate, in this process. */
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { fullBucket, type RateBucket, spendTokens, tokensAt } from '../core/rate-limit.ts'

/** Beyond these, buckets that are full again are forgotten: they are as good as new. */
const maxBuckets = 10_000

export class IngestRates {
  readonly #clock: Pick<Clock, 'elapsed'>
  readonly #buckets = new Map<string, RateBucket>()

  constructor(clock: Pick<Clock, 'elapsed'>) {
    this.#clock = clock
  }

  /** Spends a token of the one with this id. Throws `rate_limited`, with the seconds until there is another. */
  spend(id: string, perSecond: number, whose: string): void {
    const now = this.#clock.elapsed()
    const bucket = this.#buckets.get(id) ?? fullBucket
    if (tokensAt(bucket, perSecond, now) >= 1) {
      if (this.#buckets.size >= maxBuckets && !this.#buckets.has(id)) this.#forgetFull(now)
      this.#buckets.set(id, spendTokens(bucket, perSecond, { count: 1, now }))
      return
    }
    throw new OuthookError(
      'rate_limited',
      `${whose} may publish ${perSecond} events per second; send the event again when Retry-After is over`,
      { retryAfterSeconds: Math.max(1, Math.ceil((bucket.limitedUntil - now) / 1000)) },
    )
  }

  #forgetFull(now: number): void {
    for (const [id, { fullAt }] of this.#buckets) if (fullAt <= now) this.#buckets.delete(id)
  }
}
