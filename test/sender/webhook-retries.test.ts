/** Waits, limits, fail-over, aborts, and what happens between several sends. */
import { expect, test, vi } from 'vitest'
import type { Pacer } from '../../src/sender/pacer.ts'
import { Webhook } from '../../src/sender/webhook.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { type Answer, aReceiver, aWebhook, inTurn, signalsOf } from './a-webhook.ts'

const limited = (seconds: number | string): Answer => ({
  status: 429,
  headers: { 'retry-after': String(seconds) },
})

test('S0.10: 400 sends at a time each count their own attempts', async () => {
  const counted = new Map<string, number>()
  const receiver = await aReceiver(({ text }) => {
    const { id, failures } = JSON.parse(text)
    const seen = (counted.get(id) ?? 0) + 1
    counted.set(id, seen)
    if (seen > failures) return { status: 200, body: JSON.stringify({ id }) }
    return seen % 2 === 0 ? { status: 503 } : { status: 429, body: '{"retry_after":0.001}' }
  })
  const webhook = aWebhook(receiver.url, { timeoutMs: 10_000 })
  const sends = Array.from({ length: 400 }, (_, index) => ({ id: `s${index}`, failures: index % 6 }))
  const results = await Promise.all(sends.map((payload) => webhook.send(payload)))
  for (const [index, { id, failures }] of sends.entries()) {
    const result = results[index]
    expect(result).toMatchObject({ attempts: counted.get(id), ok: failures <= 3 })
    expect(result?.attempts).toBe(Math.min(failures + 1, 4))
    if (failures <= 3) expect(result?.response).toEqual({ id })
  }
})

test('a wait that is longer than allowed fails at once and says how long it would be', async () => {
  const receiver = await aReceiver(inTurn(limited(31)))
  const result = await aWebhook(receiver.url).send({})
  expect(result).toMatchObject({
    ok: false,
    status: 429,
    attempts: 1,
    errorCode: 'rate_limited',
    retryAfterMs: 31_000,
  })
})

test('a wait that is just allowed is waited for in full', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver(inTurn(limited(30), 200))
  const { hooks, attempted } = signalsOf()
  const sending = aWebhook(receiver.url, { clock, hooks }).send({})
  expect(await attempted(1)).toMatchObject({ retryInMs: 30_000, errorCode: 'rate_limited', status: 429 })
  await clock.advance(29_999)
  expect(receiver.received).toHaveLength(1)
  await clock.advance(1)
  expect(await sending).toMatchObject({ ok: true, attempts: 2 })
})

test('a body with a retry_after that is too long fails at once, whatever the header says', async () => {
  const answer = { ...limited(1), body: '{"retry_after": 64.57, "global": true}' }
  const receiver = await aReceiver(inTurn(answer))
  expect(await aWebhook(receiver.url).send({})).toMatchObject({ attempts: 1, retryAfterMs: 64_570 })
})

test.each([
  ['{"retry_after":"soon"}', '0', 0],
  ['{"retry_after":-1}', '0.25', 250],
  ['{"retry_after":1e999}', '2', 2000],
  ['[]', 'Tue, 01 Jan 2030 00:00:07 GMT', 7000],
  ['null', 'whenever', 100],
])('a 429 with the body %s and the header %s waits %d ms', async (body, header, waitMs) => {
  const clock = createManualClock(Date.UTC(2030, 0, 1))
  const receiver = await aReceiver(inTurn({ ...limited(header), body }, 200))
  const { hooks, attempted } = signalsOf()
  const backoff = { baseMs: 100, jitter: 0 }
  const sending = aWebhook(receiver.url, { clock, hooks, backoff }).send({})
  expect((await attempted(1)).retryInMs).toBe(waitMs)
  await clock.advance(waitMs)
  expect(await sending).toMatchObject({ ok: true, attempts: 2 })
})

test('the result of a limit that outlasted the retries says how long to wait', async () => {
  const receiver = await aReceiver(inTurn({ status: 429, body: '{"retry_after":0.02}' }))
  const result = await aWebhook(receiver.url).send({})
  expect(result).toMatchObject({ attempts: 4, errorCode: 'rate_limited', retryAfterMs: 20 })
})

test('a 503 that names a time is left alone until then', async () => {
  const clock = createManualClock()
  const receiver = await aReceiver(inTurn({ status: 503, headers: { 'retry-after': '5' } }, 200))
  const { hooks, attempted } = signalsOf()
  const sending = aWebhook(receiver.url, { clock, hooks }).send({})
  expect((await attempted(1)).retryInMs).toBe(5000)
  await clock.advance(5000)
  expect(await sending).toMatchObject({ ok: true })
})

test('maxRetries counts retries, not tries', async () => {
  const receiver = await aReceiver(inTurn(500))
  expect(await aWebhook(receiver.url, { maxRetries: 0 }).send({})).toMatchObject({ attempts: 1 })
  expect(await aWebhook(receiver.url, { maxRetries: 1 }).send({})).toMatchObject({ attempts: 2 })
})

test.each([
  [0, 50],
  [0.5, 100],
  [0.999_999, 105],
])(
  'with the random number %d a wait of 100 ms ± 50 %% below a cap of 105 is %d ms',
  async (random, waitMs) => {
    const clock = createManualClock()
    const receiver = await aReceiver(inTurn(500, 200))
    const { hooks, attempted } = signalsOf()
    const options = { backoff: { baseMs: 100, capMs: 105, jitter: 0.5 }, hooks, clock, random: () => random }
    const sending = aWebhook(receiver.url, options).send({})
    expect((await attempted(1)).retryInMs).toBe(waitMs)
    await clock.advance(waitMs)
    expect(await sending).toMatchObject({ ok: true })
  },
)

test('with failover a retry goes to the next URL at once', async () => {
  const clock = createManualClock()
  const receivers = [
    await aReceiver(inTurn(500)),
    await aReceiver(inTurn(limited(20))),
    await aReceiver(inTurn(200)),
  ]
  const webhook = aWebhook(
    receivers.map(({ url }) => url),
    { failover: true, clock },
  )
  const result = await webhook.send({})
  expect(result).toMatchObject({ ok: true, attempts: 3, url: receivers[2]?.url })
  expect(receivers.map(({ received }) => received.length)).toEqual([1, 1, 1])
})

test('with failover a URL that will not have it is not asked again', async () => {
  const receivers = [await aReceiver(inTurn(404)), await aReceiver(inTurn(500, 500, 200))]
  const webhook = aWebhook(
    receivers.map(({ url }) => url),
    { failover: true },
  )
  expect(await webhook.send({})).toMatchObject({ ok: true, attempts: 4, url: receivers[1]?.url })
  expect(receivers.map(({ received }) => received.length)).toEqual([1, 3])
})

test('with failover the URLs still take turns, and all together have the same retries', async () => {
  const receivers = await Promise.all([1, 2, 3].map(() => aReceiver(inTurn(503))))
  const webhook = aWebhook(
    receivers.map(({ url }) => url),
    { failover: true },
  )
  const results = [await webhook.send({}), await webhook.send({})]
  expect(results).toMatchObject([{ attempts: 4 }, { attempts: 4 }])
  // 0 1 2 0, then 1 2 0 1.
  expect(receivers.map(({ received }) => received.length)).toEqual([3, 3, 2])
})

test('with failover a text that is no URL is passed over', async () => {
  const receiver = await aReceiver(inTurn(200))
  const webhook = aWebhook(['nonsense', receiver.url], { failover: true })
  expect(await webhook.send({})).toMatchObject({ ok: true, attempts: 1, url: receiver.url })
})

test('a signal ends an attempt', async () => {
  const receiver = await aReceiver(inTurn(null))
  const abort = new AbortController()
  const sending = aWebhook(receiver.url).send({}, { signal: abort.signal })
  await receiver.count(1)
  abort.abort()
  expect(await sending).toMatchObject({ ok: false, status: null, attempts: 1, errorCode: 'aborted' })
})

test('a signal ends a wait', async () => {
  const receiver = await aReceiver(inTurn(limited(20)))
  const abort = new AbortController()
  const { hooks, attempted } = signalsOf()
  const sending = aWebhook(receiver.url, { hooks }).send({}, { signal: abort.signal })
  await attempted(1)
  abort.abort()
  expect(await sending).toMatchObject({ ok: false, status: 429, attempts: 1, errorCode: 'aborted' })
})

test('a signal ends the wait for a proxy', async () => {
  const abort = new AbortController()
  const get = vi.fn(() => new Promise<string>(() => {}))
  const sending = aWebhook('http://127.0.0.1:1/', { proxies: { get } }).send({}, { signal: abort.signal })
  await expect.poll(() => get).toHaveBeenCalled()
  abort.abort()
  expect(await sending).toMatchObject({ ok: false, attempts: 0, errorCode: 'aborted' })
})

test('with a signal that is aborted already nothing is sent', async () => {
  const receiver = await aReceiver(inTurn(200))
  const result = await aWebhook(receiver.url).send({}, { signal: AbortSignal.abort() })
  expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'aborted' })
  expect(receiver.received).toHaveLength(0)
})

test('a signal that serves many sends keeps no listeners of those that ended', async () => {
  const receiver = await aReceiver(inTurn(503, 200))
  const { signal } = new AbortController()
  const add = vi.spyOn(signal, 'addEventListener')
  const remove = vi.spyOn(signal, 'removeEventListener')
  await aWebhook(receiver.url).send({}, { signal })
  expect(add.mock.calls.length).toBeGreaterThan(2)
  const removed = new Set(remove.mock.calls.map(([, listener]) => listener))
  expect(add.mock.calls.filter(([, listener]) => !removed.has(listener))).toEqual([])
})

test('close waits for what is in flight, retries included, and refuses what comes after', async () => {
  const receiver = await aReceiver(inTurn(503, 200))
  const webhook = new Webhook(receiver.url, { backoff: { baseMs: 20 } })
  const sending = webhook.send({})
  const closing = webhook.close()
  expect(await webhook.send({})).toMatchObject({ ok: false, attempts: 0, errorCode: 'closed' })
  await closing
  expect(await sending).toMatchObject({ ok: true, attempts: 2 })
  await webhook.close()
})

test('the hooks see every attempt and the result, and may throw', async () => {
  const receiver = await aReceiver(inTurn(503, 204))
  const onAttempt = vi.fn(() => {
    throw new Error('hook')
  })
  const onResult = vi.fn(() => {
    throw new Error('hook')
  })
  const result = await aWebhook(`${receiver.url}/token`, { hooks: { onAttempt, onResult } }).send({})
  expect(result).toMatchObject({ ok: true, attempts: 2 })
  expect(onResult).toHaveBeenCalledExactlyOnceWith(result)
  const origin = receiver.url
  expect(onAttempt.mock.calls).toMatchObject([
    [{ origin, attempt: 1, status: 503, errorCode: 'http_status', proxy: null }],
    [{ origin, attempt: 2, status: 204, errorCode: null, error: null, retryInMs: null }],
  ])
})

test('a pacer is asked before each attempt and told what came of it', async () => {
  const receiver = await aReceiver(inTurn(503, 200))
  const asked: number[] = []
  const answers = [5, 0, 0]
  const pacer: Pacer = {
    delayMs: () => {
      const ms = answers.shift() ?? 0
      asked.push(ms)
      return ms
    },
    observe: vi.fn(),
  }
  expect(await aWebhook(receiver.url, { pacer }).send({})).toMatchObject({ ok: true, attempts: 2 })
  expect(asked).toEqual([5, 0, 0])
  expect(pacer.observe).toHaveBeenCalledTimes(2)
})

test('a pacer that asks for too long a wait fails the send without an attempt', async () => {
  const pacer: Pacer = { delayMs: () => 40_000, observe: () => {} }
  const result = await aWebhook('http://127.0.0.1:1/', { pacer }).send({})
  expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'rate_limited', retryAfterMs: 40_000 })
})
