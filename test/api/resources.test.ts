import { expect, onTestFinished, test } from 'vitest'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
const url = 'http://127.0.0.1:9/hook'
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const aLocalServer = (dispatch = false) => aServer({ config: loopback, dispatch })

async function anEndpoint(server: TestServer, members: object = {}) {
  const { status, json } = await server.call('POST', '/v1/endpoints', { body: { url, ...members } })
  expect(status).toBe(201)
  return json
}

test('an endpoint is created with its secret, and shown without it ever after', async () => {
  const server = await aLocalServer()
  const body = {
    url,
    uid: 'billing',
    description: 'Billing',
    headers: { 'X-Team': 'money' },
    signing_schemes: ['standard', 'hookrail'],
    max_in_flight: 5,
    rate_limit_rps: 2.5,
    topics: ['orders.*'],
  }
  const created = await server.call('POST', '/v1/endpoints', { body })
  expect(created.status).toBe(201)
  expect(created.headers.get('cache-control')).toBe('no-store')
  expect(created.json).toMatchObject({
    ...body,
    headers: { 'x-team': 'money' },
    enabled: true,
    deleted_at: null,
  })
  expect(created.json.secret).toMatch(/^whsec_/)
  expect(created.json.created_at).toMatch(rfc3339)

  const { id, secret, public_key, ...shown } = created.json
  expect(public_key).toBeNull()
  const got = await server.call('GET', `/v1/endpoints/${id}`)
  expect(got.json).toEqual({ id, ...shown })
  for (const answer of [got, await server.call('GET', '/v1/endpoints')])
    expect(answer.text).not.toContain(secret)
})

test('creating an endpoint with a uid that exists updates it: 200, no secret, other members stay', async () => {
  const server = await aLocalServer()
  const first = await anEndpoint(server, { uid: 'billing', topics: ['a'], description: 'old' })
  const again = await server.call('POST', '/v1/endpoints', {
    body: { url: `${url}/2`, uid: 'billing', topics: ['b'] },
  })
  expect(again.status).toBe(200)
  expect(again.json).toMatchObject({ id: first.id, url: `${url}/2`, topics: ['b'], description: 'old' })
  expect(again.json).not.toHaveProperty('secret')
})

test('PATCH changes what is given and answers with the whole endpoint; enabled goes both ways', async () => {
  const server = await aLocalServer()
  const { id } = await anEndpoint(server, { topics: ['a'] })
  const off = await server.call('PATCH', `/v1/endpoints/${id}`, {
    body: { enabled: false, max_in_flight: 2 },
  })
  expect(off.status).toBe(200)
  expect(off.json).toMatchObject({
    id,
    url,
    enabled: false,
    disabled_reason: 'operator',
    max_in_flight: 2,
    topics: ['a'],
  })
  const on = await server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: true } })
  expect(on.json).toMatchObject({ enabled: true, disabled_reason: null, disabled_at: null })
})

test('an endpoint has no rate until it is given one, and null takes it away', async () => {
  const server = await aLocalServer()
  const given = await anEndpoint(server, { uid: 'billing' })
  expect(given).toMatchObject({ rate_limit_rps: null, max_in_flight: 32 })
  const patch = (body: object) => server.call('PATCH', `/v1/endpoints/${given.id}`, { body })
  expect((await patch({ rate_limit_rps: 0.01 })).json).toMatchObject({ rate_limit_rps: 0.01 })
  expect((await patch({ description: 'x' })).json).toMatchObject({ rate_limit_rps: 0.01 })
  expect((await patch({ rate_limit_rps: 1_000_000 })).json).toMatchObject({ rate_limit_rps: 1_000_000 })
  const upserted = await server.call('POST', '/v1/endpoints', {
    body: { uid: 'billing', url, rate_limit_rps: 7 },
  })
  expect(upserted.json).toMatchObject({ id: given.id, rate_limit_rps: 7 })
  expect((await patch({ rate_limit_rps: null })).json).toMatchObject({ rate_limit_rps: null })
})

test('a new secret is shown once; the body may be missing or name a grace period', async () => {
  const server = await aLocalServer()
  const { id, secret } = await anEndpoint(server)
  const path = `/v1/endpoints/${id}/rotate-secret`
  const first = await server.call('POST', path)
  expect(first.status).toBe(200)
  expect(first.headers.get('cache-control')).toBe('no-store')
  expect(first.json.secret).toMatch(/^whsec_/)
  expect(first.json.secret).not.toBe(secret)
  expect((await server.call('POST', path, { body: { grace: '1h' } })).status).toBe(200)
  expectProblem(await server.call('POST', path, { body: { grace: 'soon' } }), {
    status: 422,
    detail: 'grace must be',
  })
})

test('deleting an endpoint takes its subscriptions along and cancels what waits for it', async () => {
  const server = await aLocalServer()
  const { id } = await anEndpoint(server, { topics: ['*'] })
  const event = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
  const gone = await server.call('DELETE', `/v1/endpoints/${id}`)
  expect([gone.status, gone.text]).toEqual([204, ''])
  expectProblem(await server.call('GET', `/v1/endpoints/${id}`), { status: 404 })
  const shown = await server.call('GET', `/v1/endpoints/${id}?include_deleted=true`)
  expect(shown.json.deleted_at).toMatch(rfc3339)
  expect((await server.call('GET', '/v1/subscriptions')).json.items).toEqual([])
  const [delivery] = (await server.call('GET', `/v1/events/${event.json.id}`)).json.deliveries
  expect(delivery.state).toBe('cancelled')
})

test('subscriptions are created, listed, changed and deleted', async () => {
  const server = await aLocalServer()
  const endpoint = await anEndpoint(server)
  const body = { endpoint_id: endpoint.id, topic_pattern: 'orders.*', retry_policy: 'dograh' }
  const created = await server.call('POST', '/v1/subscriptions', { body })
  expect(created.status).toBe(201)
  expect(created.json).toMatchObject({
    endpoint_id: endpoint.id,
    topic_patterns: ['orders.*'],
    retry_policy: 'dograh',
    active: true,
    own: false,
  })
  const path = `/v1/subscriptions/${created.json.id}`
  expect((await server.call('GET', path)).json).toEqual(created.json)
  expect((await server.call('GET', `/v1/subscriptions?endpoint_id=${endpoint.id}`)).json).toEqual({
    items: [created.json],
    next_cursor: '',
  })
  const changed = await server.call('PATCH', path, { body: { active: false, retry_policy: null } })
  expect(changed.json).toMatchObject({ active: false, retry_policy: null, topic_patterns: ['orders.*'] })
  expect((await server.call('DELETE', path)).status).toBe(204)
  expectProblem(await server.call('GET', path), { status: 404, title: 'subscription not found' })
})

test('hookrail’s retry members become a policy, and a change of one leaves the other', async () => {
  const server = await aLocalServer()
  const { id: endpointId } = await anEndpoint(server)
  const body = {
    endpoint_id: endpointId,
    topic_pattern: '*',
    max_attempts: 3,
    backoff_policy: { base_ms: 1500, cap_ms: 60_000 },
  }
  const { json } = await server.call('POST', '/v1/subscriptions', { body })
  expect(json.retry_policy).toMatchObject({
    max_attempts: 3,
    base: '1500ms',
    factor: 2,
    cap: '1m',
    jitter: 'full',
  })
  const changed = await server.call('PATCH', `/v1/subscriptions/${json.id}`, { body: { max_attempts: 5 } })
  expect(changed.json.retry_policy).toEqual({ ...json.retry_policy, max_attempts: 5 })
})

test('lists come in pages, newest first, without gaps or repeats, and end with an empty cursor', async () => {
  const server = await aLocalServer()
  await anEndpoint(server, { topics: ['*'] })
  const events = Array.from({ length: 7 }, (_, n) => ({ topic: 'a', payload: n }))
  const batch = await server.call('POST', '/v1/events/batch', { body: { events } })
  const expected = batch.json.items.flatMap((item: { delivery_ids: string[] }) => item.delivery_ids).reverse()
  const seen: string[] = []
  let cursor = ''
  do {
    const { json } = await server.call('GET', `/v1/deliveries?limit=3&cursor=${cursor}`)
    seen.push(...json.items.map(({ id }: { id: string }) => id))
    cursor = json.next_cursor
  } while (cursor !== '')
  expect(seen).toEqual(expected)
})

test('events and deliveries are found by topic, state, event and time', async () => {
  const server = await aLocalServer()
  const endpoint = await anEndpoint(server, { topics: ['*'] })
  const made = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
  await server.call('POST', '/v1/events', { body: { topic: 'b', payload: 1 } })
  const count = async (path: string) => (await server.call('GET', path)).json.items.length
  expect(await count('/v1/events?topic=a')).toBe(1)
  expect(await count('/v1/events?since=2020-01-01T00:00:00Z')).toBe(2)
  expect(await count('/v1/events?until=2020-01-01T00:00:00%2B02:00')).toBe(0)
  expect(await count('/v1/deliveries?topic=b&state=pending')).toBe(1)
  expect(await count('/v1/deliveries?state=succeeded')).toBe(0)
  expect(await count(`/v1/deliveries?event_id=${made.json.id}`)).toBe(1)
  expect(await count(`/v1/deliveries?endpoint_id=${endpoint.id}`)).toBe(2)
})

test('events are found by a pattern of topics, ordering key, metadata and the state of a delivery', async () => {
  const server = await aLocalServer()
  await anEndpoint(server, { topics: ['orders.created'] })
  const publish = (body: object) => server.call('POST', '/v1/events', { body: { payload: 1, ...body } })
  await publish({ topic: 'orders.created', ordering_key: 'k', metadata: { source: 'shop', plan: 'a=b c' } })
  await publish({ topic: 'orders.paid' })
  await publish({ topic: 'ordersx' })
  const find = async (query: string) => {
    const { json } = await server.call('GET', `/v1/events?${query}`)
    expect([json.next_cursor, json.searched_until]).toEqual(['', null])
    return json.items.map((event: { readonly topic: string }) => event.topic)
  }
  expect(await find('topic_pattern=orders.*')).toEqual(['orders.paid', 'orders.created'])
  expect(await find('topic_pattern=orders.paid')).toEqual(['orders.paid'])
  expect(await find('topic_pattern=*')).toHaveLength(3)
  expect(await find('topic_pattern=orders.*&topic=ordersx')).toEqual([])
  expect(await find('topic_pattern=orders&topic=orders.paid')).toEqual([])
  expect(await find('ordering_key=k')).toEqual(['orders.created'])
  expect(await find('metadata=source%3Dshop')).toEqual(['orders.created'])
  expect(await find('metadata=plan%3Da%3Db%20c')).toEqual(['orders.created'])
  expect(await find('metadata=plan%3Da')).toEqual([])
  expect(await find('delivery_state=pending')).toEqual(['orders.created'])
  expect(await find('delivery_state=succeeded')).toEqual([])
  for (const query of ['topic_pattern=ord*', 'metadata=shop', 'metadata=A%3Db', 'delivery_state=lost']) {
    expect([query, (await server.call('GET', `/v1/events?${query}`)).status]).toEqual([query, 400])
  }
})

/** Sends one event to a receiver's path and waits for its delivery to come to an end. */
async function deliver(path: string, policy: unknown = 'standard') {
  const receiver: Receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  const server = await aLocalServer(true)
  await anEndpoint(server, { url: `${receiver.url}${path}`, topics: ['*'], retry_policy: policy })
  const { json } = await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })
  const { tenantId } = await server.engine.events.wait('ten_00000000000000000000000000', json.id)
  const [delivery] = (await server.call('GET', `/v1/events/${json.id}`)).json.deliveries
  return { server, tenantId, eventId: json.id, delivery }
}

test('a dead letter is listed, replayed once with the same id, and then is none', async () => {
  const { server, delivery } = await deliver('/status/422')
  expect(delivery).toMatchObject({ state: 'dead_lettered', error_class: 'http_422', last_http_status: 422 })
  const { json } = await server.call('GET', '/v1/dlq')
  expect(json.items).toMatchObject([
    {
      id: delivery.id,
      delivery_id: delivery.id,
      final_error: 'http_422',
      topic: 'a',
      dead_at: expect.stringMatching(rfc3339),
    },
  ])
  const path = `/v1/dlq/${delivery.id}/replay`
  const answers = await Promise.all(Array.from({ length: 8 }, () => server.call('POST', path)))
  const replayed = answers.filter(({ status }) => status === 200)
  expect(replayed.length).toBeGreaterThanOrEqual(1)
  expect(replayed[0]?.json).toEqual({ delivery_id: delivery.id, state: 'pending' })
  for (const answer of answers)
    if (answer.status !== 200) expectProblem(answer, { status: 409, title: 'not replayable' })
})

test('a delivery that succeeded cannot be replayed', async () => {
  const { server, delivery } = await deliver('/succeed')
  const answer = await server.call('POST', `/v1/dlq/${delivery.id}/replay`)
  expectProblem(answer, { status: 409, title: 'not replayable', detail: 'succeeded' })
})
