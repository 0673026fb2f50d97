import { expect, test } from 'vitest'
import { renderItem } from '../../src/cli/tail.ts'
import type { StreamedItem } from '../../src/client/index.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { startCli } from './run-cli.ts'

const of = { at: '2026-01-02T03:04:05.678Z', tenantId: 'ten_a', topic: 'orders.created' }
const delivery = { ...of, eventId: 'evt_1', deliveryId: 'dlv_1', endpointId: null, subscriptionId: null }

test.each<[StreamedItem, string]>([
  [
    {
      ...of,
      kind: 'event',
      eventId: 'evt_1',
      orderingKey: null,
      payloadBytes: 1,
      deliveries: 2,
      state: 'accepted',
    },
    '03:04:05  · event     orders.created  2 deliveries  evt_1',
  ],
  [
    {
      ...delivery,
      kind: 'attempt',
      url: 'http://a',
      attemptNo: 2,
      status: 'retryable_failure',
      httpStatus: 503,
      errorClass: 'http_503',
      error: null,
      latencyMs: 7,
    },
    '03:04:05  ↻ attempt   orders.created  http_503  7 ms  attempt 2  dlv_1',
  ],
  [
    {
      ...delivery,
      kind: 'delivery',
      state: 'dead_lettered',
      attemptCount: 3,
      errorClass: 'timeout',
      nextAttemptAt: null,
    },
    '03:04:05  ✗ delivery  orders.created  dead_lettered  timeout  dlv_1',
  ],
  [
    {
      kind: 'endpoint',
      at: of.at,
      tenantId: 'ten_a',
      endpointId: 'ep_1',
      change: 'disabled',
      reason: 'gone',
    },
    '03:04:05  ✗ endpoint  disabled  gone  ep_1',
  ],
  [
    {
      kind: 'job',
      at: of.at,
      tenantId: 'ten_a',
      jobId: 'job_1',
      jobKind: 'replay',
      state: 'running',
      total: 9,
      done: 3,
      skipped: 0,
      failed: 0,
    },
    '03:04:05  · job       replay  running  3 of 9  job_1',
  ],
  [
    { kind: 'missed', at: of.at, reason: 'too_many', count: 12 },
    '03:04:05  ! missed    12 more, which is more than is shown; name what you want to see',
  ],
])('a line of %o', (item, line) => {
  expect(renderItem(item, false)).toBe(line)
})

test('tail prints what happens until it is asked to end, as lines of JSON for programs', async () => {
  const server = await aServer()
  const env = { OUTHOOK_URL: server.url, OUTHOOK_TOKEN: adminToken }
  const run = startCli(['tail', '--kind', 'event', '--topic', 'orders.*', '--json'], { env })
  await run.waitForOutput('started')
  const { json } = await server.call('POST', '/v1/events', { body: { topic: 'orders.created', payload: 1 } })
  await run.waitForOutput(json.id)
  run.signal()
  expect(await run.exitCode).toBe(0)
  const lines = run
    .out()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toMatchObject([{ kind: 'started' }, { kind: 'event', event_id: json.id, payload_bytes: 1 }])
})

test('tail ends with what keeps it from reading', async () => {
  const server = await aServer()
  const run = startCli(['tail', '--url', server.url, '--token', 'hkadm_wrong'])
  expect(await run.exitCode).not.toBe(0)
  expect(run.err()).toContain('unknown or revoked token')
})
