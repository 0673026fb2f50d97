/** Rows S0.1 to S0.9, S0.14 and S0.15 of the sender that this one replaces. */
import { expect, test } from 'vitest'
import { createSender } from '../../src/sender/create-sender.ts'
import { Webhook } from '../../src/sender/webhook.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aDeadPort } from './a-proxy.ts'
import { aReceiver, aWebhook, inTurn, signalsOf } from './a-webhook.ts'

test('S0.1: one send to one URL gives an ok result', async () => {
  const receiver = await aReceiver(inTurn(204))
  const url = `${receiver.url}/hook`
  const result = await aWebhook(url).send({ hello: 'wörld' })
  expect(result).toMatchObject({ ok: true, status: 204, attempts: 1, url, error: null, errorCode: null })
  expect(result).toMatchObject({ response: null, proxy: null, retryAfterMs: undefined })
  expect(receiver.received[0]).toMatchObject({ method: 'POST', path: '/hook', text: '{"hello":"wörld"}' })
  expect(receiver.received[0]?.headers['content-type']).toBe('application/json')
})

test('S0.2: a pool is used in turn, one URL per send', async () => {
  const receivers = await Promise.all([1, 2, 3].map(() => aReceiver(inTurn(200))))
  const webhook = aWebhook(receivers.map(({ url }) => url))
  const urls: string[] = []
  for (let send = 0; send < 7; send++) urls.push((await webhook.send({ send })).url)
  expect(receivers.map(({ received }) => received.length)).toEqual([3, 2, 2])
  const [a = '', b = '', c = ''] = receivers.map(({ url }) => url)
  expect(urls).toEqual([a, b, c, a, b, c, a])
})

test('a URL that fails is not left for another one without failover', async () => {
  const receivers = [await aReceiver(inTurn(500)), await aReceiver(inTurn(200))]
  const webhook = aWebhook(receivers.map(({ url }) => url))
  expect(await webhook.send({})).toMatchObject({ ok: false, attempts: 4, url: receivers[0]?.url })
  expect(receivers[1]?.received).toHaveLength(0)
})

test('S0.3: a refused connection is a failed result, after the retries', async () => {
  const result = await aWebhook(`http://127.0.0.1:${await aDeadPort()}/`).send({})
  expect(result).toMatchObject({ ok: false, status: null, attempts: 4, errorCode: 'connection' })
  expect(result.error).toContain('ECONNREFUSED')
})

test('S0.3: a name that does not resolve is a failed result', async () => {
  const result = await aWebhook('http://nowhere.invalid/', { maxRetries: 1 }).send({})
  expect(result).toMatchObject({ ok: false, status: null, attempts: 2, errorCode: 'dns' })
})

test.each([
  'not a url',
  '',
  'http://',
  'ftp://127.0.0.1/x',
  'http://user:pw@127.0.0.1/',
  'http://127.0.0.1:0/',
])('S0.3: the URL %j is a failed result', async (url) => {
  const result = await aWebhook(url).send({})
  expect(result).toMatchObject({ ok: false, status: null, url })
  expect(['invalid_url', 'policy']).toContain(result.errorCode)
})

const cycle: Record<string, unknown> = {}
cycle.self = cycle
test.each([
  ['a cycle', cycle],
  ['a BigInt', { n: 1n }],
  ['undefined', undefined],
  ['a function', () => 1],
  ['NaN', { n: Number.NaN }],
  [
    'a toJSON that throws',
    {
      toJSON() {
        throw new Error('no')
      },
    },
  ],
])('S0.3: a body of %s is a failed result, and nothing is sent', async (_name, body) => {
  const receiver = await aReceiver(inTurn(200))
  const result = await aWebhook(receiver.url).send(body)
  expect(result).toMatchObject({ ok: false, status: null, attempts: 0, errorCode: 'invalid_body' })
  expect(receiver.received).toHaveLength(0)
})

test('S0.3: options that make no sense are a failed result', async () => {
  const webhook = aWebhook('http://127.0.0.1:1/')
  const wrong: unknown[] = [
    { timeoutMs: -1 },
    { headers: { 'bad name': 'x' } },
    { headers: { a: 'b\r\nc: d' } },
    { locate: 1 },
  ]
  for (const options of wrong) {
    const result = await webhook.send({}, options as object)
    expect(result).toMatchObject({ ok: false, attempts: 0 })
  }
})

test('S0.4: a 429 waits as long as its body says, whatever the header says', async () => {
  const limited = { status: 429, headers: { 'retry-after': '5' }, body: '{"retry_after":0.2}' }
  const receiver = await aReceiver(inTurn(limited, 200))
  const result = await aWebhook(receiver.url).send({})
  const [first, second] = receiver.received
  expect(result).toMatchObject({ ok: true, attempts: 2 })
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(199)
  expect(second!.at - first!.at).toBeLessThan(4900)
})

test('S0.5: a 429 without a body waits as long as the header says', async () => {
  const receiver = await aReceiver(inTurn({ status: 429, headers: { 'retry-after': '1' } }, 200))
  const result = await aWebhook(receiver.url).send({})
  const [first, second] = receiver.received
  expect(result).toMatchObject({ ok: true, attempts: 2 })
  expect(second!.at - first!.at).toBeGreaterThanOrEqual(999)
})

test('S0.6: 5xx is retried with waits that grow up to a cap, as often as is allowed', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver(inTurn(503))
  const { hooks, attempted } = signalsOf()
  const backoff = { baseMs: 1000, factor: 2, capMs: 5000, jitter: 0 }
  const sending = aWebhook(receiver.url, { clock, maxRetries: 5, backoff, hooks }).send({})
  const waits = [1000, 2000, 4000, 5000, 5000]
  for (const [index, wait] of waits.entries()) {
    const event = await attempted(index + 1)
    expect(event.retryInMs).toBe(wait)
    await clock.advance(wait - 1)
    expect(receiver.received).toHaveLength(index + 1)
    await clock.advance(1)
  }
  expect(await sending).toMatchObject({ ok: false, status: 503, attempts: 6, errorCode: 'http_status' })
  expect(receiver.received).toHaveLength(6)
})

test.each([400, 401, 403, 404, 409, 410, 413, 422])('S0.7: %d is not retried', async (status) => {
  const receiver = await aReceiver(inTurn(status))
  const result = await aWebhook(receiver.url).send({})
  expect(result).toMatchObject({ ok: false, status, attempts: 1, errorCode: 'http_status' })
  expect(receiver.received).toHaveLength(1)
})

test.each([408, 425, 500, 502, 503, 504, 599])('%d is retried', async (status) => {
  const receiver = await aReceiver(inTurn(status, 200))
  expect(await aWebhook(receiver.url).send({})).toMatchObject({ ok: true, status: 200, attempts: 2 })
})

test.each([301, 302, 303, 307, 308])('the redirect %d is refused and not followed', async (status) => {
  const receiver = await aReceiver(inTurn({ status, headers: { location: '/other' } }, 200))
  const result = await aWebhook(receiver.url).send({})
  expect(result).toMatchObject({ ok: false, status, attempts: 1, errorCode: 'redirect' })
  expect(receiver.received).toHaveLength(1)
})

test('S0.8: when the retries are used up the result has the last status and body', async () => {
  const answers = ['b0', 'b1', 'b2', 'b3'].map((body) => ({ status: 503, body }))
  const receiver = await aReceiver(inTurn(...answers))
  const result = await aWebhook(receiver.url).send({})
  expect(result).toMatchObject({ ok: false, status: 503, attempts: 4, response: 'b3' })
})

test.each([
  ['{"id":7}', { id: 7 }],
  ['[1,"a"]', [1, 'a']],
  ['  "text"', 'text'],
  ['12', 12],
  ['true', true],
  ['ok', 'ok'],
  ['{"broken":', '{"broken":'],
  ['not found', 'not found'],
  ['ümlaut', 'ümlaut'],
  ['', null],
])('S0.9: the answer %j becomes %j', async (body, response) => {
  const receiver = await aReceiver(inTurn({ status: 200, body }))
  expect((await aWebhook(receiver.url).send({})).response).toEqual(response)
})

test('S0.14: given connections are used by several webhooks and stay open when one is closed', async () => {
  const receiver = await aReceiver(inTurn(200))
  const pool = createSender()
  const [first, second] = [new Webhook(receiver.url, { pool }), new Webhook(receiver.url, { pool })]
  await first.send({})
  await first.close()
  expect(await receiver.open()).toBe(1)
  expect(await second.send({})).toMatchObject({ ok: true })
  expect(await receiver.open()).toBe(1)
  await pool.close()
  await expect.poll(() => receiver.open()).toBe(0)
})

test('S0.14: connections of its own are gone after close', async () => {
  const receiver = await aReceiver(inTurn(200))
  const webhook = new Webhook(receiver.url)
  await Promise.all(Array.from({ length: 10 }, () => webhook.send({})))
  expect(await receiver.open()).toBe(10)
  await webhook.close()
  await expect.poll(() => receiver.open()).toBe(0)
})

test('S0.15: an attempt ends after the timeout, without a status', async () => {
  const receiver = await aReceiver(inTurn(null))
  const started = performance.now()
  const result = await aWebhook(receiver.url, { timeoutMs: 200, maxRetries: 0 }).send({})
  expect(result).toMatchObject({ ok: false, status: null, attempts: 1, errorCode: 'timeout' })
  expect(result.error).toContain('200 ms')
  expect(performance.now() - started).toBeGreaterThanOrEqual(199)
})

test('S0.15: the timeout is 15 s by default', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver(inTurn(null))
  let settled = false
  const sending = aWebhook(receiver.url, { clock, maxRetries: 0 }).send({})
  sending.then(() => {
    settled = true
  })
  await receiver.count(1)
  await clock.advance(14_999)
  expect(settled).toBe(false)
  await clock.advance(1)
  expect(await sending).toMatchObject({ ok: false, errorCode: 'timeout' })
})

test('S0.15: a send can have a timeout of its own, also on given connections', async () => {
  const receiver = await aReceiver(inTurn(null))
  const pool = createSender({ timeoutMs: 60_000 })
  const webhook = aWebhook(receiver.url, { pool, maxRetries: 0 })
  const result = await webhook.send({}, { timeoutMs: 50 })
  expect(result).toMatchObject({ ok: false, errorCode: 'timeout' })
  await webhook.close()
  await pool.close()
})
