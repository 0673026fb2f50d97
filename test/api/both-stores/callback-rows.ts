/** Rows of docs/compatibility.md on what becomes of callbacks beside their answers. */
import { expect, test } from 'vitest'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

export function describeCallbacks(scene: SendingScene): void {
  const url = () => `${scene.receiver.url}/hook`
  const publish = async (topic: string): Promise<string> =>
    (await scene.server.call('POST', '/v1/events', { body: { topic, payload: {} } })).json.delivery_ids[0]
  const requestsOf = (id: string) =>
    scene.receiver.received.filter(({ deliveryId }) => deliveryId === id).length

  test('S3.21 S4.2 a disabled endpoint is sent nothing, and what is for it waits, and says so', async () => {
    const { endpoint, topic, id: before } = await scene.deliver(url())
    await scene.arrived(before)
    const path = `/v1/endpoints/${endpoint.id}`
    expect((await scene.server.call('PATCH', path, { body: { enabled: false } })).status).toBe(200)
    const id = await publish(topic)
    const other = await scene.deliver(url())
    await scene.arrived(other.id)
    const waits = { state: 'pending', reason: 'endpoint_disabled', next_attempt_at: null, attempt_count: 0 }
    expect(await scene.shown(id)).toMatchObject(waits)
    expect(requestsOf(id)).toBe(0)
    expect((await scene.server.call('PATCH', path, { body: { enabled: true } })).status).toBe(200)
    await scene.arrived(id)
  })

  test('S4.2 a subscription that is made inactive is sent nothing until it is active, and then only what is new', async () => {
    const { server } = scene
    const { id: endpointId } = (await server.call('POST', '/v1/endpoints', { body: { url: url() } })).json
    const [topic] = [aName('inactive')]
    const body = { endpoint_id: endpointId, topic_patterns: [topic], active: false }
    const made = await server.call('POST', '/v1/subscriptions', { body })
    expect([made.status, made.json.active]).toEqual([201, false])
    const event = { body: { topic, payload: {} } }
    expect((await server.call('POST', '/v1/events', event)).json.delivery_ids).toEqual([])
    const path = `/v1/subscriptions/${made.json.id}`
    expect((await server.call('PATCH', path, { body: { active: true } })).status).toBe(200)
    await scene.arrived(await publish(topic))
    const wrong = await server.call('POST', '/v1/subscriptions', { body: { ...body, active: 'no' } })
    expectProblem(wrong, { status: 400 })
  })

  test('S3.23 G8 F10 a dead letter is listed with what was wrong, and a replay delivers it', async () => {
    const { endpoint, id } = await scene.deliver(`${scene.receiver.url}/status/400`)
    await scene.attempted(id)
    const list = async () => (await scene.server.call('GET', `/v1/dlq?endpoint_id=${endpoint.id}`)).json.items
    await expect.poll(list).toMatchObject([{ delivery_id: id, final_error: 'http_400', attempt_count: 1 }])
    const path = `/v1/endpoints/${endpoint.id}`
    expect((await scene.server.call('PATCH', path, { body: { url: url() } })).status).toBe(200)
    expect((await scene.server.call('POST', `/v1/dlq/${id}/replay`)).status).toBe(200)
    await scene.attempted(id, 2)
    await expect.poll(async () => (await scene.shown(id)).state).toBe('succeeded')
    expect(await list()).toEqual([])
  })

  test('S4.8 deliveries are listed by endpoint and by state, each with what came of it', async () => {
    const { endpoint, topic, eventId, id } = await scene.deliver(url())
    await expect.poll(async () => (await scene.shown(id)).state).toBe('succeeded')
    await scene.server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: { enabled: false } })
    const waiting = await publish(topic)
    const list = async (filter: string) =>
      (await scene.server.call('GET', `/v1/deliveries?endpoint_id=${endpoint.id}${filter}`)).json.items
    const ids = (items: readonly { readonly id: string }[]) => items.map((item) => item.id)
    expect(ids(await list(''))).toEqual([waiting, id])
    expect(ids(await list('&state=pending'))).toEqual([waiting])
    expect(await list('&state=succeeded')).toMatchObject([
      { id, event_id: eventId, topic, attempt_count: 1, last_http_status: 200, error_class: null },
    ])
    const [attempt] = (await scene.shown(id)).attempts
    expect(attempt).toMatchObject({ attempt_no: 1, status: 'success', http_status: 200 })
    expect(attempt.latency_ms).toBeGreaterThanOrEqual(0)
  })
}
