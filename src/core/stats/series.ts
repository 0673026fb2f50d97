/** What charts are made of: the minutes or hours of a span, in so many buckets as a chart has points. */
import { type Histogram, percentileOf } from './buckets.ts'
import type { Span } from './fold.ts'
import { spans } from './fold.ts'
import { addTally, figuresOf, type Tally, unpackTally } from './tally.ts'

/** Lengths are minutes. A day is read by the minute because hours would be too few points. */
export const chartSpans = {
  '1h': { length: 60, bucket: 1, rows: spans.minute },
  '24h': { length: 1440, bucket: 10, rows: spans.minute },
  '7d': { length: 7 * 1440, bucket: 120, rows: spans.hour },
  '30d': { length: 30 * 1440, bucket: 360, rows: spans.hour },
} as const satisfies Readonly<
  Record<string, { readonly length: number; readonly bucket: number; readonly rows: Span }>
>
export type ChartSpan = keyof typeof chartSpans
export const chartSpanNames = Object.keys(chartSpans) as readonly ChartSpan[]

/** Minutes since the epoch: the first bucket begins at `from`, and the one of now, which is not over, ends at `to`. */
export interface BucketRange {
  readonly from: number
  readonly to: number
  readonly bucket: number
}

/** Buckets begin at whole multiples of their length, so that a chart which is read again moves by whole points. */
export function rangeOf(minute: number, { length, bucket }: { length: number; bucket: number }): BucketRange {
  const to = minute - (minute % bucket) + bucket
  return { from: to - length, to, bucket }
}

export interface TallyRow {
  readonly start: number
  readonly tally: Uint8Array
}

/** A tally for each bucket of the range, empty where nothing was counted. */
export function inBuckets(rows: readonly TallyRow[], { from, to, bucket }: BucketRange): readonly Tally[] {
  const tallies = Array.from({ length: Math.ceil((to - from) / bucket) }, (): Tally => new Map())
  for (const { start, tally } of rows) {
    const into = tallies[Math.floor((start - from) / bucket)]
    if (into !== undefined) addTally(into, unpackTally(tally))
  }
  return tallies
}

export function sumOf(tallies: readonly ReadonlyMap<number, number>[]): Tally {
  const sum: Tally = new Map()
  for (const tally of tallies) addTally(sum, tally)
  return sum
}

/** In milliseconds; null: nothing was measured. */
export interface Percentiles {
  readonly p50: number | null
  readonly p99: number | null
}

export interface Summary extends Omit<ReturnType<typeof figuresOf>, 'latency' | 'publishToDelivered'> {
  readonly attemptCount: number
  /** Of attempts, from 0 to 1; null: there were none. */
  readonly successRate: number | null
  /** Of one attempt. */
  readonly latency: Percentiles
  readonly publishToDelivered: Percentiles
}

export function summarize(tally: ReadonlyMap<number, number>): Summary {
  const { latency, publishToDelivered, ...figures } = figuresOf(tally)
  const attemptCount = Object.values(figures.attempts).reduce((sum, count) => sum + count, 0)
  return {
    ...figures,
    attemptCount,
    successRate: attemptCount === 0 ? null : figures.attempts.success / attemptCount,
    latency: percentilesOf(latency),
    publishToDelivered: percentilesOf(publishToDelivered),
  }
}

function percentilesOf(histogram: Histogram): Percentiles {
  return { p50: percentileOf(histogram, 0.5), p99: percentileOf(histogram, 0.99) }
}
