/** What the charts show of a series. Pure. */
import type { StatsBucket, StatsSeries } from '../../../client/index.ts'
import { outcomeText } from '../../kit/figure-text.ts'

export interface ChartLine {
  readonly name: string
  readonly values: readonly (number | null)[]
}

/** Whether lines have anything to show. Of a rate zeros are nothing; of a share or a time they are figures as others. */
export function hasFigures(lines: readonly ChartLine[], isZeroNothing: boolean): boolean {
  return lines.some(({ values }) => values.some((value) => value !== null && !(isZeroNothing && value === 0)))
}

/** A bucket that has hardly begun says nothing per second yet. */
const leastSeconds = 10

/** Of the series what is over, and of the bucket of now so much as there is. */
export function shownBuckets({ buckets, bucketSeconds, readAt }: StatsSeries) {
  const lengthOf = ({ at }: StatsBucket) =>
    Math.min(bucketSeconds, (Date.parse(readAt) - Date.parse(at)) / 1000)
  return buckets
    .map((bucket) => ({ bucket, seconds: lengthOf(bucket) }))
    .filter(({ seconds }) => seconds >= Math.min(leastSeconds, bucketSeconds))
}

export type Shown = ReturnType<typeof shownBuckets>

export function timesOf(shown: Shown): readonly number[] {
  return shown.map(({ bucket }) => Date.parse(bucket.at) / 1000)
}

export function rateLines(shown: Shown): readonly ChartLine[] {
  const perSecond = (name: string, of: (bucket: StatsBucket) => number): ChartLine => ({
    name,
    values: shown.map(({ bucket, seconds }) => of(bucket) / seconds),
  })
  return [
    perSecond('events', ({ events }) => events),
    perSecond('delivered', ({ deliveries }) => deliveries.succeeded),
    perSecond('to be tried again', ({ deliveries }) => deliveries.retryScheduled),
    perSecond('given up', ({ deliveries }) => deliveries.deadLettered),
  ]
}

export function successLines(shown: Shown): readonly ChartLine[] {
  const values = shown.map(({ bucket: { successRate } }) => (successRate === null ? null : successRate * 100))
  return [{ name: 'of attempts', values }]
}

/** Lines that a chart can tell apart: the most frequent, and the others together. */
const maxFailures = 4

export function failureLines(shown: Shown): readonly ChartLine[] {
  const totals = new Map<string, number>()
  for (const { bucket } of shown) {
    for (const { outcome, count } of bucket.attempts) {
      if (outcome !== 'success') totals.set(outcome, (totals.get(outcome) ?? 0) + count)
    }
  }
  const names = [...totals].sort(([, a], [, b]) => b - a).map(([outcome]) => outcome)
  const own = names.length > maxFailures ? names.slice(0, maxFailures - 1) : names
  const countOf = (bucket: StatsBucket, isOf: (outcome: string) => boolean) =>
    bucket.attempts.reduce((sum, { outcome, count }) => sum + (isOf(outcome) ? count : 0), 0)
  const line = (name: string, isOf: (outcome: string) => boolean): ChartLine => ({
    name,
    values: shown.map(({ bucket, seconds }) => countOf(bucket, isOf) / seconds),
  })
  const lines = own.map((outcome) => line(outcomeText(outcome), (one) => one === outcome))
  if (own.length === names.length) return lines
  return [...lines, line('others', (outcome) => outcome !== 'success' && !own.includes(outcome))]
}

export function latencyLines(shown: Shown): readonly ChartLine[] {
  return [
    { name: 'half within', values: shown.map(({ bucket }) => bucket.publishToDeliveredMs.p50) },
    { name: '99 % within', values: shown.map(({ bucket }) => bucket.publishToDeliveredMs.p99) },
  ]
}
