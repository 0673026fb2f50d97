import { expect, test } from 'vitest'
import { patienceMs } from '../patience.ts'
import { aServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

/** One endpoint with so many subscriptions, each of which gives a delivery. */
async function aServerWith(subscriptions: number) {
  const server = await aServer({ config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] } })
  const url = 'http://127.0.0.1:9/'
  const endpoint = (await server.call('POST', '/v1/endpoints', { body: { url } })).json
  const body = { endpoint_id: endpoint.id, topic_patterns: ['orders.*'] }
  const made = Array.from({ length: subscriptions }, () => server.call('POST', '/v1/subscriptions', { body }))
  await Promise.all(made)
  return server
}

test('an event for 1001 deliveries is answered 202 as accepted, and read in pages of a thousand', async () => {
  const server = await aServerWith(1001)
  const { key } = await server.producer()
  const event = { topic: 'orders.created', payload: { n: 1 }, idempotency_key: 'once' }
  const published = await server.call('POST', '/v1/events', { token: key, body: event })
  expect(published.status).toBe(202)
  const { id } = published.json
  expect(published.text).toBe(`{"id":"${id}","event_id":"${id}","delivery_ids":[],"state":"accepted"}\n`)

  const path = `/v1/events/${id}`
  const read = async () => (await server.call('GET', path, { token: key })).json
  await expect.poll(async () => (await read()).state, { timeout: 6 * patienceMs }).toBe('fanned_out')
  const first = await read()
  expect(first.deliveries).toHaveLength(1000)
  const rest = await server.call('GET', `${path}?cursor=${first.next_cursor}`, { token: key })
  expect(rest.json).toMatchObject({ id, deliveries: [{ state: 'pending', attempts: [] }], next_cursor: '' })
  const ids = [...first.deliveries, ...rest.json.deliveries].map((delivery: { id: string }) => delivery.id)
  expect(new Set(ids).size).toBe(1001)

  const again = await server.call('POST', '/v1/events', { token: key, body: event })
  expect(again.headers.get('idempotent-replay')).toBe('true')
  expect(again.text).toBe(published.text)
  const batch = await server.call('POST', '/v1/events/batch', {
    token: key,
    body: {
      events: [
        { topic: 'orders.paid', payload: 1 },
        { topic: 'nobody', payload: 1 },
      ],
    },
  })
  expect(batch.json.items).toMatchObject([
    { status: 202, delivery_ids: [], state: 'accepted' },
    { status: 202 },
  ])
  expect(batch.json.items[1]).not.toHaveProperty('state')
}, 90_000)

test('a cursor that no answer gave is 400, and so is any other parameter', async () => {
  const server = await aServerWith(1)
  const { id } = (await server.call('POST', '/v1/events', { body: { topic: 'orders.paid', payload: 1 } }))
    .json
  expectProblem(await server.call('GET', `/v1/events/${id}?cursor=AAAA`), { status: 400, code: 'bad_cursor' })
  expectProblem(await server.call('GET', `/v1/events/${id}?limit=5`), { status: 400 })
})
