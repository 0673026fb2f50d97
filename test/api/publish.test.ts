import { describe, expect, test } from 'vitest'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const url = 'http://127.0.0.1:9/hook'
const loopback = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

/** A server with one endpoint for `orders.*`, and a producer. */
async function aShop(): Promise<TestServer & { readonly token: string }> {
  const server = await aServer({ config: loopback })
  const { status } = await server.call('POST', '/v1/endpoints', { body: { url, topics: ['orders.*'] } })
  expect(status).toBe(201)
  return { ...server, token: (await server.producer()).key }
}

const order = { topic: 'orders.created', payload: { id: 1 } }

describe('POST /v1/events', () => {
  test('S1.1 S1.2 answers 202 with the event and one delivery per subscription, as bytes that clients know', async () => {
    const server = await aShop()
    const answer = await server.call('POST', '/v1/events', { token: server.token, body: order })
    expect(answer.status).toBe(202)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('idempotent-replay')).toBeNull()
    expect(answer.text).toMatch(
      /^\{"id":"(evt_[0-9a-z]{26})","event_id":"\1","delivery_ids":\["dlv_[0-9a-z]{26}"\]\}\n$/,
    )
  })

  test('S1.4 a topic that nobody subscribed to gives lists that are empty, never null', async () => {
    const server = await aShop()
    const { json } = await server.call('POST', '/v1/events', {
      token: server.token,
      body: { ...order, topic: 'x' },
    })
    expect(json.delivery_ids).toEqual([])
    const status = await server.call('GET', `/v1/events/${json.id}`, { token: server.token })
    expect(status.json.deliveries).toEqual([])
  })

  test.each(['{"b":1, "a" : 12345678901234567890,"a":1.0e+2}', '"\\u00e9\\/é"', 'null', ' [1 , 2] ', '0'])(
    'the payload %s comes back byte for byte',
    async (payload) => {
      const server = await aShop()
      const body = `{"payload":${payload},"extra":{"payload":2},"topic":"orders.created"}`
      const { json } = await server.call('POST', '/v1/events', { token: server.token, body })
      const back = await server.call('GET', `/v1/events/${json.id}/payload`, { token: server.token })
      expect(back.text).toBe(payload.trim())
      expect(back.headers.get('content-type')).toBe('application/json')
    },
  )

  test('S1.11 a payload of exactly 262144 bytes is taken', async () => {
    const server = await aShop()
    const body = `{"topic":"a","payload":"${'x'.repeat(262_142)}"}`
    const { status, json } = await server.call('POST', '/v1/events', { token: server.token, body })
    expect(status).toBe(202)
    const event = await server.call('GET', `/v1/events/${json.id}`, { token: server.token })
    expect(event.json.payload_bytes).toBe(262_144)
  })

  test('metadata and the ordering key are kept, whether it comes as header or in the payload', async () => {
    const server = await aShop()
    const given = { ...order, metadata: { source: 'shop' } }
    const headers = { 'x-hookrail-ordering-key': 'o_1' }
    const byHeader = await server.call('POST', '/v1/events', { token: server.token, body: given, headers })
    const body = { topic: 'orders.created', payload: { ordering_key: 'o_2' } }
    const byPayload = await server.call('POST', '/v1/events', { token: server.token, body })
    const read = async (id: string) =>
      (await server.call('GET', `/v1/events/${id}`, { token: server.token })).json
    expect(await read(byHeader.json.id)).toMatchObject({ ordering_key: 'o_1', metadata: { source: 'shop' } })
    expect(await read(byPayload.json.id)).toMatchObject({ ordering_key: 'o_2', metadata: {} })
  })

  test('S1.42 when the store is down the answer is 503 with a short Retry-After, never 202', async () => {
    const server = await aShop()
    await server.call('POST', '/v1/events', { token: server.token, body: order })
    server.setStoreDown(true)
    const answer = await server.call('POST', '/v1/events', { token: server.token, body: order })
    expectProblem(answer, {
      status: 503,
      title: 'ingest unavailable',
      detail: 'could not durably record the event',
    })
    expect(Number(answer.headers.get('retry-after'))).toBeLessThanOrEqual(10)
  })
})

describe('idempotency keys', () => {
  const headers = { 'idempotency-key': 'k_1' }

  test('S1.5 the same key and bytes get the first answer again, marked as a replay', async () => {
    const server = await aShop()
    const send = () => server.call('POST', '/v1/events', { token: server.token, body: order, headers })
    const [first, second] = [await send(), await send()]
    expect([first.status, second.status]).toEqual([202, 202])
    expect(first.headers.get('idempotent-replay')).toBeNull()
    expect(second.headers.get('idempotent-replay')).toBe('true')
    expect(second.text).toBe(first.text)
    const deliveries = await server.call('GET', '/v1/deliveries')
    expect(deliveries.json.items).toHaveLength(1)
  })

  test('spacing and order of the envelope do not count', async () => {
    const server = await aShop()
    await server.call('POST', '/v1/events', {
      token: server.token,
      body: '{"topic":"a","payload":{"x":1}}',
      headers,
    })
    const body = ' {"payload" : {"x":1}, "topic":"a"}'
    const again = await server.call('POST', '/v1/events', { token: server.token, body, headers })
    expect(again.headers.get('idempotent-replay')).toBe('true')
  })

  test.each([
    ['one byte of the payload', { body: '{"topic":"a","payload":{"x": 1}}', headers }],
    ['the topic', { body: '{"topic":"b","payload":{"x":1}}', headers }],
    [
      'the ordering key',
      { body: '{"topic":"a","payload":{"x":1}}', headers: { ...headers, 'x-hookrail-ordering-key': 'o' } },
    ],
  ])('S1.6 another value of %s under the same key is a conflict', async (_what, changed) => {
    const server = await aShop()
    const first = { body: '{"topic":"a","payload":{"x":1}}', headers }
    expect((await server.call('POST', '/v1/events', { token: server.token, ...first })).status).toBe(202)
    const answer = await server.call('POST', '/v1/events', { token: server.token, ...changed })
    expectProblem(answer, {
      status: 409,
      title: 'idempotency conflict',
      detail: 'Idempotency-Key was reused with a different body',
    })
  })

  test('S1.7 another producer’s key is another scope, and all admin tokens share one', async () => {
    const server = await aShop()
    const admin = (await server.call('POST', '/v1/keys', { body: { name: 'ops', kind: 'admin' } })).json.key
    const other = (await server.producer('other')).key
    const send = async (token?: string) =>
      (
        await server.call('POST', '/v1/events', {
          body: order,
          headers,
          ...(token !== undefined && { token }),
        })
      ).json.id
    const ids = [await send(server.token), await send(other), await send(), await send(admin)]
    expect(new Set(ids).size).toBe(3)
    expect(ids[2]).toBe(ids[3])
  })

  test('S1.8 fifty at the same time make one event and forty-nine replays', async () => {
    const server = await aShop()
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        server.call('POST', '/v1/events', { token: server.token, body: order, headers }),
      ),
    )
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers.get('idempotent-replay') === 'true')).toHaveLength(49)
    expect((await server.call('GET', '/v1/events')).json.items).toHaveLength(1)
  })
})

describe('POST /v1/events/batch', () => {
  test('answers in the order of the request, with exact payloads and idempotency of each', async () => {
    const server = await aShop()
    const body = `{"events":[
      {"topic":"orders.a","payload":{"n": 1.0},"idempotency_key":"k"},
      {"payload":[12345678901234567890],"topic":"x","ordering_key":"o"},
      {"topic":"orders.a","payload":{"n": 1.0},"idempotency_key":"k"},
      {"topic":"orders.a","payload":{"n":1.0},"idempotency_key":"k"}]}`
    const { status, json } = await server.call('POST', '/v1/events/batch', { token: server.token, body })
    expect(status).toBe(200)
    expect(json.items).toMatchObject([
      { status: 202, replayed: false, delivery_ids: [expect.stringMatching(/^dlv_/)] },
      { status: 202, replayed: false, delivery_ids: [] },
      { status: 202, replayed: true, event_id: json.items[0].event_id },
      { status: 409, title: 'idempotency conflict' },
    ])
    const payload = (index: number) =>
      server.call('GET', `/v1/events/${json.items[index].event_id}/payload`, { token: server.token })
    expect((await payload(0)).text).toBe('{"n": 1.0}')
    expect((await payload(1)).text).toBe('[12345678901234567890]')
  })

  test('a thousand events are taken', async () => {
    const server = await aShop()
    const body = { events: Array(1000).fill(order) }
    const { json } = await server.call('POST', '/v1/events/batch', { token: server.token, body })
    expect(json.items.every(({ status }: { status: number }) => status === 202)).toBe(true)
  })

  test('when the store is down the whole is answered with 503', async () => {
    const server = await aShop()
    server.setStoreDown(true)
    const answer = await server.call('POST', '/v1/events/batch', { body: { events: [order, order] } })
    expectProblem(answer, { status: 503, title: 'ingest unavailable' })
  })
})
