/** What an endpoint says of itself in lists: whether it is sent to, until when it is not, and whether it gets anything. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { aServer, type TestServer } from './a-server.ts'

const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

async function list(server: TestServer, query = ''): Promise<readonly Record<string, unknown>[]> {
  return (await server.call('GET', `/v1/endpoints${query}`)).json.items
}

test('an endpoint that the breaker pauses says so in the list, with the end of the pause', async () => {
  const receiver = await startReceiver()
  await receiver.close()
  const config = { ...loopback, breakerThreshold: 1, breakerPause: '1h', breakerMaxPause: '1h' }
  const server = await aServer({ dispatch: true, config })
  const body = { url: receiver.url, topics: ['*'] }
  const { id } = (await server.call('POST', '/v1/endpoints', { body })).json
  expect(await list(server)).toMatchObject([{ id, state: 'active', resumes_at: null }])
  const before = Date.now()
  await server.call('POST', '/v1/events', { body: { topic: 'a', payload: {} } })
  await expect
    .poll(() => list(server), { timeout: patienceMs })
    .toMatchObject([{ id, state: 'paused', enabled: true }])
  const [endpoint] = await list(server)
  const pauseMs = Date.parse(endpoint?.resumes_at as string) - before
  expect(pauseMs).toBeGreaterThan(3_500_000)
  expect(pauseMs).toBeLessThan(3_700_000)
  const one = (await server.call('GET', `/v1/endpoints/${id}`)).json
  expect(one).toMatchObject({ state: 'paused', resumes_at: endpoint?.resumes_at })
  await server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } })
  expect(await list(server)).toMatchObject([{ state: 'disabled', resumes_at: null, enabled: false }])
})

test('an endpoint says since when it has only failed, disabled or not, until it succeeds or is enabled', async () => {
  const receiver = await startReceiver()
  const server = await aServer({ dispatch: true, config: loopback })
  const make = async (path: string) => {
    const body = { url: `${receiver.url}${path}`, topics: [path] }
    return (await server.call('POST', '/v1/endpoints', { body })).json
  }
  const healthy = { failing_since: null, consecutive_failures: 0 }
  const [gone, dropping, fine] = [await make('/status/410'), await make('/drop'), await make('/hook')]
  expect(gone).toMatchObject(healthy)
  const before = Date.now()
  for (const { topics } of [gone, dropping, fine]) {
    await server.call('POST', '/v1/events', { body: { topic: topics[0], payload: {} } })
  }
  const shown = async ({ id }: { id: string }) => (await server.call('GET', `/v1/endpoints/${id}`)).json
  const failing = expect.stringMatching(/^2/)
  await expect
    .poll(() => shown(gone), { timeout: patienceMs })
    .toMatchObject({ state: 'disabled', failing_since: failing, consecutive_failures: 0 })
  await expect
    .poll(() => shown(dropping), { timeout: patienceMs })
    .toMatchObject({ state: 'active', failing_since: failing, consecutive_failures: 1 })
  expect(await shown(fine)).toMatchObject(healthy)
  const since = Date.parse((await shown(gone)).failing_since)
  expect(since).toBeGreaterThanOrEqual(before)
  expect(since).toBeLessThanOrEqual(Date.now())
  // The list says the same as each by itself.
  const listed = await list(server)
  expect(listed.map(({ failing_since }) => failing_since)).toEqual(
    (await Promise.all([fine, dropping, gone].map(shown))).map(({ failing_since }) => failing_since),
  )
  await server.call('PATCH', `/v1/endpoints/${gone.id}`, { body: { enabled: true } })
  expect(await shown(gone)).toMatchObject({ state: 'active', ...healthy })
  await receiver.close()
})

test('an endpoint without topics says that nothing is subscribed, until something is', async () => {
  const server = await aServer()
  const { id } = (await server.call('POST', '/v1/endpoints', { body: { url: 'https://example.com/' } })).json
  expect(await list(server)).toMatchObject([{ topics: null, subscription_count: 0 }])
  const subscription = await server.call('POST', '/v1/subscriptions', {
    body: { endpoint_id: id, topic_patterns: ['a.*'] },
  })
  expect(await list(server)).toMatchObject([{ topics: null, subscription_count: 1 }])
  await server.call('PATCH', `/v1/subscriptions/${subscription.json.id}`, { body: { active: false } })
  expect(await list(server)).toMatchObject([{ subscription_count: 0 }])
})

test('an endpoint is found by the uid of its user’s own, and by no other', async () => {
  const server = await aServer()
  for (const uid of ['billing', 'crm']) {
    await server.call('POST', '/v1/endpoints', { body: { uid, url: `https://example.com/${uid}` } })
  }
  expect(await list(server, '?uid=crm')).toMatchObject([{ uid: 'crm', url: 'https://example.com/crm' }])
  expect(await list(server, '?uid=CRM')).toEqual([])
  expect((await server.call('GET', '/v1/endpoints?uid=')).status).toBe(400)
})

test('an endpoint says in the list and by itself how many of its deliveries are in flight', async () => {
  const held: ServerResponse[] = []
  const receiver = createServer((_request, response) => void held.push(response)).listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const server = await aServer({ dispatch: true, config: loopback })
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const make = async (topic: string) => {
    const body = { url, topics: [topic], max_in_flight: 2 }
    return (await server.call('POST', '/v1/endpoints', { body })).json
  }
  const [busy, idle] = [await make('busy'), await make('idle')]
  expect(busy).toMatchObject({ in_flight: 0 })
  for (let count = 0; count < 3; count++) {
    await server.call('POST', '/v1/events', { body: { topic: 'busy', payload: count } })
  }
  await expect
    .poll(() => list(server), { timeout: patienceMs })
    .toMatchObject([
      { id: idle.id, in_flight: 0 },
      { id: busy.id, in_flight: 2 },
    ])
  const one = (await server.call('GET', `/v1/endpoints/${busy.id}`)).json
  expect(one).toMatchObject({ in_flight: 2, max_in_flight: 2 })
  await expect
    .poll(
      async () => {
        for (const response of held.splice(0)) response.end()
        return list(server)
      },
      { timeout: patienceMs },
    )
    .toMatchObject([{ in_flight: 0 }, { in_flight: 0 }])
  receiver.closeAllConnections()
  receiver.close()
})
