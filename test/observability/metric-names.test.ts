import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/observability/metrics.ts'

const counts = async () => ({
  deliveries: { pending: 1, in_flight: 0, retry_scheduled: 0, succeeded: 0, dead_lettered: 0, cancelled: 0 },
  oldestDueMs: 5,
})

async function text(): Promise<string> {
  const metrics = createMetrics({ counts, inFlight: () => 1 })
  metrics.request({ method: 'POST', route: '/v1/events', status: 202, elapsedMs: 3 })
  metrics.request({ method: 'POST', route: '/v1/events', status: 400, elapsedMs: 3 })
  metrics.request({ method: 'GET', route: null, status: 404, elapsedMs: 40 })
  metrics.ingest('accepted')
  metrics.attempt({ status: 'success', errorClass: null, latencyMs: 20 })
  return metrics.render()
}

test('the names of counters end with _total, and no others do', async () => {
  const types = [...(await text()).matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  expect(types.length).toBeGreaterThan(20)
  const wrong = types.filter(([, name = '', type]) => (type === 'counter') !== name.endsWith('_total'))
  expect(wrong.map(([line]) => line)).toEqual([])
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
