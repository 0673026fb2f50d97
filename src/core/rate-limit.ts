/**
 * Rates as a token bucket that is one number: the moment at which it will be full. Spending moves it on, time does
 * the rest, so nothing has to be written while a bucket fills, and a restart changes nothing.
 *
 * PostgreSQL spends at a hand-off inside its statement, by a function with the same arithmetic (`take_tokens`).
 */
export const minRateLimitRps = 0.01
export const maxRateLimitRps = 1_000_000

/**
 * A target that ran out of tokens is looked at again no sooner than this, so that a high rate is spent in handfuls
 * and not in a claim for every token.
 */
export const rateTurnMs = 50

export interface RateBucket {
  /** When it is full again, milliseconds since the epoch, with fractions; in the past: it is full. */
  readonly fullAt: number
  /** Nothing may go before: it had run out of tokens. In the past: no such wait. */
  readonly limitedUntil: number
}

export const fullBucket: RateBucket = { fullAt: 0, limitedUntil: 0 }

/** Rounding must not make a whole token a little less than one. */
const epsilon = 1e-6

function burstOf(rps: number): number {
  return Math.max(1, 2 * rps)
}

/** Whole tokens that may be spent now. */
export function tokensAt(bucket: RateBucket, rps: number, now: number): number {
  if (bucket.limitedUntil > now) return 0
  return Math.floor(exactTokensAt(bucket, rps, now) + epsilon)
}

function exactTokensAt({ fullAt }: RateBucket, rps: number, now: number): number {
  return Math.max(0, burstOf(rps) - (Math.max(0, fullAt - now) * rps) / 1000)
}

/** After `count` of the tokens that are there were spent. A negative count gives some back. */
export function spendTokens(
  bucket: RateBucket,
  rps: number,
  spent: { count: number; now: number },
): RateBucket {
  const { count, now } = spent
  const fullAt = Math.max(bucket.fullAt, now) + (count * 1000) / rps
  return withWait(fullAt, rps, now)
}

/** The rate has become another one: what is missing stays missing, as far as the new bucket is that large. */
export function changeRate(bucket: RateBucket, rates: { from: number; to: number }, now: number): RateBucket {
  const { from, to } = rates
  const missing = Math.min(burstOf(from) - exactTokensAt(bucket, from, now), burstOf(to))
  return withWait(now + (missing * 1000) / to, to, now)
}

function withWait(fullAt: number, rps: number, now: number): RateBucket {
  if (exactTokensAt({ fullAt, limitedUntil: 0 }, rps, now) + epsilon >= 1) return { fullAt, limitedUntil: 0 }
  const nextTokenAt = Math.ceil(fullAt - ((burstOf(rps) - 1) * 1000) / rps)
  return { fullAt, limitedUntil: Math.max(nextTokenAt, now + rateTurnMs) }
}
