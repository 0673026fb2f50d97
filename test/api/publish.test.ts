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
})

describe('idempotency keys', () => {
  const headers = { 'idempotency-key': 'k_1' }

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
