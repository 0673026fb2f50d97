import { describe, expect, test } from 'vitest'
import {
  chartSpanNames,
  chartSpans,
  inBuckets,
  rangeOf,
  type Summary,
  summarize,
} from '../../src/core/stats/series.ts'
import { packTally, type Tally } from '../../src/core/stats/tally.ts'
import { byWeight, type EndpointCondition, type Trouble, troubleOf } from '../../src/core/stats/trouble.ts'

const now = 1_000_000_000
const minutesAgo = (minutes: number) => now - minutes * 60_000

const healthy: EndpointCondition = {
  maxInFlight: 10,
  rateLimitRps: null,
  disabledReason: null,
  disabledAt: null,
  consecutiveFailures: 0,
  failingSince: null,
  pausedUntil: null,
  lateSince: null,
  recent: null,
  recentSeconds: 300,
}

/** So many attempts, of which so many failed, half of them no longer than this. */
function recent(attemptCount: number, { failed = 0, p50 = 20 } = {}): Summary {
  const none = summarize(new Map())
  return {
    ...none,
    attemptCount,
    attempts: { ...none.attempts, success: attemptCount - failed, http_5xx: failed },
    successRate: (attemptCount - failed) / attemptCount,
    latency: { p50, p99: p50 },
  }
}

describe('an endpoint', () => {
  test.each<[string, Partial<EndpointCondition>, string | null, string]>([
    ['that takes what it gets is in no trouble', { recent: recent(500, { failed: 20 }) }, null, ''],
    ['of which little is known is in no trouble', { recent: recent(9, { failed: 9, p50: 9000 }) }, null, ''],
    [
      'that was disabled for failing says so',
      { disabledReason: 'failing', disabledAt: minutesAgo(1), failingSince: minutesAgo(900) },
      'disabled',
      'disabled: nothing succeeded for too long',
    ],
    [
      'that answered 410 says so',
      { disabledReason: 'gone' },
      'disabled',
      'disabled: the receiver answered 410 Gone',
    ],
    ['that was disabled by hand says so', { disabledReason: 'operator' }, 'disabled', 'disabled by hand'],
    ['that was paused by hand says so', { disabledReason: 'paused' }, 'paused', 'paused by hand'],
    [
      'that is paused says for how long',
      { consecutiveFailures: 5, failingSince: minutesAgo(3), pausedUntil: now + 30_000 },
      'paused',
      'paused after 5 failures in a row; tried again in 30s',
    ],
    [
      'that asked for fewer requests says until when',
      { failingSince: minutesAgo(3), pausedUntil: now + 120_000 },
      'throttled',
      'the receiver asked for fewer requests, and gets none for 2m',
    ],
    [
      'that has only failed says since when',
      { consecutiveFailures: 3, failingSince: minutesAgo(3) },
      'failing',
      'failing: nothing has succeeded for 3m, the last 3 without an answer',
    ],
    [
      'of which much fails says how much',
      { recent: recent(100, { failed: 25 }) },
      'failing',
      'failing: 25 % of the last requests',
    ],
    [
      'whose deliveries are late at its rate is limited by that',
      { lateSince: minutesAgo(2), rateLimitRps: 2, recent: recent(590) },
      'limited',
      'at its limit of 2 requests per second: deliveries have waited for 2m',
    ],
    [
      'whose deliveries are late with all its requests in flight is limited by that',
      { lateSince: minutesAgo(2), recent: recent(1500, { p50: 1900 }) },
      'limited',
      'at its limit of 10 requests in flight: deliveries have waited for 2m',
    ],
    [
      'whose deliveries are late for no reason that is known is late',
      { lateSince: minutesAgo(2), rateLimitRps: 50, recent: recent(30) },
      'late',
      'deliveries have waited for 2m',
    ],
    [
      'that answers late is slow',
      { recent: recent(100, { p50: 2500 }) },
      'slow',
      'slow: half of its requests take 3s or longer',
    ],
  ])('%s', (_name, condition, kind, reason) => {
    const found = troubleOf({ ...healthy, ...condition }, now)
    expect([found?.kind ?? null, found?.reason ?? '']).toEqual([kind, reason])
  })

  test('that was disabled or fails wholly is worse than one that fails a little, that is limited, slow, or as somebody wanted', () => {
    const of = (condition: Partial<EndpointCondition>) =>
      troubleOf({ ...healthy, ...condition }, now) as Trouble
    const wanted = [
      of({ disabledReason: 'failing' }),
      of({ consecutiveFailures: 5, pausedUntil: now + 1 }),
      of({ failingSince: minutesAgo(9) }),
      of({ failingSince: minutesAgo(3) }),
      of({ recent: recent(100, { failed: 90 }) }),
      of({ recent: recent(100, { failed: 20 }) }),
      of({ lateSince: minutesAgo(2), rateLimitRps: 2, recent: recent(600) }),
      of({ recent: recent(100, { p50: 2500 }) }),
      of({ disabledReason: 'paused' }),
      of({ disabledReason: 'operator' }),
    ]
    expect(wanted.toReversed().toSorted(byWeight)).toEqual(wanted)
  })
})

describe('a chart', () => {
  test.each(chartSpanNames)('of %s ends with the bucket of now and has no more than 150', (span) => {
    const { length, bucket, rows } = chartSpans[span]
    for (const minute of [28_000_000, 28_000_001, 28_000_359, 28_000_360]) {
      const range = rangeOf(minute, { length, bucket })
      expect(range.from % bucket).toBe(0)
      expect(range.to - range.from).toBe(length)
      expect(minute >= range.to - bucket && minute < range.to).toBe(true)
    }
    expect(length / bucket).toBeLessThanOrEqual(150)
    expect(bucket % rows).toBe(0)
  })

  test('has in each bucket what belongs there, and leaves out what does not', () => {
    const tally = (events: number) => packTally(new Map([[15, events]]) as Tally)
    const rows = [99, 100, 104, 105, 119, 120].map((start) => ({ start, tally: tally(start) }))
    const buckets = inBuckets(rows, { from: 100, to: 120, bucket: 5 })
    expect(buckets.map((bucket) => summarize(bucket).events)).toEqual([204, 105, 0, 119])
  })
})
