/** Retry profiles of the operator's own, with one server after the other on a store of any kind. */
import { expect, test } from 'vitest'
import { expectProblem } from '../expect-problem.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { loopback } from './sending-scene.ts'

const gentle = { delays: ['1h'], max_attempts: 4, jitter: 'none', retry_on: ['5xx'] }

export function describeRetryProfiles(newStore: () => OpenServer): void {
  test('an own retry profile is named by endpoints, subscriptions, tenants and sends; taken out of the configuration it is passed over and shown', async () => {
    const open = newStore()
    const first = await open({ config: { ...loopback, retryProfiles: { gentle } } })
    const made = async (path: string, body: object) => {
      const answer = await first.call('POST', path, { body })
      expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
      return answer.json
    }
    const url = 'http://127.0.0.1:3000/'
    const endpoint = await made('/v1/endpoints', { url, topics: ['a'], retry_policy: 'gentle' })
    expect(endpoint.effective_retry_policy).toEqual({
      policy: 'gentle',
      from: 'endpoint',
      unknown_profiles: [],
    })
    const wants = { endpoint_id: endpoint.id, topic_pattern: 'b', retry_policy: 'gentle' }
    const subscription = await made('/v1/subscriptions', wants)
    const tenant = await made('/v1/tenants', { uid: 'gentle', settings: { retry_policy: 'gentle' } })
    const sent = await made('/v1/deliveries', { url, payload: 1, retry: 'gentle' })
    const frozen = async (server: typeof first) =>
      (await server.call('GET', `/v1/events/${sent.event_id}`)).json.request.retry
    expect(await frozen(first)).toMatchObject(gentle)
    const counts = await first.engine.tenants.get(tenant.id)
    expect(counts.settings.retryPolicy).toBe('gentle')
    const unknown = await first.call('PATCH', `/v1/endpoints/${endpoint.id}`, {
      body: { retry_policy: 'gentler' },
    })
    const detail = /retry_policy "gentler" is no profile; profiles are standard .*, pyfly .*, gentle/
    expectProblem(unknown, { status: 422, code: 'unprocessable', detail })
    await first.close()
    const second = await open({ config: { ...loopback, defaultRetryPolicy: gentle } })
    const shown = async (path: string) => (await second.call('GET', path)).json
    const passedOver = {
      retry_policy: 'gentle',
      effective_retry_policy: { policy: gentle, from: 'server', unknown_profiles: ['gentle'] },
    }
    expect(await shown(`/v1/endpoints/${endpoint.id}`)).toMatchObject(passedOver)
    expect(await shown(`/v1/subscriptions/${subscription.id}`)).toMatchObject({
      ...passedOver,
      effective_retry_policy: { unknown_profiles: ['gentle', 'gentle'] },
    })
    expect((await shown(`/v1/tenants/${tenant.id}`)).settings.retry_policy).toBe('gentle')
    expect(await frozen(second)).toMatchObject(gentle)
  })
}
