import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/observability/metrics.ts'
import { lintMetric, readExposition } from './exposition.ts'

const counts = async () => ({
  deliveries: {
    pending: 1,
    in_flight: 0,
    retry_scheduled: 0,
    succeeded: 0,
    dead_lettered: 0,
    cancelled: 0,
    skipped: 0,
  },
  oldestDueMs: 5,
})

async function text(): Promise<string> {
  const metrics = createMetrics({ counts, inFlight: () => 1, version: '1.2.3' })
  metrics.request({ method: 'POST', route: '/v1/events', status: 202, elapsedMs: 3 })
  metrics.request({ method: 'POST', route: '/v1/events', status: 400, elapsedMs: 3 })
  metrics.request({ method: 'GET', route: null, status: 404, elapsedMs: 40 })
  metrics.ingest('accepted')
  metrics.attempt({ status: 'success', errorClass: null, latencyMs: 20 })
  metrics.retentionRun({
    removed: { payloads: 3, attempts: 2, deliveries: 1, events: 0, jobs: 0 },
    elapsedMs: 20,
  })
  return metrics.render()
}

test('names, units, types, labels and help follow the rules of Prometheus, checked without promtool', async () => {
  const exposed = readExposition(await text())
  expect(exposed.length).toBeGreaterThan(30)
  expect(exposed.flatMap(lintMetric)).toEqual([])
})

test.each([
  ['outhook_events', 'counter', 'Events.', []],
  ['outhook_events_total', 'gauge', 'Events.', []],
  ['outhook_wait_ms', 'gauge', 'Wait.', []],
  ['outhook_wait', 'histogram', 'Wait.', []],
  ['outhook_Events_total', 'counter', 'Events.', []],
  ['outhook_gauge_of_events', 'gauge', 'Events.', []],
  ['outhook_events_total', 'counter', '', []],
  ['outhook_events_total', 'counter', 'Events.', ['tenant_id']],
  ['outhook_events_total', 'counter', 'Events.', ['endpoint']],
])('the check of names refuses %s, a %s with the help "%s" and the labels %j', (name, type, help, labels) => {
  expect(lintMetric({ name, type, help, labels })).toHaveLength(1)
})

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

test.skipIf(!hasPromtool)('promtool finds nothing to say of them (skipped without promtool)', async () => {
  const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], {
    input: await text(),
    encoding: 'utf8',
  })
  expect({ said: stdout + stderr, status }).toEqual({ said: '', status: 0 })
})

test('requests are counted by route and status, and the time of publishing those that were taken', async () => {
  const lines = (await text()).split('\n')
  expect(lines).toEqual(
    expect.arrayContaining([
      'outhook_http_requests_total{method="POST",route="/v1/events",status="202"} 1',
      'outhook_http_requests_total{method="POST",route="/v1/events",status="400"} 1',
      'outhook_http_requests_total{method="GET",route="-",status="404"} 1',
      'outhook_http_request_duration_seconds_count 3',
      'outhook_publish_duration_seconds_count 1',
      'outhook_publish_duration_seconds_bucket{le="0.0025"} 0',
      'outhook_publish_duration_seconds_bucket{le="0.005"} 1',
    ]),
  )
})

test('what retention removed and how long a look took, pauses, lost claims and repaired targets are counted', async () => {
  const metrics = createMetrics({ counts, inFlight: () => 0, dispatches: false, version: '1.2.3' })
  metrics.retentionRun({
    removed: { payloads: 3, attempts: 2, deliveries: 1, events: 0, jobs: 0 },
    elapsedMs: 20,
  })
  metrics.retentionRun({
    removed: { payloads: 4, attempts: 0, deliveries: 0, events: 0, jobs: 0 },
    elapsedMs: 2000,
  })
  metrics.endpointPaused({ reason: 'failing' })
  metrics.lostClaims({ count: 3 })
  metrics.targetsRepaired({ count: 2 })
  expect((await metrics.render()).split('\n')).toEqual(
    expect.arrayContaining([
      'outhook_retention_rows_removed_total{kind="payloads"} 7',
      'outhook_retention_rows_removed_total{kind="attempts"} 2',
      'outhook_retention_rows_removed_total{kind="events"} 0',
      'outhook_retention_run_duration_seconds_bucket{le="0.1"} 1',
      'outhook_retention_run_duration_seconds_count 2',
      'outhook_endpoint_pauses_total{reason="failing"} 1',
      'outhook_endpoint_pauses_total{reason="throttled"} 0',
      'outhook_lost_claims_total 3',
      'outhook_repaired_targets_total 2',
      'outhook_dispatchers 0',
      'outhook_build_info{version="1.2.3"} 1',
    ]),
  )
})
