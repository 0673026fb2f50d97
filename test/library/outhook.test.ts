/** The library as its users meet it. */
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type OpenOptions, Outhook, OuthookError } from '../../src/index.ts'
import { aDirectory, anHttpServer, aReceiver } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

// biome-ignore lint/suspicious/noExplicitAny: as the library's own default.
async function open<Topics extends object = Record<string, any>>(options: Partial<OpenOptions> = {}) {
  const hooks = await Outhook.open<Topics>({
    store: 'memory:',
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
  onTestFinished(() => hooks.close())
  return hooks
}

const aFile = () => `sqlite:${join(aDirectory(), 'hooks.db')}` as const

test('every line of the quickstart works', async () => {
  const receiver = await aReceiver()
  const log: unknown[] = []
  const hooks = await Outhook.open({ store: aFile(), allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  hooks.on('attempt', (a) => log.push([a.topic, a.httpStatus, a.status]))
  const ep = await hooks.endpoints.upsert({
    uid: 'billing',
    url: `${receiver.url}/hook`,
    topics: ['orders.*'],
  })
  const ev = await hooks.publish({ topic: 'orders.created', payload: { id: 'o_1' }, idempotencyKey: 'o_1' })
  const { deliveries } = await hooks.events.wait(ev.id, { timeoutMs: patienceMs })
  await hooks.close()
  expect(ep).toMatchObject({ created: true, secret: expect.stringMatching(/^whsec_/) })
  expect(deliveries).toMatchObject([
    { state: 'succeeded', attempts: [{ status: 'success', httpStatus: 200 }] },
  ])
  expect(log).toEqual([['orders.created', 200, 'success']])
  expect(receiver.received[0]).toMatchObject({ eventId: ev.id, topic: 'orders.created' })
})

test('the same upsert at the next start changes nothing and shows no secret', async () => {
  const file = aFile()
  const input = { uid: 'billing', url: 'http://127.0.0.1:9/hook', topics: ['orders.*'] }
  const first = await open({ store: file, dispatch: false })
  const created = await first.endpoints.upsert(input)
  await first.close()
  const second = await open({ store: file, dispatch: false })
  const again = await second.endpoints.upsert(input)
  expect(again).toMatchObject({ created: false, secret: null, endpoint: { id: created.endpoint.id } })
  expect((await second.subscriptions.list()).items).toHaveLength(1)
})

test('await using closes at the end of its block', async () => {
  let hooks!: Outhook
  {
    await using scoped = await Outhook.open({ store: 'memory:' })
    hooks = scoped
    expect((await scoped.publish({ topic: 'a', payload: 1 })).deliveryIds).toEqual([])
  }
  await expect(hooks.publish({ topic: 'a', payload: 1 })).rejects.toMatchObject({ code: 'shutting_down' })
})

test('close can be called twice, and installs and leaves no signal handlers', async () => {
  const before = process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')
  const hooks = await open()
  expect(process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')).toBe(before)
  await Promise.all([hooks.close(), hooks.close()])
  await hooks.close()
})

test('with dispatch: false events are kept and delivered by whoever dispatches next', async () => {
  const file = aFile()
  const receiver = await aReceiver()
  const quiet = await open({ store: file, dispatch: false })
  await quiet.endpoints.create({ url: receiver.url, topics: ['*'] })
  const ev = await quiet.publish({ topic: 'a', payload: {} })
  expect((await quiet.events.get(ev.id)).deliveries).toMatchObject([{ state: 'pending' }])
  await quiet.close()
  expect(receiver.received).toHaveLength(0)
  const hooks = await open({ store: file })
  await hooks.events.wait(ev.id)
  expect(receiver.received).toHaveLength(1)
})

test('S3.19 changing the object, the bytes or the metadata after publish changes nothing', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  const payload = { items: [1], note: 'first' }
  const metadata = { source: 'shop' }
  const body = Buffer.from('{"note":"first"}')
  const published = [
    hooks.publish({ topic: 'object', payload, metadata }),
    hooks.publish({ topic: 'bytes', body }),
  ]
  payload.items.push(2)
  payload.note = 'later'
  metadata.source = 'other'
  body.fill(0x20)
  await Promise.all(published)
  const requests = await receiver.waitFor(2, patienceMs)
  const byTopic = new Map(requests.map((request) => [request.topic, request]))
  expect(Buffer.from(byTopic.get('object')!.body).toString()).toBe('{"items":[1],"note":"first"}')
  expect(byTopic.get('object')!.headers['outhook-meta-source']).toBe('shop')
  expect(Buffer.from(byTopic.get('bytes')!.body).toString()).toBe('{"note":"first"}')
})

test('a body is sent as exact JSON, as text or as bytes', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  const exact = '{"b":1, "a":12345678901234567890}'
  await hooks.publish({ topic: 'text', body: exact })
  await hooks.publish({ topic: 'bytes', body: Buffer.from(exact) })
  const requests = await receiver.waitFor(2, patienceMs)
  expect(requests.map(({ body }) => Buffer.from(body).toString())).toEqual([exact, exact])
})

const loop: { self?: unknown } = {}
loop.self = loop

test.each([
  ['undefined', { payload: undefined }, 'invalid_payload'],
  ['NaN', { payload: { total: Number.NaN } }, 'invalid_payload'],
  ['Infinity', { payload: [Number.POSITIVE_INFINITY] }, 'invalid_payload'],
  ['a BigInt', { payload: { id: 1n } }, 'invalid_payload'],
  ['a function', { payload: () => 1 }, 'invalid_payload'],
  ['a cycle', { payload: loop }, 'invalid_payload'],
  ['a body that is no JSON', { body: '{"a":}' }, 'invalid_payload'],
  ['a body that is no UTF-8', { body: new Uint8Array([0x22, 0xff, 0x22]) }, 'invalid_payload'],
  ['more than 256 KiB', { payload: 'x'.repeat(262_143) }, 'payload_too_large'],
  [
    'two different ordering keys',
    { payload: { ordering_key: 'a' }, orderingKey: 'b' },
    'ordering_key_conflict',
  ],
  ['an idempotency key of another type', { payload: 1, idempotencyKey: 7 }, 'invalid_request'],
  ['an ordering key of another type', { payload: 1, orderingKey: 5 }, 'invalid_request'],
  ['an ordering key of another type that is falsy', { payload: 1, orderingKey: 0 }, 'invalid_request'],
  ['a topic of another type', { topic: 5, payload: 1 }, 'invalid_body'],
  ['metadata of another type', { payload: 1, metadata: 5 }, 'invalid_request'],
  ['a body and a payload', { body: '1', payload: 1 }, 'invalid_request'],
  ['deliverAt and delay', { payload: 1, deliverAt: new Date(), delay: 5 }, 'invalid_request'],
  ['deliverAt that is no Date', { payload: 1, deliverAt: '2030-01-01' }, 'invalid_request'],
  ['deliverAt that is no time', { payload: 1, deliverAt: new Date('x') }, 'invalid_request'],
  ['a delay that is none', { payload: 1, delay: 'soon' }, 'invalid_request'],
  ['a delay of two years', { payload: 1, delay: '731d' }, 'invalid_request'],
  ['neither body nor payload', {}, 'invalid_payload'],
  ['a body that is null', { body: null }, 'invalid_payload'],
  ['a body of another type', { body: { a: 1 } }, 'invalid_payload'],
])('publish refuses %s with a typed error', async (_, input, code) => {
  const hooks = await open({ dispatch: false })
  const refused = hooks.publish({ topic: 'a', ...input } as never)
  await expect(refused).rejects.toBeInstanceOf(OuthookError)
  await expect(refused).rejects.toMatchObject({ code })
})

test('publish takes a time or a delay, before which nothing is sent', async () => {
  const hooks = await open({ dispatch: false })
  await hooks.endpoints.create({ url: 'https://receiver.example/hook', topics: ['*'] })
  const deliverAt = new Date(Date.now() + 3_600_000)
  const { id } = await hooks.publish({ topic: 'a', payload: 1, deliverAt })
  const event = await hooks.events.get(id)
  expect(Math.abs((event?.deliverAt ?? 0) - deliverAt.getTime())).toBeLessThan(1000)
  expect(event?.deliveries).toMatchObject([{ state: 'pending', reason: 'scheduled' }])
  const later = await hooks.publish({ topic: 'a', payload: 1, delay: '2h' })
  expect((await hooks.events.get(later.id))?.deliveries).toMatchObject([{ reason: 'scheduled' }])
})

test.each([undefined, null, 'text'])('publish(%j) is a typed error', async (input) => {
  const hooks = await open({ dispatch: false })
  const refused = hooks.publish(input as never)
  await expect(refused).rejects.toBeInstanceOf(OuthookError)
  await expect(refused).rejects.toMatchObject({ code: 'invalid_request' })
})

test.each([
  ['idempotency_key', 'did you mean idempotencyKey?'],
  ['colour', 'the members are topic, payload,'],
])('publish names the unknown member %s', async (name, advice) => {
  const hooks = await open({ dispatch: false })
  const refused = hooks.publish({ topic: 'a', payload: 1, [name]: 'x' })
  await expect(refused).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(new RegExp(`"${name}"; ${advice.replace('?', '\\?')}`)),
  })
})

test('publishMany of something other than a list is a typed error', async () => {
  const hooks = await open({ dispatch: false })
  await expect(hooks.publishMany(undefined as never)).rejects.toMatchObject({ code: 'invalid_request' })
})

test('publishMany fails with typed errors only, whatever it is given', async () => {
  const hooks = await open({ dispatch: false })
  const hostile = {
    get topic(): string {
      throw new TypeError('a getter of the user')
    },
    payload: 1,
  }
  const results = await hooks.publishMany([null as never, hostile, { topic: 'a', payload: 1 }])
  expect(results).toMatchObject([
    { status: 'failed', error: { code: 'invalid_request' } },
    { status: 'failed', error: { code: 'internal', cause: expect.any(TypeError) } },
    { status: 'published' },
  ])
  expect(
    results.slice(0, 2).every((result) => 'error' in result && result.error instanceof OuthookError),
  ).toBe(true)
})

test('publishMany answers each input in order, and a refused one hinders no other', async () => {
  const hooks = await open({ dispatch: false })
  const results = await hooks.publishMany([
    { topic: 'a', payload: 1, idempotencyKey: 'k' },
    { topic: 'b', payload: Number.NaN },
    { topic: '', payload: 1 },
    { topic: 'a', payload: 1, idempotencyKey: 'k' },
    { topic: 'a', payload: 2, idempotencyKey: 'k' },
  ])
  expect(results).toMatchObject([
    { status: 'published', replayed: false },
    { status: 'failed', error: { code: 'invalid_payload' } },
    { status: 'failed', error: { code: 'invalid_body' } },
    { status: 'published', replayed: true },
    { status: 'failed', error: { code: 'idempotency_conflict' } },
  ])
  const [first, , , again] = results as { id: string }[]
  expect(again?.id).toBe(first?.id)
})

test('S4.1 an event reaches the exact and the `*` subscription, and no other', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  for (const [path, pattern] of Object.entries({ exact: 'orders.created', all: '*', other: 'orders.paid' })) {
    await hooks.endpoints.create({ url: `${receiver.url}/${path}`, topics: [pattern] })
  }
  const ev = await hooks.publish({ topic: 'orders.created', payload: {} })
  await hooks.events.wait(ev.id)
  expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/all', '/exact'])
})

test('one subscription gives one delivery, however many of its patterns match; two give two', async () => {
  const hooks = await open({ dispatch: false })
  const { endpoint } = await hooks.endpoints.create({ url: 'http://127.0.0.1:9/', topics: ['*', 'orders.*'] })
  expect((await hooks.publish({ topic: 'orders.created', payload: 1 })).deliveryIds).toHaveLength(1)
  await hooks.subscriptions.create({ endpointId: endpoint.id, topicPatterns: ['orders.created'] })
  expect((await hooks.publish({ topic: 'orders.created', payload: 1 })).deliveryIds).toHaveLength(2)
})

test('an inactive subscription gets no deliveries', async () => {
  const hooks = await open({ dispatch: false })
  const { endpoint } = await hooks.endpoints.create({ url: 'http://127.0.0.1:9/' })
  const sub = await hooks.subscriptions.create({ endpointId: endpoint.id, topicPatterns: ['*'] })
  await hooks.subscriptions.update(sub.id, { active: false })
  expect((await hooks.publish({ topic: 'a', payload: 1 })).deliveryIds).toEqual([])
})

test('wait says in time what is still open', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  await hooks.endpoints.create({ url: `${receiver.url}/status/500`, topics: ['*'] })
  const ev = await hooks.publish({ topic: 'a', payload: 1 })
  const waited = hooks.events.wait(ev.id, { timeoutMs: 50 })
  await expect(waited).rejects.toMatchObject({ code: 'timeout' })
  await expect(waited).rejects.toThrow(ev.deliveryIds[0]!)
})

test.each([Number.NaN, -1])('wait refuses a timeout of %d', async (timeoutMs) => {
  const hooks = await open({ dispatch: false })
  const ev = await hooks.publish({ topic: 'a', payload: 1 })
  await expect(hooks.events.wait(ev.id, { timeoutMs })).rejects.toMatchObject({ code: 'invalid_request' })
})

test('an event without subscribers is at its end at once', async () => {
  const hooks = await open()
  const ev = await hooks.publish({ topic: 'a', payload: 1 })
  expect((await hooks.events.wait(ev.id, { timeoutMs: 0 })).deliveries).toEqual([])
})

test('an id that no event has is not_found', async () => {
  const hooks = await open({ dispatch: false })
  await expect(hooks.events.get('evt_01jxampledeliveryid0000000')).rejects.toMatchObject({
    code: 'not_found',
  })
  await expect(hooks.events.get('nonsense')).rejects.toMatchObject({ code: 'not_found' })
})

test('a dead letter is told, and its endpoint too when it is gone', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  const dead = vi.fn()
  const gone = new Promise((resolve) => hooks.on('endpointDisabled', resolve))
  hooks.on('deadLetter', dead)
  const { endpoint } = await hooks.endpoints.create({ url: `${receiver.url}/status/410`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: 1 })
  expect(await gone).toMatchObject({ endpointId: endpoint.id, reason: 'gone' })
  await expect.poll(() => dead).toHaveBeenCalledOnce()
  hooks.off('deadLetter', dead)
})

test('a listener that throws stops neither the others nor the delivery', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  const heard = new Promise((resolve) => {
    hooks.on('attempt', () => {
      throw new Error('a mistake of the user')
    })
    hooks.on('attempt', resolve)
  })
  await hooks.endpoints.create({ url: receiver.url, topics: ['*'] })
  const ev = await hooks.publish({ topic: 'a', payload: 1 })
  await heard
  expect((await hooks.events.wait(ev.id)).deliveries).toMatchObject([{ state: 'succeeded' }])
})

test('an attempt shows the origin of its endpoint and no path or query, which may be the secret', async () => {
  const receiver = await aReceiver()
  const hooks = await open()
  const heard = new Promise((resolve) => hooks.on('attempt', resolve))
  await hooks.endpoints.create({ url: `${receiver.url}/services/T0/s3cret?token=s3cret`, topics: ['*'] })
  await hooks.publish({ topic: 'a', payload: 1 })
  expect(await heard).toMatchObject({ url: new URL(receiver.url).origin })
})

test('topics can be given types', async () => {
  const hooks = await open<{ 'orders.created': { id: string } }>({ dispatch: false })
  await hooks.publish({ topic: 'orders.created', payload: { id: 'o_1' } })
  // @ts-expect-error the payload of this topic has an id of text
  await hooks.publish({ topic: 'orders.created', payload: { id: 1 } })
  // @ts-expect-error there is no such topic
  await hooks.publish({ topic: 'orders.deleted', payload: { id: 'o_1' } })
})

test('a request that is under way at close is waited for', async () => {
  const arrived = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const url = await anHttpServer((_request, response) => {
    arrived.resolve()
    void answer.promise.then(() => response.writeHead(200).end())
  })
  const file = aFile()
  const hooks = await open({ store: file })
  await hooks.endpoints.create({ url, topics: ['*'] })
  const ev = await hooks.publish({ topic: 'a', payload: 1 })
  await arrived.promise
  const closed = hooks.close()
  answer.resolve()
  await closed
  const reader = await open({ store: file, dispatch: false })
  expect((await reader.events.get(ev.id)).deliveries).toMatchObject([{ state: 'succeeded' }])
})

test('an endpoint is found by its uid, and says its state and how many subscriptions send it events', async () => {
  const hooks = await open({ dispatch: false })
  await hooks.endpoints.upsert({ uid: 'billing', url: 'https://example.com/', topics: ['orders.*'] })
  expect(await hooks.endpoints.getByUid('billing')).toMatchObject({
    uid: 'billing',
    state: 'active',
    resumesAt: null,
    subscriptionCount: 1,
  })
  await expect(hooks.endpoints.getByUid('crm')).rejects.toMatchObject({
    code: 'not_found',
    message: 'no endpoint with that uid',
  })
})
