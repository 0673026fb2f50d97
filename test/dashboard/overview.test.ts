import { describe, expect, test } from 'vitest'
import type { Stats, StatsBucket, StatsSeries, TroubledEndpoint } from '../../src/client/index.ts'
import { type EndpointCondition, troubleOf } from '../../src/core/stats/trouble.ts'
import {
  bytesText,
  msText,
  percentText,
  perSecondText,
  secondsText,
} from '../../src/dashboard/kit/figure-text.ts'
import { segmentsOf } from '../../src/dashboard/kit/spark-points.ts'
import {
  failureLines,
  hasFigures,
  latencyLines,
  rateLines,
  shownBuckets,
  successLines,
} from '../../src/dashboard/pages/overview/chart-data.ts'
import { concernsOf, verdictOf } from '../../src/dashboard/pages/overview/verdict.ts'
import { disabledWords, pausedByHand } from '../../src/dashboard/stopped-words.ts'

describe('the verdict', () => {
  const node = { id: 'a', host: 'vm', pid: 7, role: 'all', version: '1', startedAt: '', inFlight: 0 } as const
  const stats = (change: { [K in keyof Stats]?: object | readonly object[] } = {}): Stats =>
    ({
      readAt: '2026-03-02T10:00:00.000Z',
      recent: { attempts: [{ outcome: 'success', count: 100 }], successRate: 1 },
      backlog: { oldestDueSeconds: null },
      nodes: [{ ...node, seenAt: '2026-03-02T09:59:57.000Z' }],
      ...change,
    }) as unknown as Stats
  const inTrouble = (reason: string) => ({ reason }) as TroubledEndpoint

  test.each<[string, Stats, readonly TroubledEndpoint[], readonly string[]]>([
    ['nothing is wrong', stats(), [], []],
    ['somebody has paused an endpoint', stats(), [inTrouble('paused by hand')], []],
    [
      'as many endpoints are in trouble as are read',
      stats(),
      Array.from({ length: 10 }, () => inTrouble('failing')),
      ['10 or more endpoints are in trouble.'],
    ],
    [
      'as many are read, and one of them was paused by hand',
      stats(),
      [...Array.from({ length: 9 }, () => inTrouble('failing')), inTrouble('paused by hand')],
      ['9 endpoints are in trouble.'],
    ],
    ['endpoints fail', stats(), [inTrouble('failing'), inTrouble('slow')], ['2 endpoints are in trouble.']],
    [
      'deliveries are late',
      stats({ backlog: { oldestDueSeconds: 300 } }),
      [],
      ['Deliveries are late: the oldest has been due for 5 min.'],
    ],
    [
      'much fails',
      stats({ recent: { attempts: [{ outcome: 'http_5xx', count: 20 }], successRate: 0.5 } }),
      [],
      ['Of the last attempts only 50 % succeeded.'],
    ],
    ['little was tried', stats({ recent: { attempts: [{ count: 3 }], successRate: 0 } }), [], []],
    [
      'no node delivers',
      stats({ nodes: [{ ...node, role: 'api', seenAt: '2026-03-02T10:00:00Z' }] }),
      [],
      ['Nothing is delivered: no node has a role that delivers.'],
    ],
    [
      'a node is silent',
      stats({ nodes: [{ ...node, seenAt: '2026-03-02T09:59:30Z' }] }),
      [],
      ['The node vm:7 has been silent for 30 s.'],
    ],
    ['it is of a tenant, to whom nodes are not told', stats({ nodes: [] }), [], []],
  ])('when %s', (_name, given, trouble, wanted) => {
    expect(concernsOf(given, trouble).map(({ text }) => text)).toEqual(wanted)
  })

  test('is not given before figures and troubles are read, and not known where either could not be', () => {
    const read = <T>(value: T) => ({ value, problem: null })
    const nothing = { value: null, problem: null }
    const trouble = { readAt: '', items: [] }
    const refused = 'needs another role'
    expect(verdictOf(read(stats()), nothing)).toEqual({ is: 'loading' })
    expect(verdictOf(nothing, read(trouble))).toEqual({ is: 'loading' })
    expect(verdictOf(read(stats()), { value: null, problem: refused })).toEqual({
      is: 'unknown',
      why: refused,
    })
    expect(verdictOf({ value: stats(), problem: refused }, read(trouble))).toEqual({
      is: 'unknown',
      why: refused,
    })
    expect(verdictOf(read(stats()), read(trouble))).toEqual({ is: 'known', concerns: [] })
  })
})

test('the dashboard calls what stops an endpoint as the server does', () => {
  const reasonOf = (disabledReason: EndpointCondition['disabledReason']) =>
    troubleOf({ disabledReason, disabledAt: 0 } as EndpointCondition, 0)?.reason
  expect([reasonOf('operator'), reasonOf('gone'), reasonOf('failing'), reasonOf('paused')]).toEqual([
    disabledWords.operator,
    disabledWords.gone,
    disabledWords.failing,
    pausedByHand,
  ])
})

describe('a chart', () => {
  const bucket = (minute: number, change: object = {}): StatsBucket =>
    ({
      at: new Date(minute * 60_000).toISOString(),
      events: 0,
      deliveries: { succeeded: 0, retryScheduled: 0, deadLettered: 0, cancelled: 0, skipped: 0 },
      attempts: [],
      successRate: null,
      publishToDeliveredMs: { p50: null, p99: null },
      ...change,
    }) as unknown as StatsBucket
  const series = (buckets: readonly StatsBucket[], readAfterSeconds: number): StatsSeries =>
    ({
      buckets,
      bucketSeconds: 60,
      readAt: new Date(Date.parse(buckets.at(-1)?.at ?? '') + readAfterSeconds * 1000).toISOString(),
    }) as unknown as StatsSeries

  test('has rates per second, of the bucket of now by how much of it is over', () => {
    const buckets = [bucket(1, { events: 120 }), bucket(2, { events: 120 })]
    expect(rateLines(shownBuckets(series(buckets, 30)))[0]).toEqual({ name: 'events', values: [2, 4] })
    expect(shownBuckets(series(buckets, 5))).toHaveLength(1)
  })

  test('shows the most frequent failures, and the others as one line', () => {
    const attempts = ['success', 'timeout', 'dns', 'tls', 'http_5xx', 'connection'].map((outcome, index) => ({
      outcome,
      count: outcome === 'success' ? 600 : 60 * (index + 1),
    }))
    const shown = shownBuckets(series([bucket(1, { attempts })], 60))
    expect(failureLines(shown).map(({ name, values: [value] }) => [name, value])).toEqual([
      ['no connection', 6],
      ['server error (5xx)', 5],
      ['TLS', 4],
      ['others', 5],
    ])
    expect(failureLines(shownBuckets(series([bucket(1)], 60)))).toEqual([])
  })

  test('shows a success rate of 0 %, and of rates that are zero throughout that nothing happened', () => {
    const attempts = [{ outcome: 'timeout', count: 3 }]
    const failed = shownBuckets(series([bucket(1, { attempts, successRate: 0 })], 60))
    expect(hasFigures(successLines(failed), false)).toBe(true)
    expect(hasFigures(failureLines(failed), true)).toBe(true)
    expect(hasFigures(rateLines(failed), true)).toBe(false)
    const quiet = shownBuckets(series([bucket(1)], 60))
    expect([successLines, latencyLines].map((linesOf) => hasFigures(linesOf(quiet), false))).toEqual([
      false,
      false,
    ])
  })

  test('has a gap where nothing was measured', () => {
    const buckets = [bucket(1), bucket(2, { publishToDeliveredMs: { p50: 3, p99: 9 } })]
    const [half, most] = latencyLines(shownBuckets(series(buckets, 60)))
    expect([half?.values, most?.values]).toEqual([
      [null, 3],
      [null, 9],
    ])
  })
})

test('a small line has its points between the edges, and a gap where there is nothing', () => {
  const size = { width: 104, height: 24 }
  expect(segmentsOf([0, 1, null, 0.5], { ...size, max: 1 })).toEqual([
    [
      { x: 2, y: 22 },
      { x: 35.3, y: 2 },
    ],
    [{ x: 102, y: 12 }],
  ])
  expect(segmentsOf([null, null], size)).toEqual([])
})

test('figures are as short as they can be without saying what is not so', () => {
  expect([0, 0.001, 0.125, 12.4, 123_456].map(perSecondText)).toEqual(['0', '< 0.01', '0.13', '12', '123.5K'])
  expect([null, 1, 0.99999, 0.5, 0].map(percentText)).toEqual(['–', '100 %', '99.9 %', '50 %', '0 %'])
  expect([null, 1.25, 300, 2500].map(msText)).toEqual(['–', '1.3 ms', '300 ms', '2.5 s'])
  expect([90, 600, 9000, 200_000].map(secondsText)).toEqual(['90 s', '10 min', '3 h', '2 d'])
  expect([12, 1500, 25_000_000].map(bytesText)).toEqual(['12 B', '1.5 kB', '25 MB'])
})
