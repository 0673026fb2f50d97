/** Retries that wait, by when they are due. */

/** Due now, within a minute, ten, an hour, six, a day, and later. */
export const retryBoundsMs = [0, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000] as const

export interface FoundRetries {
  /** Null: they are parked, which is at no time. */
  readonly dueInMs: number | null
  readonly count: number
}

/** By bound, and last what is later. */
export function spreadRetries(found: readonly FoundRetries[]): readonly number[] {
  const spread = [...retryBoundsMs, Number.POSITIVE_INFINITY].map(() => 0)
  for (const { dueInMs, count } of found) {
    if (dueInMs === null) continue
    const bound = retryBoundsMs.findIndex((limit) => dueInMs <= limit)
    const index = bound === -1 ? retryBoundsMs.length : bound
    spread[index] = (spread[index] ?? 0) + count
  }
  return spread
}

/** The same where perhaps only a part of them was looked at. `total`: how many there are in all, which is known. */
export function spreadSample(
  found: readonly FoundRetries[],
  total: number,
): { readonly retries: readonly number[]; readonly isEstimate: boolean } {
  const spread = spreadRetries(found)
  const looked = found.reduce((sum, { count }) => sum + count, 0)
  const isEstimate = looked < total
  if (looked === 0 || !isEstimate) return { retries: spread, isEstimate }
  return { retries: spread.map((count) => Math.round((count * total) / looked)), isEstimate }
}
