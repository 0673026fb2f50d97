/** Deliveries of a day by the hour in which they were made. Pure. */
export interface Hour {
  /** Its beginning. */
  readonly at: string
  readonly good: number
  readonly bad: number
  readonly open: number
}

interface Made {
  readonly createdAt: string
  readonly state: string
}

const hourMs = 3_600_000
const hours = 24

export function hoursOf(deliveries: readonly Made[], nowMs: number): readonly Hour[] {
  const last = Math.floor(nowMs / hourMs)
  const counts = Array.from({ length: hours }, () => ({ good: 0, bad: 0, open: 0 }))
  for (const { createdAt, state } of deliveries) {
    const count = counts[hours - 1 - (last - Math.floor(Date.parse(createdAt) / hourMs))]
    if (count === undefined) continue
    if (state === 'succeeded') count.good++
    else if (state === 'dead_lettered') count.bad++
    else if (state !== 'cancelled' && state !== 'skipped') count.open++
  }
  return counts.map((count, index) => ({
    at: new Date((last - hours + 1 + index) * hourMs).toISOString(),
    ...count,
  }))
}
