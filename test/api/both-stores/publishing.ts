/** Rows of docs/compatibility.md on publishing. */
import { expect, test } from 'vitest'
import { adminToken, type TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { type ApiScene, aName, anEndpointBody, type OpenScene } from './scene.ts'

/** An endpoint for a topic of its own, and a producer. */
async function aShop({ one, two }: ApiScene) {
  const topic = `${aName('shop')}.created`
  const endpoint = await one.call('POST', '/v1/endpoints', { body: { ...anEndpointBody, topics: [topic] } })
  expect(endpoint.status).toBe(201)
  const token = (await one.producer()).key
  const publish = (options: object, server: TestServer = one) =>
    server.call('POST', '/v1/events', { token, body: { topic, payload: { id: 1 } }, ...options })
  return { one, two, topic, token, publish }
}

export function describePublishing(open: OpenScene): void {
  test('S1.1 S1.2 answers 202 with the event and one delivery per subscription, as bytes that clients know', async () => {
    const answer = await (await aShop(open())).publish({})
    expect(answer.status).toBe(202)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('idempotent-replay')).toBeNull()
    expect(answer.text).toMatch(
      /^\{"id":"(evt_[0-9a-z]{26})","event_id":"\1","delivery_ids":\["dlv_[0-9a-z]{26}"\]\}\n$/,
    )
  })

  test('S1.4 a topic that nobody subscribed to gives lists that are empty, never null', async () => {
    const { publish, two, token } = await aShop(open())
    const { json } = await publish({ body: { topic: aName('unheard'), payload: 1 } })
    expect(json.delivery_ids).toEqual([])
    expect((await two.call('GET', `/v1/events/${json.id}`, { token })).json.deliveries).toEqual([])
  })

  test('S1.9 a key is unknown once it is revoked, on each node', async () => {
    const { one, two } = open()
    const { id, key: token } = await one.producer()
    const publish = (server: TestServer) =>
      server.call('POST', '/v1/events', { token, body: { topic: 'a', payload: 1 } })
    expect([(await publish(one)).status, (await publish(two)).status]).toEqual([202, 202])
    await one.call('DELETE', `/v1/keys/${id}`)
    for (const server of [one, two]) {
      const unknown = { status: 401, title: 'invalid credentials', detail: 'unknown or revoked producer key' }
      expectProblem(await publish(server), unknown)
    }
  })

  test('S1.11 a payload of exactly 262144 bytes is taken, and kept byte for byte', async () => {
    const { publish, two, topic, token } = await aShop(open())
    const payload = `"${'x'.repeat(262_142)}"`
    const { status, json } = await publish({ body: `{"topic":"${topic}","payload":${payload}}` })
    expect(status).toBe(202)
    const event = await two.call('GET', `/v1/events/${json.id}`, { token })
    expect(event.json.payload_bytes).toBe(262_144)
    expect((await two.call('GET', `/v1/events/${json.id}/payload`, { token })).text).toBe(payload)
  })

  test.each([
    ['*', 'orders', true],
    ['*', 'orders.a.b', true],
    ['orders.*', 'orders.a', true],
    ['orders.*', 'orders.a.b', true],
    ['orders.*', 'orders', false],
    ['orders.*', 'orders2.a', false],
    ['orders', 'orders', true],
    ['orders', 'orders.a', false],
    ['orders', 'Orders', false],
    ['orders.a', 'orders.a', true],
  ])('S1.12 F7 to the pattern %s the topic %s goes: %s', async (pattern, topic, goes) => {
    const { one, two } = open()
    // A tenant of its own, so that nothing but this pattern is there.
    const { id } = (await one.call('POST', '/v1/tenants', { body: { uid: aName('patterns') } })).json
    const endpoint = { ...anEndpointBody, topics: [pattern] }
    await one.call('POST', `/v1/endpoints?tenant=${id}`, { body: endpoint })
    const given = { body: { topic, payload: 1 } }
    const { status, json } = await two.call('POST', `/v1/events?tenant=${id}`, given)
    expect([status, json.delivery_ids.length]).toEqual([202, goes ? 1 : 0])
  })

  test('S1.12 a * elsewhere is no wildcard, and is refused', async () => {
    const { one } = open()
    for (const pattern of ['ord*', '**', '*.created', 'a.*.b', '.*']) {
      const answer = await one.call('POST', '/v1/endpoints', {
        body: { ...anEndpointBody, topics: [pattern] },
      })
      expectProblem(answer, { status: 422, detail: 'can never match' })
    }
  })

  test('S1.42 F11 when the store is down the answer is 503 with a short Retry-After, never 202', async () => {
    const { publish, one } = await aShop(open())
    // Of the configuration: no store is asked who that is.
    const token = adminToken
    expect((await publish({ token })).status).toBe(202)
    one.setStoreDown(true)
    const answer = await publish({ token })
    one.setStoreDown(false)
    expectProblem(answer, {
      status: 503,
      title: 'ingest unavailable',
      detail: 'could not durably record the event',
    })
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(10)
  })

  describeIdempotencyKeys(open)
}

function describeIdempotencyKeys(open: OpenScene): void {
  const headers = { 'idempotency-key': 'k_1' }

  test('S1.5 the same key and bytes get the first answer again, marked as a replay', async () => {
    const { publish, one, two, topic } = await aShop(open())
    const [first, second] = [await publish({ headers }), await publish({ headers }, two)]
    expect([first.status, second.status]).toEqual([202, 202])
    expect(first.headers.get('idempotent-replay')).toBeNull()
    expect(second.headers.get('idempotent-replay')).toBe('true')
    expect(second.text).toBe(first.text)
    expect((await one.call('GET', `/v1/deliveries?topic=${topic}`)).json.items).toHaveLength(1)
  })

  test('an event and the list of them say whether it was published with an idempotency key, and never which', async () => {
    const { one, two, topic, publish } = await aShop(open())
    const keyed = (await publish({ headers: { 'idempotency-key': 'nobody-sees-this' } })).json
    const plain = (await publish({})).json
    const list = await two.call('GET', `/v1/events?topic=${topic}`)
    const shown = list.json.items.map(({ id, has_idempotency_key: has }: Record<string, unknown>) => [
      id,
      has,
    ])
    expect(shown).toEqual([
      [plain.id, false],
      [keyed.id, true],
    ])
    const event = await one.call('GET', `/v1/events/${keyed.id}`)
    expect(event.json).toMatchObject({ has_idempotency_key: true })
    expect(list.text + event.text).not.toContain('nobody-sees-this')
  })

  test.each([
    ['one byte of the payload', { body: '{"topic":"a","payload":{"x": 1}}', headers }],
    ['the topic', { body: '{"topic":"b","payload":{"x":1}}', headers }],
    [
      'the ordering key',
      { body: '{"topic":"a","payload":{"x":1}}', headers: { ...headers, 'x-hookrail-ordering-key': 'o' } },
    ],
  ])('S1.6 another value of %s under the same key is a conflict', async (_what, changed) => {
    const { publish, two } = await aShop(open())
    expect((await publish({ body: '{"topic":"a","payload":{"x":1}}', headers })).status).toBe(202)
    expectProblem(await publish(changed, two), {
      status: 409,
      title: 'idempotency conflict',
      detail: 'Idempotency-Key was reused with a different body',
    })
  })

  test('S1.7 another producer’s key is another scope, and all admin tokens share one', async () => {
    const { publish, one, two, token } = await aShop(open())
    const admin = (await one.call('POST', '/v1/keys', { body: { name: 'ops', kind: 'admin' } })).json.key
    const other = (await one.producer('other')).key
    const shared = { 'idempotency-key': aName('shared') }
    const send = async (by: string, server: TestServer) =>
      (await publish({ headers: shared, token: by }, server)).json.id
    const ids = [
      await send(token, one),
      await send(other, two),
      await send(adminToken, one),
      await send(admin, two),
    ]
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe(ids[3])
  })

  test('S1.8 fifty at the same time make one event and forty-nine replays', async () => {
    const { publish, one, two, topic } = await aShop(open())
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => publish({ headers }, n % 2 === 0 ? one : two)),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    const replays = answers.filter((answer) => answer.headers.get('idempotent-replay') === 'true')
    expect(replays).toHaveLength(49)
    expect((await one.call('GET', `/v1/events?topic=${topic}`)).json.items).toHaveLength(1)
  })
}
