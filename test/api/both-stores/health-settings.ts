/** The circuit breaker and auto-disable as settings of endpoints and tenants, with one server on a store of any kind. */
import { describe, expect, test } from 'vitest'
import { aRefusedUrl } from '../../delivery/an-app.ts'
import { patienceMs } from '../../patience.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

const byServer = {
  breaker_threshold: { value: 5, from: 'server' },
  breaker_pause: { value: '30s', from: 'server' },
  breaker_max_pause: { value: '1h', from: 'server' },
  disable_after: { value: '5d', from: 'server' },
}
const quickly = { delays: ['1ms'], jitter: 'none', max_attempts: 20, retry_on: ['5xx'] }

export function describeHealthSettings(scene: SendingScene): void {
  const call = (method: string, path: string, tenant: string, body?: object) =>
    scene.server.call(method, `${path}?tenant=${tenant}`, { body })

  async function aTenant(settings = {}): Promise<{ readonly id: string }> {
    const made = await scene.server.call('POST', '/v1/tenants', { body: { uid: aName('health'), settings } })
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }

  async function anEndpoint(tenant: string, url: string, settings = {}) {
    const body = { url, topics: ['*'], retry_policy: quickly, ...settings }
    const made = await call('POST', '/v1/endpoints', tenant, body)
    expect([made.text, made.status]).toEqual([made.text, 201])
    return made.json
  }

  const publish = (tenant: string) => call('POST', '/v1/events', tenant, { topic: 'a', payload: 1 })
  const shown = async (tenant: string, id: string) => (await call('GET', `/v1/endpoints/${id}`, tenant)).json

  describe('the breaker and auto-disable', () => {
    test('are set for an endpoint and for a tenant, the nearest wins, and each is shown with whose it is', async () => {
      const tenant = await aTenant({ breaker_threshold: 7, disable_after: '0' })
      expect(tenant).toMatchObject({
        settings: {
          breaker_threshold: 7,
          breaker_pause: null,
          breaker_max_pause: null,
          disable_after: '0ms',
        },
      })
      const { id } = await anEndpoint(tenant.id, 'http://127.0.0.1:3000/', { breaker_pause: '1m' })
      expect(await shown(tenant.id, id)).toMatchObject({
        breaker_threshold: null,
        breaker_pause: '1m',
        breaker_max_pause: null,
        disable_after: null,
        effective_health: {
          ...byServer,
          breaker_threshold: { value: 7, from: 'tenant' },
          breaker_pause: { value: '1m', from: 'endpoint' },
          disable_after: { value: '0ms', from: 'tenant' },
        },
      })
      const change = { breaker_threshold: 0, breaker_max_pause: 90_000, disable_after: '2h' }
      const changed = (await call('PATCH', `/v1/endpoints/${id}`, tenant.id, change)).json
      expect(changed).toMatchObject({
        breaker_threshold: 0,
        breaker_pause: '1m',
        breaker_max_pause: '90s',
        disable_after: '2h',
        effective_health: {
          breaker_threshold: { value: 0, from: 'endpoint' },
          breaker_max_pause: { value: '90s', from: 'endpoint' },
          disable_after: { value: '2h', from: 'endpoint' },
        },
      })
      const none = {
        breaker_threshold: null,
        breaker_pause: null,
        breaker_max_pause: null,
        disable_after: null,
      }
      await call('PATCH', `/v1/endpoints/${id}`, tenant.id, none)
      await scene.server.call('PATCH', `/v1/tenants/${tenant.id}`, { body: { settings: none } })
      expect(await shown(tenant.id, id)).toMatchObject({ ...none, effective_health: byServer })
    })

    test.each([
      ['its own', { breaker_threshold: 2, breaker_pause: '1h' }, {}],
      ['its tenant’s', {}, { breaker_threshold: 2, breaker_pause: '1h' }],
    ])('pause an endpoint after as many transport failures as %s setting says', async (_, own, ofTenant) => {
      const tenant = await aTenant(ofTenant)
      const { id } = await anEndpoint(tenant.id, await aRefusedUrl(), own)
      await publish(tenant.id)
      const state = async () => (await shown(tenant.id, id)).state
      await expect.poll(state, { timeout: patienceMs }).toBe('paused')
      const { consecutive_failures: failures, resumes_at: until } = await shown(tenant.id, id)
      expect(failures).toBe(2)
      expect(Date.parse(until) - Date.now()).toBeGreaterThan(1_800_000)
    })

    test('never pause an endpoint whose breaker is off, whatever the server says', async () => {
      const tenant = await aTenant()
      const { id } = await anEndpoint(tenant.id, await aRefusedUrl(), { breaker_threshold: 0 })
      const delivery = (await publish(tenant.id)).json.delivery_ids[0]
      const dead = async () => (await call('GET', `/v1/deliveries/${delivery}`, tenant.id)).json.state
      await expect.poll(dead, { timeout: patienceMs }).toBe('dead_lettered')
      const { json } = await call('GET', `/v1/deliveries/${delivery}`, tenant.id)
      expect(json.attempt_count).toBe(20)
      expect((await shown(tenant.id, id)).state).toBe('active')
    })

    test('disable an endpoint that has only failed for as long as it says itself', async () => {
      const tenant = await aTenant({ disable_after: '0' })
      const url = `${scene.receiver.url}/status/500`
      const own = await anEndpoint(tenant.id, url, { disable_after: 1 })
      const other = await anEndpoint(tenant.id, url)
      await publish(tenant.id)
      const reason = async () => (await shown(tenant.id, own.id)).disabled_reason
      await expect.poll(reason, { timeout: patienceMs }).toBe('failing')
      expect(await shown(tenant.id, other.id)).toMatchObject({ state: 'active', disabled_reason: null })
    })

    test.each([
      [{ breaker_threshold: -1 }, /breaker_threshold must be a whole number from 0 \(off\) to 1000, or null/],
      [{ breaker_threshold: 1001 }, /breaker_threshold must be/],
      [{ breaker_pause: '0' }, /breaker_pause must be .* more than 0, at most 365d, or null/],
      [{ breaker_max_pause: 'soon' }, /breaker_max_pause must be/],
      [{ disable_after: '366d' }, /disable_after must be .* 0 for never, at most 365d, or null/],
      [{ breaker_pause: '2h', breaker_max_pause: '1h' }, /breaker_pause is longer than .*breaker_max_pause/],
    ])('are refused as %o, of an endpoint and of a tenant', async (settings, detail) => {
      const tenant = await aTenant()
      const { id } = await anEndpoint(tenant.id, 'http://127.0.0.1:3000/')
      const before = await shown(tenant.id, id)
      const refused = { status: 422, code: 'unprocessable', detail } as const
      expectProblem(await call('PATCH', `/v1/endpoints/${id}`, tenant.id, settings), refused)
      const body = { settings }
      expectProblem(await scene.server.call('PATCH', `/v1/tenants/${tenant.id}`, { body }), refused)
      expect(await shown(tenant.id, id)).toEqual(before)
    })
  })
}
