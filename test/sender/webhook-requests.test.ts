/** What goes out: bodies, headers, methods, signatures. */
import { createHmac } from 'node:crypto'
import { Webhook as Verifier } from 'standardwebhooks'
import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { createSender } from '../../src/sender/create-sender.ts'
import { Webhook } from '../../src/sender/webhook.ts'
import type { WebhookOptions } from '../../src/sender/webhook-options.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aReceiver, aWebhook, inTurn, type Received, signalsOf } from './a-webhook.ts'

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
const oldSecret = `whsec_${Buffer.alloc(32, 8).toString('base64')}`

test('bytes go out as they are', async () => {
  const receiver = await aReceiver(inTurn(200))
  const webhook = aWebhook(receiver.url)
  await webhook.sendBytes(Buffer.from('{"n": 12345678901234567890}'), {
    headers: { 'Content-Type': 'application/json' },
  })
  await webhook.sendBytes('grüße')
  await webhook.sendBytes(new Uint8Array(0))
  expect(receiver.received.map(({ text, headers }) => [text, headers['content-type']])).toEqual([
    ['{"n": 12345678901234567890}', 'application/json'],
    ['grüße', 'text/plain; charset=utf-8'],
    ['', 'application/octet-stream'],
  ])
})

test('a body that is neither bytes nor text is a failed result', async () => {
  const result = await aWebhook('http://127.0.0.1:1/').sendBytes({} as Uint8Array)
  expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'invalid_body' })
})

test('headers of a send win over those of the webhook, in any case', async () => {
  const receiver = await aReceiver(inTurn(200))
  const headers = { 'X-A': 'webhook', 'x-b': 'webhook', 'User-Agent': 'mine/1' }
  await aWebhook(receiver.url, { headers }).send({}, { headers: { 'x-a': 'send' } })
  expect(receiver.received[0]?.headers).toMatchObject({
    'x-a': 'send',
    'x-b': 'webhook',
    'user-agent': 'mine/1',
  })
})

test('every request names Outhook as its sender', async () => {
  const receiver = await aReceiver(inTurn(200))
  await aWebhook(receiver.url).send({})
  expect(receiver.received[0]?.headers['user-agent']).toMatch(/^outhook\/\d/)
})

test.each(['PUT', 'PATCH', 'DELETE', 'GET'] as const)('sends with %s too', async (method) => {
  const receiver = await aReceiver(inTurn(200))
  const webhook = aWebhook(`${receiver.url}/hook`)
  const locate = (url: URL) => new URL(`${url.pathname}/messages/1?wait=true`, url)
  const body = method === 'GET' ? '' : 'x'
  const result = await webhook.sendBytes(body, { method, locate })
  expect(result).toMatchObject({ ok: true, url: `${receiver.url}/hook` })
  expect(receiver.received[0]).toMatchObject({ method, path: '/hook/messages/1?wait=true', text: body })
})

function verify(request: Received, key: string): void {
  new Verifier(key).verify(request.text, request.headers as Record<string, string>)
}

test('signs by the standard, with all secrets, and the official verifier accepts each', async () => {
  const receiver = await aReceiver(inTurn(200))
  await aWebhook(receiver.url, { signing: { secret: [secret, oldSecret] } }).send({ a: 'é' })
  const [request] = receiver.received
  verify(request!, secret)
  verify(request!, oldSecret)
  expect(request?.headers['webhook-id']).toMatch(/^msg_[0-9a-f-]{36}$/)
})

test('signs for hookrail beside the standard', async () => {
  const receiver = await aReceiver(inTurn(200))
  const signing = { schemes: ['standard', 'hookrail'], secret } as const
  await aWebhook(receiver.url, { signing }).send({ a: 1 }, { id: 'dlv_1', topic: 'orders.created' })
  const { headers, text } = receiver.received[0]!
  verify(receiver.received[0]!, secret)
  const [, time, signature] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(String(headers['hookrail-signature'])) ?? []
  expect(signature).toBe(createHmac('sha256', secret).update(`${time}.dlv_1.${text}`).digest('hex'))
  expect(headers).toMatchObject({ 'hookrail-delivery-id': 'dlv_1', 'hookrail-topic': 'orders.created' })
})

test('a retry has the same id and a signature of its own time', async () => {
  const clock = createManualClock(Date.now())
  const receiver = await aReceiver(inTurn({ status: 429, headers: { 'retry-after': '20' } }, 200))
  const { hooks, attempted } = signalsOf()
  const sending = aWebhook(receiver.url, { signing: { secret }, clock, hooks }).send({})
  await attempted(1)
  await clock.advance(20_000)
  expect(await sending).toMatchObject({ ok: true, attempts: 2 })
  const [first, second] = receiver.received
  expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
  const seconds = [first, second].map((request) => Number(request?.headers['webhook-timestamp']))
  expect(seconds[1]! - seconds[0]!).toBe(20)
  verify(second!, secret)
})

test('the scheme "none" and no signing at all send no signature', async () => {
  const receiver = await aReceiver(inTurn(200))
  await aWebhook(receiver.url).send({})
  await aWebhook(receiver.url, { signing: { scheme: 'none', secret } }).send({})
  for (const { headers } of receiver.received) expect(headers).not.toHaveProperty('webhook-signature')
})

test('an id that is no header value is a failed result', async () => {
  const webhook = aWebhook('http://127.0.0.1:1/', { signing: { secret } })
  expect(await webhook.send({}, { id: 'a\r\nb' })).toMatchObject({
    attempts: 0,
    errorCode: 'invalid_request',
  })
})

test('the guard is off unless asked for', async () => {
  const receiver = await aReceiver(inTurn(200))
  expect(await aWebhook(receiver.url).send({})).toMatchObject({ ok: true })
  const refused = await aWebhook(receiver.url, { guard: true }).send({})
  expect(refused).toMatchObject({ ok: false, attempts: 1, errorCode: 'policy' })
  const guard = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }
  expect(await aWebhook(receiver.url, { guard }).send({})).toMatchObject({ ok: true })
})

test.each([
  ['timeoutMs', { timeoutMs: 0 }],
  ['maxConnections', { maxConnections: 1.5 }],
  ['idleMs', { idleMs: -1 }],
])('making connections with a wrong %s throws, and names it', (name, options) => {
  expect(() => createSender(options)).toThrow(`${name} must be`)
})

const wrong: readonly (readonly [string, string | readonly string[], unknown])[] = [
  ['no URL', [], {}],
  ['a negative maxRetries', 'http://h', { maxRetries: -1 }],
  ['half a retry', 'http://h', { maxRetries: 0.5 }],
  ['a timeout of 0', 'http://h', { timeoutMs: 0 }],
  ['a timeout that is text', 'http://h', { timeoutMs: '15s' }],
  ['a jitter above 1', 'http://h', { backoff: { jitter: 2 } }],
  ['proxies without get', 'http://h', { proxies: ['http://p'] }],
  ['a guard beside given connections', 'http://h', { guard: true, pool: createSender() }],
  ['a range that is none', 'http://h', { guard: { allowNetworks: ['nonsense'] } }],
  ['a secret of another form', 'http://h', { signing: { secret: 'hunter2-hunter2' } }],
  ['no secret', 'http://h', { signing: { secret: [] } }],
  ['a scheme that is none', 'http://h', { signing: { scheme: 'md5', secret } }],
  ['a header that the sender sets', 'http://h', { headers: { host: 'x' } }],
]
test.each(wrong)('making a webhook with %s throws', (_name, urls, options) => {
  let thrown: unknown
  try {
    new Webhook(urls, options as WebhookOptions)
  } catch (error) {
    thrown = error
  }
  expect(thrown).toBeInstanceOf(OuthookError)
  expect(String(thrown)).not.toContain('hunter2')
})
