import { beforeAll, expect, test } from 'vitest'
import { aReceiver } from '../delivery/an-app.ts'
import { aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const event = { topic: 'orders.created', payload: { id: 1 } }
const hourMs = 3_600_000
const dayMs = 24 * hourMs

let server: TestServer
const closers: (() => unknown)[] = []
beforeAll(async () => {
  server = await aServer({
    dispatch: true,
    config: { allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
    closeWith: (close) => closers.push(close),
  })
  return () => Promise.all(closers.map((close) => close()))
})

const publish = (body: unknown) => server.call('POST', '/v1/events', { body })
const inFuture = (ms: number) => new Date(Date.now() + ms).toISOString()

async function anEndpoint(topic: string) {
  const receiver = await aReceiver()
  const body = { url: receiver.url, topics: [topic] }
  expect((await server.call('POST', '/v1/endpoints', { body })).status).toBe(201)
  return receiver
}

test.each<[string, () => Record<string, unknown>]>([
  ['a time', () => ({ deliver_at: inFuture(hourMs) })],
  ['a duration', () => ({ delay: '1h' })],
  ['milliseconds', () => ({ delay: hourMs })],
])(
  'an event for later, given %s, says when it and its delivery are due, and is not sent',
  async (way, given) => {
    const topic = `later.${way.replace(' ', '_')}`
    const receiver = await anEndpoint(topic)
    const earliest = Date.now() + hourMs - 2000
    const { status, json } = await publish({ ...event, topic, ...given() })
    expect(status).toBe(202)
    const shown = (await server.call('GET', `/v1/events/${json.event_id}`)).json
    const dueAt = Date.parse(shown.deliver_at)
    expect(dueAt).toBeGreaterThanOrEqual(earliest)
    expect(dueAt).toBeLessThanOrEqual(Date.now() + hourMs + 1)
    const waiting = { state: 'pending', reason: 'scheduled', next_attempt_at: shown.deliver_at }
    expect(shown.deliveries).toMatchObject([waiting])
    const delivery = (await server.call('GET', `/v1/deliveries/${json.delivery_ids[0]}`)).json
    expect(delivery).toMatchObject({ ...waiting, attempt_count: 0 })
    const listed = (await server.call('GET', `/v1/deliveries?state=pending`)).json.items
    expect(listed).toContainEqual(expect.objectContaining({ id: json.delivery_ids[0], reason: 'scheduled' }))
    // What comes after it is not kept waiting.
    expect((await publish({ ...event, topic })).status).toBe(202)
    await expect.poll(() => receiver.received.length).toBe(1)
    expect((await server.call('GET', `/v1/deliveries/${json.delivery_ids[0]}`)).json).toMatchObject(waiting)
  },
)

test('an event is sent once its time has come, and not before', async () => {
  const receiver = await anEndpoint('soon')
  const publishedAt = Date.now()
  expect((await publish({ ...event, topic: 'soon', delay: 400 })).status).toBe(202)
  await expect.poll(() => receiver.received.length, { timeout: 20_000 }).toBe(1)
  expect(Date.now() - publishedAt).toBeGreaterThanOrEqual(400)
})

test.each([
  ['a time in the past', { deliver_at: '2020-01-01T00:00:00Z' }],
  ['no delay', { delay: 0 }],
  ['null', { deliver_at: null, delay: null }],
])('%s is now', async (_, given) => {
  const { json } = await publish({ ...event, topic: 'nobody.listens', ...given })
  expect((await server.call('GET', `/v1/events/${json.event_id}`)).json).toMatchObject({ deliver_at: null })
})

test.each<[string, Record<string, unknown>, string | RegExp]>([
  ['both', { deliver_at: inFuture(hourMs), delay: '1h' }, 'deliver_at and delay are both given'],
  ['a delay that is none', { delay: 'soon' }, 'delay must be a duration'],
  ['a negative delay', { delay: -1 }, 'delay must be a duration'],
  ['a fraction', { delay: 0.5 }, 'delay must be a duration'],
  ['an object', { delay: {} }, 'delay must be a duration'],
  ['a delay of more than a year', { delay: '367d' }, 'more than 366 days'],
  ['a time in more than a year', { deliver_at: inFuture(367 * dayMs) }, 'more than 366 days'],
  ['a time that is none', { deliver_at: 'tomorrow' }, 'deliver_at must be an RFC 3339 time'],
  ['a time without a zone', { deliver_at: '2026-12-24T18:00:00' }, 'deliver_at must be an RFC 3339 time'],
  ['a number for a time', { deliver_at: 1 }, 'deliver_at must be a string'],
  ['another spelling', { deliverAt: inFuture(hourMs) }, 'the member is deliver_at'],
])('%s is refused', async (_, given, detail) => {
  expectProblem(await publish({ ...event, ...given }), { status: 400, detail })
})

test('the events of a batch have times of their own', async () => {
  const { json } = await server.call('POST', '/v1/events/batch', {
    body: { events: [{ ...event, delay: '2h' }, event, { ...event, delay: 'x' }] },
  })
  expect(json.items[2].detail).toContain('events[2].delay')
  const shown = await Promise.all(
    [0, 1].map(async (at) => (await server.call('GET', `/v1/events/${json.items[at].event_id}`)).json),
  )
  expect(shown[0].deliver_at).not.toBeNull()
  expect(shown[1].deliver_at).toBeNull()
})

test('the same idempotency key gives the first event, whenever the second is for', async () => {
  const keyed = { ...event, idempotency_key: 'scheduled once' }
  const first = await publish({ ...keyed, delay: '1h' })
  const second = await publish({ ...keyed, delay: '2h' })
  expect(second.headers.get('idempotent-replay')).toBe('true')
  expect(second.json.event_id).toBe(first.json.event_id)
})

test('the document says exactly which delays are taken', async () => {
  const { json } = await server.call('GET', '/openapi.json')
  const { pattern, maximum } = json.components.schemas.PublishEvent.properties.delay
  const isDocumented = (text: string) => new RegExp(pattern).test(text)
  const most = { ms: 31_622_400_000, '': 31_622_400_000, s: 31_622_400, m: 527_040, h: 8784, d: 366 }
  for (const [unit, number] of Object.entries(most)) {
    for (const value of [0, 1, 9, 10, 99, Math.floor(number / 2), number - 1, number]) {
      expect([`${value}${unit}`, isDocumented(`${value}${unit}`)]).toEqual([`${value}${unit}`, true])
    }
    for (const value of [number + 1, number * 2, number * 10]) {
      expect([`${value}${unit}`, isDocumented(`${value}${unit}`)]).toEqual([`${value}${unit}`, false])
      expect((await publish({ ...event, delay: `${value}${unit}` })).status).toBe(400)
    }
    expect((await publish({ ...event, delay: `${number}${unit}` })).status).toBe(202)
  }
  expect(maximum).toBe(most.ms)
})
