/** Rows of docs/compatibility.md on what a server says of itself. */
import { expect, test } from 'vitest'
import { metricTable } from '../../../src/observability/metric-table.ts'
import { aReceiver } from '../../delivery/an-app.ts'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { loopback } from './sending-scene.ts'

export function describeObserving(newStore: () => OpenServer): void {
  test('S1.46 metrics count what was published, attempted and given up', async () => {
    const receiver = await aReceiver()
    const server = await newStore()({
      dispatch: true,
      config: loopback,
    })
    const { key } = await server.producer()
    for (const [path, topic] of [
      ['/succeed', 'good'],
      ['/status/422', 'bad'],
    ] as const) {
      await server.call('POST', '/v1/endpoints', { body: { url: `${receiver.url}${path}`, topics: [topic] } })
    }
    const headers = { 'idempotency-key': 'k' }
    const publish = (body: unknown) => server.call('POST', '/v1/events', { token: key, body, headers })
    const events = [await publish({ topic: 'good', payload: 1 })]
    await publish({ topic: 'good', payload: 1 })
    await publish({ topic: 'good', payload: 2 })
    await server.call('POST', '/v1/events', { token: key, body: '{' })
    await server.call('POST', '/v1/events', { token: 'hk_x', body: '{' })
    await server.call('POST', '/v1/events', { token: key, body: ' '.repeat(300_000) })
    events.push(await server.call('POST', '/v1/events', { token: key, body: { topic: 'bad', payload: 1 } }))
    for (const { json } of events) await server.engine.events.wait('ten_00000000000000000000000000', json.id)

    const { status, text, headers: answered } = await server.call('GET', '/metrics', { token: null })
    expect(status).toBe(200)
    expect(answered.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
    const lines = text.split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        'outhook_ingest_events_total{result="accepted"} 2',
        'outhook_ingest_events_total{result="replayed"} 1',
        'outhook_ingest_events_total{result="conflict"} 1',
        'outhook_ingest_events_total{result="rejected"} 2',
        'outhook_ingest_events_total{result="unavailable"} 0',
        'outhook_delivery_attempts_total{outcome="success",error_class="-"} 1',
        'outhook_delivery_attempts_total{outcome="permanent",error_class="http_422"} 1',
        'outhook_attempt_duration_seconds_count 2',
        'outhook_dead_letters_total 1',
        'outhook_deliveries{state="succeeded"} 1',
        'outhook_deliveries{state="dead_lettered"} 1',
        'outhook_in_flight 0',
      ]),
    )
    for (const name of Object.keys(metricTable)) expect(text).toContain(`# TYPE ${name} `)
    expect(text).toContain('process_cpu_seconds_total')
  })

  test('metrics count a delivery that keeps failing once, and its end', async () => {
    const receiver = await aReceiver()
    const server = await newStore()({ dispatch: true, config: loopback })
    const retry_policy = { delays: ['1ms'], max_attempts: 5, jitter: 'none' }
    const body = { url: `${receiver.url}/status/503?x`, topics: ['*'], retry_policy }
    await server.call('POST', '/v1/endpoints', { body })
    await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
    const lines = async () => (await server.call('GET', '/metrics', { token: null })).text.split('\n')
    await expect.poll(lines, { timeout: patienceMs }).toContain('outhook_dead_letters_total 1')
    expect(await lines()).toContain('outhook_deliveries_failing_total 1')
  })

  test('S1.47 healthz answers whatever the store does; readyz follows it', async () => {
    const server = await newStore()()
    const probe = async (path: string) => server.call('GET', path, { token: null })
    expect([(await probe('/healthz')).status, (await probe('/readyz')).status]).toEqual([200, 200])
    expect((await probe('/healthz')).text).toBe('')
    server.setStoreDown(true)
    expect((await probe('/healthz')).status).toBe(200)
    expectProblem(await probe('/readyz'), { status: 503, title: 'not ready', detail: 'store unreachable' })
    server.setStoreDown(false)
    await expect.poll(async () => (await probe('/readyz')).status, { timeout: patienceMs }).toBe(200)
  })
}
