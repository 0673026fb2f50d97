/** Retry policies: of subscription, endpoint, tenant and server the nearest wins, and is shown as such. */
import { expect, test } from 'vitest'
import { aName, anEndpointBody, type OpenScene } from './scene.ts'

const own = { max_attempts: 3, delays: ['1s', '10s'], jitter: 'none', retry_on: ['5xx'] }

const shownAs = (policy: unknown, from: string) => ({ policy, from, unknown_profiles: [] })

export function describeRetryPolicies(open: OpenScene): void {
  test('of subscription, endpoint, tenant and server the nearest retry policy wins, and each shows whose it is', async () => {
    const { one, two } = open()
    const uid = aName('retrying')
    const tenant = (await one.call('POST', '/v1/tenants', { body: { uid } })).json
    const at = (path: string) => `${path}?tenant=${tenant.id}`
    const body = { ...anEndpointBody, uid: 'own' }
    const endpoint = (await one.call('POST', at('/v1/endpoints'), { body })).json
    const [subscription] = (await one.call('GET', at('/v1/subscriptions'))).json.items
    const paths = [at(`/v1/endpoints/${endpoint.id}`), at(`/v1/subscriptions/${subscription.id}`)] as const
    const shown = async () => {
      const answers = await Promise.all(paths.map((path) => two.call('GET', path)))
      return answers.map(({ json }) => json.effective_retry_policy)
    }
    const set = async (path: string, policy: unknown) =>
      (await one.call('PATCH', path, { body: { retry_policy: policy } })).json
    expect(await shown()).toEqual(Array(2).fill(shownAs('standard', 'server')))
    const settings = { settings: { retry_policy: 'dograh' } }
    await one.call('PATCH', `/v1/tenants/${tenant.id}`, { body: settings })
    expect(await shown()).toEqual(Array(2).fill(shownAs('dograh', 'tenant')))
    expect(await set(paths[0], 'pyfly')).toMatchObject({ retry_policy: 'pyfly', topics: ['orders.*'] })
    expect(await shown()).toEqual(Array(2).fill(shownAs('pyfly', 'endpoint')))
    expect(await set(paths[1], own)).toMatchObject({ retry_policy: own })
    expect(await shown()).toEqual([shownAs('pyfly', 'endpoint'), shownAs(own, 'subscription')])
    const listed = (await two.call('GET', at('/v1/subscriptions'))).json.items
    expect(listed[0].effective_retry_policy.from).toBe('subscription')
    const send = { body: { endpoint_id: endpoint.id, payload: 1 } }
    const sent = (await two.call('POST', at('/v1/deliveries'), send)).json
    const frozen = (await two.call('GET', at(`/v1/events/${sent.event_id}`))).json.request.retry
    expect(frozen).toMatchObject({ max_attempts: 5, base: '5s', cap: '5m', jitter: 'none' })
    await set(paths[1], null)
    await set(paths[0], null)
    expect(await shown()).toEqual(Array(2).fill(shownAs('dograh', 'tenant')))
  })

  test('an endpoint is given its retry policy when it is made, with topics or without, and by its uid', async () => {
    const { one, two } = open()
    const uid = aName('retried')
    const { url } = anEndpointBody
    const { json } = await one.call('POST', '/v1/endpoints', { body: { url, uid, retry_policy: 'hookrail' } })
    expect(json).toMatchObject({ retry_policy: 'hookrail', topics: null })
    const again = await two.call('POST', '/v1/endpoints', {
      body: { ...anEndpointBody, uid, retry_policy: own },
    })
    expect([again.status, again.json.retry_policy]).toEqual([200, own])
    const listed = await one.call('GET', `/v1/subscriptions?endpoint_id=${json.id}`)
    expect(listed.json.items).toMatchObject([
      { retry_policy: null, effective_retry_policy: { policy: own, from: 'endpoint' } },
    ])
    const bad = await one.call('PATCH', `/v1/endpoints/${json.id}`, { body: { retry_policy: 'often' } })
    expect([bad.status, bad.json.detail]).toEqual([
      422,
      expect.stringMatching(/^retry_policy "often" is no profile/),
    ])
  })
}
