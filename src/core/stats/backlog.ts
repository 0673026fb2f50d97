/** Retries that wait, by when they are due. */

/** Due now, within a minute, ten, an hour, six, a day, and later. */
export const retryBoundsMs = [0, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000] as const

/** Deliveries that are looked at for it at most; of more than these it is an estimate. */
export const maxRetriesLooked = 50_000

/** By bound, and last what is later. `total`: how many there are in all, which is known. */
export function spreadRetries(
  dueInMs: readonly { readonly dueInMs: number; readonly count: number }[],
  total: number,
): readonly number[] {
  const found = [...retryBoundsMs, Number.POSITIVE_INFINITY].map(() => 0)
  let looked = 0
  for (const { dueInMs: ms, count } of dueInMs) {
    const bound = retryBoundsMs.findIndex((limit) => ms <= limit)
    const index = bound === -1 ? retryBoundsMs.length : bound
    found[index] = (found[index] ?? 0) + count
    looked += count
  }
  if (looked === 0 || looked >= total) return found
  return found.map((count) => Math.round((count * total) / looked))
}
