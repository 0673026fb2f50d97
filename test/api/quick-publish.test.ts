/** What is plain is answered past the framework; nobody who calls can tell. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { createDeadlines } from '../../src/api/deadlines.ts'
import { QuickPublish, type QuickPublishContext } from '../../src/api/quick-publish.ts'
import { createRequestBodies } from '../../src/api/request-bodies.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { type Answer, aServer, type TestServer } from './a-server.ts'

interface Publish {
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

const event = { topic: 'orders.created', payload: { id: 1 } }
const key = randomUUID()
const anotherKey = randomUUID()

/** In order: keys that come again were used before. */
const publishes: Readonly<Record<string, Publish>> = {
  'a plain event': { body: event },
  'an event with metadata': { body: { ...event, metadata: { source: 'shop' } } },
  'an event with a key': { body: event, headers: { 'idempotency-key': key } },
  'the same once more': { body: event, headers: { 'idempotency-key': key } },
  'another event with that key': { body: { ...event, topic: 'x' }, headers: { 'idempotency-key': key } },
  'keys that differ': {
    body: { ...event, idempotency_key: 'b' },
    headers: { 'idempotency-key': anotherKey },
  },
  'ordering keys that differ': {
    body: { ...event, ordering_key: 'b' },
    headers: { 'outhook-ordering-key': 'a' },
  },
  'the same ordering key twice': {
    body: { ...event, ordering_key: 'a' },
    headers: { 'outhook-ordering-key': 'a' },
  },
  'a misspelled key': { body: { ...event, idempotencyKey: 'b' } },
  'no JSON': { body: '{"topic":' },
  'no object': { body: '[]' },
  'no topic': { body: { payload: {} } },
  'no payload': { body: { topic: 'orders.created' } },
  'a payload that is no object': { body: { topic: 'orders.created', payload: 1 } },
  'a topic that is none': { body: { ...event, topic: 'a b' } },
  'metadata that is none': { body: { ...event, metadata: { a: 1 } } },
  'a large event': { body: { ...event, payload: { text: 'x'.repeat(100_000) } } },
  'an event that is too large': { body: { ...event, payload: { text: 'x'.repeat(300_000) } } },
  'a compressed body': { body: event, headers: { 'content-encoding': 'gzip' } },
  'another content type': { body: event, headers: { 'content-type': 'text/plain' } },
  'a content type that is none': { body: event, headers: { 'content-type': ';' } },
}

function comparable({ status, headers, text }: Answer) {
  const named = Object.fromEntries(headers)
  delete named.date
  return { status, headers: named, text: text.replace(/(evt|dlv)_\w{26}/g, '$1_…') }
}

async function aServerWithKey(options: Parameters<typeof aServer>[0]): Promise<{
  readonly server: TestServer
  readonly publish: (publish: Publish) => Promise<Answer>
}> {
  const server = await aServer(options)
  const { key: token } = await server.producer()
  const publish = ({ body, headers = {} }: Publish) =>
    server.call('POST', '/v1/events', { token, body, headers })
  return { server, publish }
}

test('whoever publishes gets the same answer past the framework as from it', async () => {
  const slow = await aServerWithKey({ keyCacheMs: 0 })
  const quick = await aServerWithKey({})
  // From now on the key is known.
  await quick.publish({ body: event })
  for (const [name, publish] of Object.entries(publishes)) {
    const answers = [await quick.publish(publish), await slow.publish(publish)] as const
    expect([name, comparable(answers[0])]).toEqual([name, comparable(answers[1])])
  }
})

test('an event that cannot be stored is a 503 past the framework too, and is counted', async () => {
  const slow = await aServerWithKey({ keyCacheMs: 5000 })
  const { server, publish } = slow
  await publish({ body: event })
  server.setStoreDown(true)
  const answer = await publish({ body: event })
  expect([answer.status, answer.json.title]).toEqual([503, 'ingest unavailable'])
  const text = await server.metrics.render()
  expect(text).toContain('outhook_ingest_events_total{result="accepted"} 1')
  expect(text).toContain('outhook_ingest_events_total{result="unavailable"} 1')
  expect(text).toContain('outhook_http_requests_total{method="POST",route="/v1/events",status="202"} 1')
  expect(text).toContain('outhook_http_requests_total{method="POST",route="/v1/events",status="503"} 1')
})

test('a key that is revoked is refused at once on a connection that has used it', async () => {
  const { server, publish } = await aServerWithKey({})
  const { id, key: token } = await server.producer('short-lived')
  const use = () => server.call('POST', '/v1/events', { token, body: event })
  expect([(await use()).status, (await use()).status, (await use()).status]).toEqual([202, 202, 202])
  expect((await server.call('DELETE', `/v1/keys/${id}`)).status).toBeLessThan(300)
  expect((await use()).status).toBe(401)
  expect((await publish({ body: event })).status).toBe(202)
})

const aPrincipal = {
  kind: 'producer',
  tenantId: 'ten_1',
  keyId: 'key_1',
  scopes: null,
  abilities: ['publish'],
  rateLimitRps: null,
}

async function aQuickServer(changes: Partial<QuickPublishContext> = {}) {
  const clock = createSystemClock()
  const quick = new QuickPublish()
  const published: unknown[] = []
  const server = createServer(quick.before((_request, response) => void response.writeHead(599).end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const publish = async (request: unknown) => {
    published.push(request)
    return { eventId: 'evt_1', deliveryIds: [], replayed: false }
  }
  const context = {
    engine: { publisher: { publish } },
    auth: { recognize: () => aPrincipal },
    ingestLimit: { payNow: () => true },
    metrics: { ingest() {}, request() {} },
    bodies: createRequestBodies(),
    deadlines: createDeadlines(clock, 30_000),
    isClosing: () => false,
    hasStarted: () => true,
    elapsed: () => clock.elapsed(),
    ...changes,
  } as unknown as QuickPublishContext
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = async (path: string, init: RequestInit = {}) =>
    (await fetch(url + path, { method: 'POST', body: JSON.stringify(event), ...init })).status
  return { serve: () => quick.serve(context), send, published }
}

test('only what is plain, from a caller who is known, does not reach the framework', async () => {
  const { serve, send, published } = await aQuickServer()
  expect(await send('/v1/events')).toBe(599)
  serve()
  expect(await send('/v1/events')).toBe(202)
  expect(published).toHaveLength(1)
  const others = [
    send('/v1/events?a=1'),
    send('/v1/events/batch'),
    send('/v1/events', { method: 'PUT' }),
    send('/v1/events', { body: '' }),
    send('/v1/events', { body: 'x'.repeat(65_537) }),
    send('/v1/events', { headers: { 'content-encoding': 'gzip' } }),
  ]
  expect(await Promise.all(others)).toEqual(others.map(() => 599))
  expect(published).toHaveLength(1)
})

test.each([
  ['a caller who is not known', { auth: { recognize: () => null } }],
  ['a server that is stopping', { isClosing: () => true }],
  ['a server whose store is not open', { hasStarted: () => false }],
])('the framework answers %s', async (_name, changes) => {
  const { serve, send, published } = await aQuickServer(changes as unknown as Partial<QuickPublishContext>)
  serve()
  expect(await send('/v1/events')).toBe(599)
  expect(published).toEqual([])
})
