import { describe, expect, test } from 'vitest'
import { spreadRetries, spreadSample } from '../../src/core/stats/backlog.ts'
import { bucketBoundsMs, bucketOf, percentileOf } from '../../src/core/stats/buckets.ts'
import { classOf, outcomeCell, packCell, unpackCell } from '../../src/core/stats/cells.ts'
import { everything, foldCells } from '../../src/core/stats/fold.ts'
import { addCell, figuresOf, packTally, type Tally, unpackTally } from '../../src/core/stats/tally.ts'

describe('buckets', () => {
  test.each([
    [-5, 0],
    [0, 0],
    [1, 0],
    [1.01, 1],
    [172_800_000, bucketBoundsMs.length - 1],
    [172_800_001, bucketBoundsMs.length],
  ])('%d ms are in bucket %d', (ms, bucket) => expect(bucketOf(ms)).toBe(bucket))

  test('a percentile lies in the bucket of the value that it stands for, whatever the values', () => {
    const values = Array.from({ length: 500 }, (_, index) => ((index * 7919) % 500) ** 2 / 7)
    const histogram = new Map<number, number>()
    for (const value of values) histogram.set(bucketOf(value), (histogram.get(bucketOf(value)) ?? 0) + 1)
    const sorted = [...values].sort((a, b) => a - b)
    for (const fraction of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
      const exact = sorted[Math.ceil(fraction * sorted.length) - 1] ?? 0
      expect(bucketOf(percentileOf(histogram, fraction) ?? -1)).toBe(bucketOf(exact))
    }
  })

  test('of nothing there is no percentile, and the last bucket says where it begins', () => {
    expect(percentileOf(new Map(), 0.5)).toBeNull()
    expect(percentileOf(new Map([[bucketBoundsMs.length, 3]]), 0.5)).toBe(172_800_000)
  })
})

test('a cell is read back as it was packed', () => {
  for (const parts of [
    { state: 0, outcome: 15, latency: 63, delivered: 63 },
    { state: 5, outcome: 11, latency: 38, delivered: 0 },
  ])
    expect(unpackCell(packCell(parts))).toEqual(parts)
})

test.each([
  ['success', null, 204, 'success'],
  ['retryable_failure', 'http_429', 429, 'http_429'],
  ['permanent_failure', 'http_410', 410, 'http_4xx'],
  ['retryable_failure', 'http_503', 503, 'http_5xx'],
  ['permanent_failure', 'redirect_rejected', 302, 'http_3xx'],
  ['retryable_failure', 'http_102', 102, 'http_other'],
  ['retryable_failure', 'timeout', null, 'timeout'],
  // A proxy answered in the place of the receiver.
  ['retryable_failure', 'connection', 502, 'connection'],
  ['permanent_failure', 'policy', null, 'policy'],
  ['permanent_failure', null, null, 'internal'],
] as const)(
  'an attempt that ended as %s, %s, %s is counted as %s',
  (status, errorClass, httpStatus, name) => {
    expect(classOf({ status, errorClass, httpStatus })).toBe(name)
  },
)

test('a tally is read back as it was packed, and its figures add up', () => {
  const attempt = {
    status: 'success',
    httpStatus: 200,
    errorClass: null,
    latencyMs: 12,
    startedAt: 1040,
  } as const
  const failed = { ...attempt, status: 'permanent_failure', httpStatus: 404, errorClass: 'http_404' } as const
  const tally: Tally = new Map()
  addCell(tally, outcomeCell({ attempt, next: { state: 'succeeded' } }, 1000), 200_000_000)
  addCell(
    tally,
    outcomeCell({ attempt: failed, next: { state: 'dead_lettered', finalError: 'http_404' } }, 1000),
    127,
  )
  addCell(
    tally,
    outcomeCell({ attempt: null, next: { state: 'dead_lettered', finalError: 'internal' } }, null),
    128,
  )
  const read = unpackTally(packTally(tally))
  expect(read).toEqual(tally)
  const { deliveries, attempts, deadLetters, latency, publishToDelivered } = figuresOf(read)
  expect(deliveries).toMatchObject({ succeeded: 200_000_000, dead_lettered: 255 })
  expect(attempts).toMatchObject({ success: 200_000_000, http_4xx: 127, internal: 0 })
  expect(deadLetters).toMatchObject({ http_4xx: 127, internal: 128 })
  expect(latency.get(bucketOf(12))).toBe(200_000_127)
  expect(publishToDelivered).toEqual(new Map([[bucketOf(52), 200_000_000]]))
})

test('a fold adds to the endpoint, its tenant and the server, by the minute and by the hour', () => {
  const cell = outcomeCell({ attempt: null, next: { state: 'succeeded' } }, null)
  const of = (endpoint: string, minute: number) => ({ tenant: 'a', endpoint, minute, cell, times: 1 })
  const rows = foldCells([of('e', 119), of('e', 120), of(everything, 120)])
  const counted = rows.map(({ tenant, endpoint, span, start, tally }) => {
    const name = [tenant, endpoint].map((id) => (id === everything ? '*' : id)).join('')
    return `${name} ${span} ${start}: ${figuresOf(tally).deliveries.succeeded}`
  })
  expect(counted.sort()).toEqual(
    [
      ...['ae 1 119: 1', 'ae 1 120: 1', 'ae 60 60: 1', 'ae 60 120: 1'],
      ...['a* 1 119: 1', 'a* 1 120: 2', 'a* 60 60: 1', 'a* 60 120: 2'],
      ...['** 1 119: 1', '** 1 120: 2', '** 60 60: 1', '** 60 120: 2'],
    ].sort(),
  )
})

test('a fold adds up what many ticks left, in whatever order their owners follow one another', () => {
  const [delivered, published] = [
    outcomeCell({ attempt: null, next: { state: 'succeeded' } }, null),
    packCell({ state: 0, outcome: 15, latency: 63, delivered: 63 }),
  ]
  const tick = ['e', 'f', 'e'].map((endpoint) => ({ tenant: 'a', endpoint, cell: delivered }))
  const others = [
    { tenant: 'a', endpoint: everything, cell: published },
    { tenant: 'b', endpoint: 'e', cell: delivered },
  ]
  const cells = [...tick, ...others, ...tick].map((each) => ({ ...each, minute: 60, times: 2 }))
  const minutes = foldCells(cells).filter(({ span }) => span === 1)
  const counted = minutes.map(({ tenant, endpoint, tally }) => {
    const { events, deliveries } = figuresOf(tally)
    const name = [tenant, endpoint].map((id) => (id === everything ? '*' : id)).join('')
    return `${name}: ${events} ${deliveries.succeeded}`
  })
  expect(counted.sort()).toEqual(['ae: 0 8', 'af: 0 4', 'a*: 2 12', 'be: 0 2', 'b*: 0 2', '**: 2 14'].sort())
})

test('retries are spread over when they are due', () => {
  const found = [
    { dueInMs: -5, count: 1 },
    { dueInMs: 60_000, count: 2 },
    { dueInMs: 86_400_001, count: 1 },
    { dueInMs: null, count: 7 },
  ]
  expect(spreadRetries(found)).toEqual([1, 2, 0, 0, 0, 0, 1])
  expect(spreadRetries([])).toEqual([0, 0, 0, 0, 0, 0, 0])
})

test('what a part of the retries says is said of all, of which those that are parked are due at no time', () => {
  const found = [
    { dueInMs: -5, count: 1 },
    { dueInMs: 60_000, count: 2 },
    { dueInMs: null, count: 1 },
  ]
  expect(spreadSample(found, 4)).toEqual({ retries: [1, 2, 0, 0, 0, 0, 0], isEstimate: false })
  expect(spreadSample(found, 400)).toEqual({ retries: [100, 200, 0, 0, 0, 0, 0], isEstimate: true })
  expect(spreadSample([], 400)).toEqual({ retries: [0, 0, 0, 0, 0, 0, 0], isEstimate: true })
})
