/** The bucket of a producer key, with the rate that it was last used at. */
import { changeRate, fullBucket, type RateBucket, spendTokens, tokensAt } from './rate-limit.ts'

export interface KeyBucket extends RateBucket {
  readonly rps: number
}

/** As many tokens as there are, `count` at most. `known` null: nothing was ever taken. */
export function takeFrom(
  known: KeyBucket | null,
  { rps, count, now }: { readonly rps: number; readonly count: number; readonly now: number },
): { readonly taken: number; readonly bucket: KeyBucket } {
  const before =
    known === null
      ? fullBucket
      : known.rps === rps
        ? known
        : changeRate(known, { from: known.rps, to: rps }, now)
  const taken = Math.min(count, tokensAt(before, rps, now))
  const after = taken === 0 ? before : spendTokens(before, rps, { count: taken, now })
  return { taken, bucket: { ...after, rps } }
}
