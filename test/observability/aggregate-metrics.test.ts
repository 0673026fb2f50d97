import { expect, test } from 'vitest'
import { keepCounters, renderSnapshots } from '../../src/observability/aggregate-metrics.ts'
import { createMetrics, type Metrics } from '../../src/observability/metrics.ts'

const deliveries = {
  pending: 7,
  in_flight: 0,
  retry_scheduled: 0,
  succeeded: 0,
  dead_lettered: 0,
  cancelled: 0,
  skipped: 0,
}

function aProcess(inFlight: number): Metrics {
  return createMetrics({ counts: async () => ({ deliveries, oldestDueMs: 5000 }), inFlight: () => inFlight })
}

const attempt = (latencyMs: number) => ({ status: 'success', errorClass: null, latencyMs }) as const

/** The lines without comments and what Node itself counts. */
async function linesOf(text: Promise<string>): Promise<readonly string[]> {
  return (await text).split('\n').filter((line) => line.startsWith('outhook_'))
}

test('what processes counted is added up, and what all read from the store is told once', async () => {
  const [one, two] = [aProcess(2), aProcess(3)]
  one.ingest('accepted')
  two.ingest('accepted')
  two.ingest('rejected')
  one.attempt(attempt(20))
  two.attempt(attempt(200))
  const lines = await linesOf(renderSnapshots([await one.snapshot(), await two.snapshot()]))
  expect(lines).toEqual(
    expect.arrayContaining([
      'outhook_ingest_events_total{result="accepted"} 2',
      'outhook_ingest_events_total{result="rejected"} 1',
      'outhook_delivery_attempts_total{outcome="success",error_class="-"} 2',
      'outhook_attempt_duration_seconds_bucket{le="0.025"} 1',
      'outhook_attempt_duration_seconds_bucket{le="0.25"} 2',
      'outhook_attempt_duration_seconds_count 2',
      'outhook_in_flight 5',
      'outhook_processes 2',
      'outhook_deliveries{state="pending"} 7',
      'outhook_oldest_due_seconds 5',
    ]),
  )
})

test('of a process that is gone, what it counted goes on counting, and nothing else', async () => {
  const [gone, left] = [aProcess(2), aProcess(3)]
  for (const one of [gone, left]) {
    one.ingest('accepted')
    one.attempt(attempt(20))
  }
  const kept = await keepCounters([await keepCounters([await gone.snapshot()]), []])
  const lines = await linesOf(renderSnapshots([await left.snapshot(), kept]))
  expect(lines).toEqual(
    expect.arrayContaining([
      'outhook_ingest_events_total{result="accepted"} 2',
      'outhook_attempt_duration_seconds_count 2',
      'outhook_in_flight 3',
      'outhook_processes 1',
      'outhook_deliveries{state="pending"} 7',
    ]),
  )
})
