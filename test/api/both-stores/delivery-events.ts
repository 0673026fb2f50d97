/** What a tenant is told of deliveries by events, with one server on a store of any kind. */
import { describe, expect, test } from 'vitest'
import { patienceMs } from '../../patience.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const topics = ['delivery.dead_lettered', 'delivery.failing']
/** Four attempts, so the third is told as failing. */
const retryPolicy = { delays: ['1ms'], max_attempts: 4, jitter: 'none', retry_on: ['5xx'] }

export function describeDeliveryEvents(scene: SendingScene): void {
  const call = (method: string, path: string, tenant: string, body?: object) =>
    scene.server.call(method, `${path}${path.includes('?') ? '&' : '?'}tenant=${tenant}`, { body })

  async function aTenant(): Promise<string> {
    const uid = aName('told')
    expect((await scene.server.call('POST', '/v1/tenants', { body: { uid } })).status).toBe(201)
    return uid
  }

  async function anEndpoint(tenant: string, path: string, patterns: readonly string[]) {
    const url = `${scene.receiver.url}${path}`
    const body = { uid: aName('endpoint'), url, topics: patterns, retry_policy: retryPolicy }
    const made = await call('POST', '/v1/endpoints', tenant, body)
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }

  const publish = async (tenant: string, topic: string): Promise<string> =>
    (await call('POST', '/v1/events', tenant, { topic, payload: { private: 1 } })).json.delivery_ids[0]
  const toldAt = (path: string) =>
    scene.receiver.received
      .filter((request) => request.path === path && topics.includes(request.topic ?? ''))
      .map(({ body }) => JSON.parse(Buffer.from(body).toString()))
  const waitForTold = async (path: string, count: number) => {
    await expect.poll(() => toldAt(path).length, { timeout: patienceMs }).toBe(count)
    return toldAt(path).sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1))
  }
  const eventsOf = async (tenant: string): Promise<readonly string[]> => {
    const { json } = await call('GET', '/v1/events', tenant)
    return json.items
      .map(({ topic }: { topic: string }) => topic)
      .filter((topic: string) => topics.includes(topic))
      .sort()
  }
  const state = async (tenant: string, id: string) =>
    (await call('GET', `/v1/deliveries/${id}`, tenant)).json.state

  describe('operational events of deliveries', () => {
    test('a delivery that fails is told as failing at its third attempt and as a dead letter at its end, each once', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, topics)
      const endpoint = await anEndpoint(tenant, '/status/503?token=hidden', ['a'])
      const id = await publish(tenant, 'a')
      const [failing, dead] = await waitForTold(path, 2)
      const { json: shown } = await call('GET', `/v1/deliveries/${id}`, tenant)
      const common = {
        delivery_id: id,
        event_id: shown.event_id,
        topic: 'a',
        endpoint_id: endpoint.id,
        endpoint_uid: endpoint.uid,
        subscription_id: shown.subscription_id,
        url: scene.receiver.url,
        last_http_status: 503,
      }
      expect(failing).toEqual({
        type: 'delivery.failing',
        timestamp: expect.any(String),
        data: { ...common, attempt_count: 3, error_class: 'http_503', next_attempt_at: expect.any(String) },
      })
      const { items } = (await call('GET', '/v1/dlq', tenant)).json
      expect(dead).toEqual({
        type: 'delivery.dead_lettered',
        timestamp: items[0].dead_at,
        data: { ...common, attempt_count: 4, final_error: 'http_503', dead_at: items[0].dead_at },
      })
      expect(await eventsOf(tenant)).toEqual(topics)
    })

    test('a dead letter that is replayed and dies again is told again', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['delivery.dead_lettered'])
      await anEndpoint(tenant, '/status/400', ['a'])
      const id = await publish(tenant, 'a')
      await waitForTold(path, 1)
      expect((await call('POST', `/v1/dlq/${id}/replay`, tenant)).status).toBe(200)
      const told = await waitForTold(path, 2)
      expect(told.map(({ data }) => [data.delivery_id, data.attempt_count])).toEqual([
        [id, 1],
        [id, 1],
      ])
    })

    test('direct sends are told too, without a topic', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['delivery.dead_lettered'])
      const body = { url: `${scene.receiver.url}/status/400?key=hidden`, payload: 1 }
      const { json } = await call('POST', '/v1/deliveries', tenant, body)
      const [told] = await waitForTold(path, 1)
      expect(told.data).toMatchObject({
        delivery_id: json.delivery_id,
        topic: null,
        endpoint_id: null,
        subscription_id: null,
        url: scene.receiver.url,
        final_error: 'http_400',
      })
    })

    test('they do not feed themselves: what fails of them is told to nobody, not even to the endpoint that refuses them', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, topics)
      // It refuses its own events and what it is told of them.
      const refusing = await anEndpoint(tenant, '/status/500', ['a', ...topics])
      await publish(tenant, 'a')
      await waitForTold(path, 2)
      const listed = () =>
        call('GET', `/v1/deliveries?endpoint_id=${refusing.id}&state=dead_lettered`, tenant)
      await expect.poll(async () => (await listed()).json.items.length, { timeout: patienceMs }).toBe(3)
      // What another tenant is told of later has been looked at after these.
      const other = await aTenant()
      const otherPath = `/${aName('watch')}`
      await anEndpoint(other, otherPath, ['delivery.dead_lettered'])
      await anEndpoint(other, '/status/400', ['b'])
      await publish(other, 'b')
      await waitForTold(otherPath, 1)
      expect(toldAt(path)).toHaveLength(2)
      expect(await eventsOf(tenant)).toEqual(topics)
    })

    test('no wildcard matches them, and where nobody names one there is no event of it', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['*', 'delivery.*', 'delivery.failing'])
      const { id } = await anEndpoint(tenant, '/status/500', ['a'])
      await publish(tenant, 'a')
      const dead = () => call('GET', `/v1/dlq?endpoint_id=${id}`, tenant)
      await expect.poll(async () => (await dead()).json.items.length, { timeout: patienceMs }).toBe(1)
      const [told] = await waitForTold(path, 1)
      expect(told.type).toBe('delivery.failing')
      expect(await eventsOf(tenant)).toEqual(['delivery.failing'])
    })

    test('what is cancelled, or waits for a disabled endpoint, is no dead letter and is told to nobody', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, topics)
      const endpoint = await anEndpoint(tenant, '/hook', ['a'])
      await call('PATCH', `/v1/endpoints/${endpoint.id}`, tenant, { enabled: false })
      const waiting = await publish(tenant, 'a')
      const cancelled = await publish(tenant, 'a')
      expect((await call('POST', `/v1/deliveries/${cancelled}/cancel`, tenant)).status).toBe(200)
      // A dead letter of afterwards has been looked at after them.
      await anEndpoint(tenant, '/status/400', ['b'])
      const dead = await publish(tenant, 'b')
      const [told] = await waitForTold(path, 1)
      expect(told.data.delivery_id).toBe(dead)
      expect([await state(tenant, waiting), await state(tenant, cancelled)]).toEqual(['pending', 'cancelled'])
    })
  })
}
