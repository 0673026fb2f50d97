import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { signRequest } from '../../src/core/signing.ts'
import { generateSecret, prepareSecret } from '../../src/core/signing-secrets.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { type Receiver, type ReceiverOptions, startReceiver } from '../../src/testing/receiver.ts'

async function aReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const receiver = await startReceiver(options)
  onTestFinished(() => receiver.close())
  return receiver
}

function post(receiver: Receiver, path: string, headers: Record<string, string> = {}, body = '{}') {
  return fetch(`${receiver.url}${path}`, { method: 'POST', body, headers, redirect: 'manual' })
}

const delivery = (id: string) => ({ 'outhook-delivery-id': id })

test.each([
  ['/', 200],
  ['/hook', 200],
  ['/succeed', 200],
  ['/anything/else', 200],
  ['/status/418', 418],
  ['/status/204', 204],
  ['/status/9', 400],
  ['/redirect', 302],
  ['/retry-after', 429],
  ['/slow/1', 200],
])('%s answers %i', async (path, status) => {
  const receiver = await aReceiver()
  expect((await post(receiver, path)).status).toBe(status)
})

test('/retry-after names 120 seconds, /redirect a place of its own', async () => {
  const receiver = await aReceiver()
  expect((await post(receiver, '/retry-after')).headers.get('retry-after')).toBe('120')
  expect((await post(receiver, '/redirect')).headers.get('location')).toBe('/redirected')
})

test('/fail/2 refuses each delivery twice, under either name of its id', async () => {
  const receiver = await aReceiver()
  const statuses = async (headers: Record<string, string>) => {
    const answers = []
    for (let round = 0; round < 4; round++) answers.push((await post(receiver, '/fail/2', headers)).status)
    return answers
  }
  expect(await statuses(delivery('dlv_1'))).toEqual([500, 500, 200, 200])
  expect(await statuses({ 'hookrail-delivery-id': 'dlv_2' })).toEqual([500, 500, 200, 200])
})

test('/flap refuses about half, as the given randomness says', async () => {
  const numbers = [0.1, 0.9, 0.5, 0.49]
  const receiver = await aReceiver({ random: () => numbers.shift() ?? 0 })
  const answers = []
  for (let round = 0; round < 4; round++) answers.push((await post(receiver, '/flap')).status)
  expect(answers).toEqual([500, 200, 200, 500])
})

test('/drop closes the connection', async () => {
  const receiver = await aReceiver()
  await expect(post(receiver, '/drop')).rejects.toThrow()
  expect(receiver.received[0]?.status).toBeNull()
})

test('/timeout answers after 30 seconds', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver({ clock })
  let answered = false
  const answer = post(receiver, '/timeout').then((response) => {
    answered = true
    return response.status
  })
  while (receiver.received.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(29_999)
  expect(answered).toBe(false)
  await clock.advance(1)
  expect(await answer).toBe(200)
})

test('/slow-body sends one megabyte bit by bit', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver({ clock })
  const response = await post(receiver, '/slow-body')
  const body = response.arrayBuffer()
  for (let round = 0; round < 64; round++) await clock.advance(100)
  expect((await body).byteLength).toBe(1_048_576)
})

test('keeps headers, exact bytes, ids and topic of a request', async () => {
  const receiver = await aReceiver({ clock: createManualClock(1000) })
  const headers = { ...delivery('dlv_1'), 'outhook-event-id': 'evt_1', 'outhook-topic': 'a.b' }
  await post(receiver, '/hook?x=1', headers, '{"n": 1.0}')
  const [request] = receiver.received
  expect(request).toMatchObject({
    method: 'POST',
    path: '/hook?x=1',
    deliveryId: 'dlv_1',
    eventId: 'evt_1',
    topic: 'a.b',
    receivedAt: 1000,
    status: 200,
    verified: null,
  })
  expect(Buffer.from(request!.body).toString()).toBe('{"n": 1.0}')
})

test('forgets the oldest requests beyond keepRequests, but goes on counting', async () => {
  const receiver = await aReceiver({ keepRequests: 2 })
  for (const body of ['1', '2', '3']) await post(receiver, '/hook', {}, body)
  expect(receiver.received.map((request) => Buffer.from(request.body).toString())).toEqual(['2', '3'])
  await receiver.waitFor(3)
  expect(receiver.stats().receipts).toBe(3)
})

test('stats count accepted requests; a retry after a refusal is no duplicate', async () => {
  const receiver = await aReceiver()
  for (let round = 0; round < 3; round++) await post(receiver, '/fail/2', delivery('dlv_1'))
  expect(receiver.stats()).toEqual({ receipts: 1, distinctDeliveries: 1, duplicates: 0 })
  await post(receiver, '/hook', delivery('dlv_1'))
  await post(receiver, '/hook', delivery('dlv_2'))
  expect(receiver.stats()).toEqual({ receipts: 3, distinctDeliveries: 2, duplicates: 1 })
})

test('answers questions about itself over HTTP', async () => {
  const receiver = await aReceiver()
  for (let round = 0; round < 2; round++) await post(receiver, '/fail/1', delivery('dlv_1'))
  const ask = async (path: string) => (await fetch(`${receiver.url}${path}`)).json()
  expect(await ask('/received?delivery_id=dlv_1')).toEqual({ delivery_id: 'dlv_1', count: 2 })
  expect(await ask('/received?delivery_id=other')).toEqual({ delivery_id: 'other', count: 0 })
  expect(await ask('/stats')).toEqual({ receipts: 1, distinct_deliveries: 1, duplicates: 0 })
})

test.each(['standard', 'hookrail'] as const)(
  'with a secret only valid %s signatures are accepted',
  async (scheme) => {
    const secret = generateSecret(randomBytes)
    const receiver = await aReceiver({ secret })
    const signed = (text: string) =>
      signRequest([scheme], {
        eventId: 'evt_1',
        deliveryId: 'dlv_1',
        topic: 'a.b',
        timestampSeconds: 1_700_000_000,
        body: Buffer.from('{"a":1}'),
        secrets: { active: [prepareSecret(text)], primary: prepareSecret(text) },
      }).headers
    const send = async (text: string, body: string) =>
      (await post(receiver, '/hook', { ...delivery('dlv_1'), ...signed(text) }, body)).status
    expect(await send(secret, '{"a":1}')).toBe(200)
    expect(await send(secret, '{"a":2}')).toBe(401)
    expect(await send(generateSecret(randomBytes), '{"a":1}')).toBe(401)
    expect((await post(receiver, '/hook')).status).toBe(401)
  },
)

test('waitFor waits for a number of requests or for a condition on them', async () => {
  const receiver = await aReceiver()
  const two = receiver.waitFor(2)
  const named = receiver.waitFor((received) => received.some((request) => request.path === '/named'))
  await post(receiver, '/hook')
  await post(receiver, '/named')
  expect(await two).toHaveLength(2)
  expect((await named).at(-1)?.path).toBe('/named')
})

test('waitFor gives up after its timeout and says how many came', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver({ clock })
  await post(receiver, '/hook')
  const waiting = receiver.waitFor(2, 100)
  const outcome = expect(waiting).rejects.toThrow('only 1 requests')
  await clock.advance(100)
  await outcome
})

test('close ends open requests and whoever waits, and can be called twice', async () => {
  const receiver = await startReceiver()
  const open = post(receiver, '/timeout').catch(() => 'ended')
  await receiver.waitFor(1)
  const waiting = receiver.waitFor(2).catch((error: Error) => error.message)
  await receiver.close()
  await receiver.close()
  expect(await open).toBe('ended')
  expect(await waiting).toContain('closed')
})

test('a port that is taken is an error, not a crash', async () => {
  const receiver = await aReceiver()
  await expect(startReceiver({ port: receiver.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
