/** What a tenant is told of its endpoints by events, with one server on a store of any kind. */
import { describe, expect, test } from 'vitest'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const topics = [
  'endpoint.disabled',
  'endpoint.recovered',
  'delivery.dead_lettered',
  'delivery.failing',
  'credential.expiring',
]

export function describeOperationalEvents(scene: SendingScene): void {
  const call = (method: string, path: string, tenant: string, body?: object) => {
    const query = `${path.includes('?') ? '&' : '?'}tenant=${tenant}`
    return scene.server.call(method, `${path}${query}`, { body })
  }

  async function aTenant(): Promise<string> {
    const uid = aName('told')
    expect((await scene.server.call('POST', '/v1/tenants', { body: { uid } })).status).toBe(201)
    return uid
  }

  async function anEndpoint(tenant: string, path: string, patterns: readonly string[]): Promise<string> {
    const body = { uid: aName('endpoint'), url: `${scene.receiver.url}${path}`, topics: patterns }
    const made = await call('POST', '/v1/endpoints', tenant, body)
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json.id
  }

  const publish = (tenant: string, topic: string) =>
    call('POST', '/v1/events', tenant, { topic, payload: {} })
  const setEnabled = (tenant: string, id: string, enabled: boolean) =>
    call('PATCH', `/v1/endpoints/${id}`, tenant, { enabled })
  /** What arrived there of Outhook's own. */
  const toldAt = (path: string) =>
    scene.receiver.received
      .filter((request) => request.path === path && topics.includes(request.topic ?? ''))
      .map(({ body, topic, headers }) => ({ topic, headers, ...JSON.parse(Buffer.from(body).toString()) }))
  const waitForTold = async (path: string, count: number) => {
    await expect.poll(() => toldAt(path).length, { timeout: patienceMs }).toBe(count)
    return toldAt(path)
  }
  const topicsOf = async (tenant: string): Promise<readonly string[]> => {
    const { json } = await call('GET', '/v1/events', tenant)
    return json.items
      .map(({ topic }: { topic: string }) => topic)
      .filter((topic: string) => topics.includes(topic))
  }

  describe('operational events', () => {
    test('an endpoint that answers 410 makes one endpoint.disabled, and endpoint.recovered when it is enabled', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['endpoint.disabled', 'endpoint.recovered'])
      const gone = await anEndpoint(tenant, '/status/410?token=hidden', ['a'])
      await publish(tenant, 'a')
      const [disabled] = await waitForTold(path, 1)
      const { json: shown } = await call('GET', `/v1/endpoints/${gone}`, tenant)
      expect(disabled).toMatchObject({
        topic: 'endpoint.disabled',
        type: 'endpoint.disabled',
        timestamp: shown.disabled_at,
        data: {
          endpoint_id: gone,
          endpoint_uid: shown.uid,
          url: scene.receiver.url,
          reason: 'gone',
          disabled_at: shown.disabled_at,
          failing_since: expect.any(String),
          last_error: 'http_410',
        },
      })
      await setEnabled(tenant, gone, true)
      const [, recovered] = await waitForTold(path, 2)
      expect(recovered.data).toEqual({
        endpoint_id: gone,
        endpoint_uid: shown.uid,
        url: scene.receiver.url,
        reason: 'gone',
        disabled_at: shown.disabled_at,
        enabled_at: recovered.timestamp,
      })
      expect(await topicsOf(tenant)).toEqual(['endpoint.recovered', 'endpoint.disabled'])
    })

    test('by hand too, each time once; a repeated PATCH and a pause tell nothing', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['endpoint.disabled', 'endpoint.recovered'])
      const id = await anEndpoint(tenant, '/hook', ['a'])
      await setEnabled(tenant, id, true)
      await call('POST', `/v1/endpoints/${id}/pause`, tenant)
      await call('POST', `/v1/endpoints/${id}/resume`, tenant)
      for (const enabled of [false, false, true, true, false]) await setEnabled(tenant, id, enabled)
      await setEnabled(tenant, id, true)
      const told = await waitForTold(path, 4)
      const reasons = told.map(({ topic, data }) => [topic, data.reason, data.last_error])
      // Deliveries of one endpoint go side by side.
      expect(reasons.sort()).toEqual([
        ['endpoint.disabled', 'operator', null],
        ['endpoint.disabled', 'operator', null],
        ['endpoint.recovered', 'operator', undefined],
        ['endpoint.recovered', 'operator', undefined],
      ])
      expect(await topicsOf(tenant)).toHaveLength(4)
    })

    test('an endpoint paused by hand that is disabled then is told of', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['endpoint.disabled'])
      const id = await anEndpoint(tenant, '/hook', ['a'])
      await call('POST', `/v1/endpoints/${id}/pause`, tenant)
      await setEnabled(tenant, id, false)
      expect((await waitForTold(path, 1))[0].data).toMatchObject({ endpoint_id: id, reason: 'operator' })
    })

    test('they do not feed themselves: whoever they disable is told of to others only, once', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['endpoint.disabled'])
      // It refuses what says that another one is disabled, and is disabled for that.
      const gone = await anEndpoint(tenant, '/status/410', ['endpoint.disabled', 'a'])
      const first = await anEndpoint(tenant, '/hook', ['b'])
      await setEnabled(tenant, first, false)
      const told = await waitForTold(path, 2)
      expect(told.map(({ data }) => data.endpoint_id).sort()).toEqual([gone, first].sort())
      // Nothing of its own disabling waits for it.
      const { json } = await call('GET', `/v1/deliveries?endpoint_id=${gone}`, tenant)
      expect(json.items).toHaveLength(1)
      expect(await topicsOf(tenant)).toHaveLength(2)
    })

    test('no wildcard matches them, and where nobody names them there is no event', async () => {
      const tenant = await aTenant()
      const path = `/${aName('watch')}`
      await anEndpoint(tenant, path, ['*', 'endpoint.*', 'delivery.*'])
      const id = await anEndpoint(tenant, '/hook', ['b'])
      await setEnabled(tenant, id, false)
      await setEnabled(tenant, id, true)
      await publish(tenant, 'endpoint.created')
      const isArrived = () => scene.receiver.received.some((request) => request.path === path)
      await expect.poll(isArrived, { timeout: patienceMs }).toBe(true)
      // What is told of a later change of another tenant has been looked at after theirs.
      const other = await aTenant()
      const otherPath = `/${aName('watch')}`
      await anEndpoint(other, otherPath, ['*', 'endpoint.disabled'])
      await setEnabled(other, await anEndpoint(other, '/hook', ['b']), false)
      await waitForTold(otherPath, 1)
      expect(toldAt(path)).toEqual([])
      expect(await topicsOf(tenant)).toEqual([])
    })

    test.each(topics)('nobody publishes %s, not even with a key for everything', async (topic) => {
      const key = (
        await scene.server.call('POST', '/v1/keys', { body: { name: aName('key'), scopes: ['*'] } })
      ).json
      for (const token of [undefined, key.key]) {
        const answer = await scene.server.call('POST', '/v1/events', {
          body: { topic, payload: {} },
          ...(token !== undefined && { token }),
        })
        expectProblem(answer, {
          status: 400,
          code: 'invalid_body',
          detail: /is reserved for events that Outhook publishes/,
        })
      }
    })
  })
}
