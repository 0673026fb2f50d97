/** What came of the deliveries of a day, by the hour in which it came. Pure. */
export interface Hour {
  /** Its beginning. */
  readonly at: string
  readonly good: number
  readonly bad: number
  /** Attempts after which another follows. */
  readonly again: number
}

interface Bucket {
  readonly at: string
  readonly deliveries: {
    readonly succeeded: number
    readonly deadLettered: number
    readonly retryScheduled: number
  }
}

const hourMs = 3_600_000
const hours = 24

/** Up to the hour of the last bucket. */
export function hoursOf(buckets: readonly Bucket[]): readonly Hour[] {
  const hourOf = ({ at }: Bucket) => Math.floor(Date.parse(at) / hourMs)
  const last = Math.max(0, ...buckets.map(hourOf))
  const counts = Array.from({ length: hours }, () => ({ good: 0, bad: 0, again: 0 }))
  for (const bucket of buckets) {
    const count = counts[hours - 1 - (last - hourOf(bucket))]
    if (count === undefined) continue
    count.good += bucket.deliveries.succeeded
    count.bad += bucket.deliveries.deadLettered
    count.again += bucket.deliveries.retryScheduled
  }
  return counts.map((count, index) => ({
    at: new Date((last - hours + 1 + index) * hourMs).toISOString(),
    ...count,
  }))
}
