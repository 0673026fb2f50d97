/** Histograms of durations: the same fixed buckets everywhere, so that those of any minutes and endpoints add up. */

/** Upper bounds in milliseconds, inclusive. The last bucket has no end: a delivery may have waited for days. */
export const bucketBoundsMs = [
  1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000, 7000,
  10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000,
  21_600_000, 43_200_000, 86_400_000, 172_800_000,
] as const

/** By bucket, how many. */
export type Histogram = ReadonlyMap<number, number>

export function bucketOf(ms: number): number {
  let low = 0
  let high: number = bucketBoundsMs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ms <= (bucketBoundsMs[middle] as number)) high = middle
    else low = middle + 1
  }
  return low
}

/** Milliseconds, somewhere in the bucket that has it; null: there is nothing. Of the last bucket its beginning. */
export function percentileOf(histogram: Histogram, fraction: number): number | null {
  const buckets = Array.from(histogram).sort(([a], [b]) => a - b)
  const total = buckets.reduce((sum, [, count]) => sum + count, 0)
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(total * fraction))
  let below = 0
  for (const [bucket, count] of buckets) {
    if (below + count >= rank) return within(bucket, (rank - below) / count)
    below += count
  }
  return null
}

function within(bucket: number, fraction: number): number {
  const from = bucket === 0 ? 0 : (bucketBoundsMs[bucket - 1] as number)
  const to = bucketBoundsMs[bucket] ?? from
  return Math.round((from + (to - from) * fraction) * 100) / 100
}
