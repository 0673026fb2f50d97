import { beforeAll, describe, expect, test } from 'vitest'
import { aServer, type CallOptions, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const event = { topic: 'orders.created', payload: { id: 1 } }

let server: TestServer
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({ closeWith: (close) => closers.push(close) })
  return () => Promise.all(closers.map((close) => close()))
})

async function twice(call: CallOptions) {
  const token = (await server.producer()).key
  const send = () => server.call('POST', '/v1/events', { token, ...call })
  const [first, second] = [await send(), await send()]
  expect([first.status, second.status]).toEqual([202, 202])
  return { first, second }
}

describe('the idempotency key of one event', () => {
  test.each<[string, CallOptions]>([
    ['in the body', { body: { ...event, idempotency_key: 'k' } }],
    ['in the header', { body: event, headers: { 'idempotency-key': 'k' } }],
    ['in both, the same', { body: { ...event, idempotency_key: 'k' }, headers: { 'idempotency-key': 'k' } }],
    [
      'in both, beyond ASCII',
      {
        body: { ...event, idempotency_key: 'ключ' },
        headers: { 'idempotency-key': Buffer.from('ключ').toString('latin1') },
      },
    ],
    [
      'null in the body beside a header',
      { body: { ...event, idempotency_key: null }, headers: { 'idempotency-key': 'k' } },
    ],
  ])('%s makes a second publish a replay', async (_where, call) => {
    const { first, second } = await twice(call)
    expect(second.headers.get('idempotent-replay')).toBe('true')
    expect(second.json.event_id).toBe(first.json.event_id)
  })

  test('names the same event whether it comes in the header, in the body or in a batch', async () => {
    const token = (await server.producer()).key
    const keyed = { ...event, idempotency_key: 'k' }
    const byBody = await server.call('POST', '/v1/events', { token, body: keyed })
    const byHeader = await server.call('POST', '/v1/events', {
      token,
      body: event,
      headers: { 'idempotency-key': 'k' },
    })
    const batch = await server.call('POST', '/v1/events/batch', { token, body: { events: [keyed] } })
    expect(byHeader.json.event_id).toBe(byBody.json.event_id)
    expect(batch.json.items[0]).toMatchObject({ event_id: byBody.json.event_id, replayed: true })
  })

  test('without one, or with null, two publishes are two events', async () => {
    for (const body of [event, { ...event, idempotency_key: null }]) {
      const { first, second } = await twice({ body })
      expect(second.json.event_id).not.toBe(first.json.event_id)
    }
  })

  const header = { 'idempotency-key': 'a' }
  test.each<[string, CallOptions, string]>([
    ['another in header and body', { body: { ...event, idempotency_key: 'b' }, headers: header }, 'differ'],
    ['an empty one in the body', { body: { ...event, idempotency_key: '' } }, '1 to 255 bytes'],
    ['an empty one beside a header', { body: { ...event, idempotency_key: '' }, headers: header }, 'differ'],
    ['a number', { body: { ...event, idempotency_key: 1 } }, 'idempotency_key must be a string'],
    ['too long', { body: { ...event, idempotency_key: 'k'.repeat(256) } }, '1 to 255 bytes'],
    ['a control character', { body: { ...event, idempotency_key: 'a\u0000' } }, ''],
    ['another spelling', { body: { ...event, idempotencyKey: 'k' } }, 'the member is idempotency_key'],
    [
      'the header’s spelling',
      { body: { ...event, 'Idempotency-Key': 'k' } },
      'the member is idempotency_key',
    ],
  ])('%s is a 400 and no event', async (_what, call, detail) => {
    const token = (await server.producer()).key
    const before = (await server.call('GET', '/v1/events')).json.items.length
    expectProblem(await server.call('POST', '/v1/events', { token, ...call }), { status: 400, detail })
    expect((await server.call('GET', '/v1/events')).json.items).toHaveLength(before)
  })
})

describe('the ordering key of one event', () => {
  test('may stand in the body, the header or the payload, and in all of them if it is the same', async () => {
    const bodies: CallOptions[] = [
      { body: { ...event, ordering_key: 'o' } },
      { body: { ...event, ordering_key: 'o' }, headers: { 'x-hookrail-ordering-key': 'o' } },
      { body: { ...event, payload: { ordering_key: 'o' }, ordering_key: 'o' } },
      { body: event, headers: { 'outhook-ordering-key': 'o' } },
      { body: event, headers: { 'outhook-ordering-key': 'o', 'x-hookrail-ordering-key': 'o' } },
    ]
    for (const call of bodies) {
      const { json } = await server.call('POST', '/v1/events', call)
      expect((await server.call('GET', `/v1/events/${json.id}`)).json.ordering_key).toBe('o')
    }
  })

  test.each<[string, CallOptions]>([
    ['header', { body: { ...event, ordering_key: 'a' }, headers: { 'x-hookrail-ordering-key': 'b' } }],
    ['payload', { body: { ...event, ordering_key: 'a', payload: { ordering_key: 'b' } } }],
    [
      'header of our own',
      { body: { ...event, ordering_key: 'a' }, headers: { 'outhook-ordering-key': 'b' } },
    ],
  ])('another one in the body than in the %s is a 400', async (_where, call) => {
    expectProblem(await server.call('POST', '/v1/events', call), {
      status: 400,
      title: 'ordering_key conflict',
    })
  })

  test('another one in our header than in hookrail’s is a 400 that names both', async () => {
    const headers = { 'outhook-ordering-key': 'a', 'x-hookrail-ordering-key': 'b' }
    expectProblem(await server.call('POST', '/v1/events', { body: event, headers }), {
      status: 400,
      title: 'ordering_key conflict',
      detail: 'Outhook-Ordering-Key and X-Hookrail-Ordering-Key differ',
    })
  })
})

test.each(['idempotency-key', 'outhook-ordering-key', 'x-hookrail-ordering-key'])(
  'a batch with the header %s is a 400, because the header would protect none of its events',
  async (name) => {
    const call = { body: { events: [event] }, headers: { [name]: 'k' } }
    expectProblem(await server.call('POST', '/v1/events/batch', call), {
      status: 400,
      detail: `the header ${name} is one event's`,
    })
  },
)
