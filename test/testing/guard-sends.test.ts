import { spawnSync } from 'node:child_process'
import { inspect } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { createHttpSender } from '../../src/sender/http-sender.ts'
import { Webhook } from '../../src/sender/webhook.ts'
import { type GuardOptions, guardSends } from '../../src/testing/guard-sends.ts'
import { patienceMs } from '../patience.ts'
import { aReceiver, aWebhook, inTurn } from '../sender/a-webhook.ts'

function aGuard(options: GuardOptions) {
  const guard = guardSends(options)
  onTestFinished(() => guard.release())
  return guard
}

test('with an answer, sends are kept and answered, and nothing goes out', async () => {
  const receiver = await aReceiver(inTurn(200))
  const guard = aGuard({ answer: 204 })
  const url = `${receiver.url}/hook?key=1`
  const result = await aWebhook(url, { headers: { 'X-A': 'b' } }).send({ hello: 'world' })
  expect(result).toMatchObject({ ok: true, status: 204, attempts: 1, response: null })
  expect(guard.sends).toHaveLength(1)
  expect(guard.sends[0]).toMatchObject({
    method: 'POST',
    origin: receiver.url,
    url,
    text: '{"hello":"world"}',
  })
  expect(guard.sends[0]?.json).toEqual({ hello: 'world' })
  expect(guard.sends[0]?.headers).toMatchObject({ 'x-a': 'b', 'content-type': 'application/json' })
  expect(receiver.received).toHaveLength(0)
})

test('an answer can be whole, and worked out per send', async () => {
  const answers = [
    { status: 429, headers: { 'Retry-After': '0' } },
    { status: 200, body: { id: 7 } },
    500,
    'x',
  ]
  const guard = aGuard({ answer: () => answers.shift() as number })
  const webhook = aWebhook('https://example.com/', { maxRetries: 1 })
  expect(await webhook.send({})).toMatchObject({ ok: true, attempts: 2, response: { id: 7 } })
  expect(guard.sends).toHaveLength(2)
})

test('hosts on the allow list are sent to for real', async () => {
  const receiver = await aReceiver(inTurn(200))
  const guard = aGuard({ answer: 204, allow: [`127.0.0.1:${receiver.port}`] })
  expect(await aWebhook(receiver.url).send({})).toMatchObject({ status: 200 })
  expect(await aWebhook('https://example.com/').send({})).toMatchObject({ status: 204 })
  expect(guard.sends.map(({ origin }) => origin)).toEqual(['https://example.com'])
})

test('the engine of the library and the server is held back too', async () => {
  const guard = aGuard({ answer: 202 })
  const sender = createHttpSender({ clock: createSystemClock(), guard: null })
  onTestFinished(() => sender.close())
  const result = await sender.attempt({
    destination: { kind: 'http', url: new URL('https://example.com/') },
    method: 'POST',
    headers: {},
    body: new Uint8Array(0),
  })
  expect(result).toMatchObject({ kind: 'response', httpStatus: 202 })
  expect(guard.sends).toHaveLength(1)
})

test('after release sends are real, and the guard around it is back', async () => {
  const receiver = await aReceiver(inTurn(200))
  const outer = aGuard({ answer: 201 })
  const inner = aGuard({ answer: 202 })
  const webhook = new Webhook(receiver.url)
  onTestFinished(() => webhook.close())
  expect(await webhook.send({})).toMatchObject({ status: 202 })
  inner.release()
  expect(await webhook.send({})).toMatchObject({ status: 201 })
  outer[Symbol.dispose]()
  expect(await webhook.send({})).toMatchObject({ status: 200 })
  inner.clear()
  expect([outer.sends.length, inner.sends.length]).toEqual([1, 0])
})

test('a send that was kept does not print its URL or headers', async () => {
  const guard = aGuard({ answer: 204 })
  const headers = { authorization: 'Bearer s3cr3t-value' }
  await aWebhook('https://discord.example/api/webhooks/1/s3cr3t-value', { headers }).send({})
  const texts = [inspect(guard, { depth: 9 }), JSON.stringify(guard.sends), inspect({ ...guard.sends[0] })]
  expect(texts.join()).not.toContain('s3cr3t-value')
  expect(texts.join()).toContain('https://discord.example')
})

/** In a process of its own: what is thrown outside of all promises would fail this run, as it should any other. */
function runGuarded(code: string): { status: number | null; stderr: string } {
  const from = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
  const program = `
    import { guardSends } from ${from('testing/index.ts')}
    import { Webhook } from ${from('sender/index.ts')}
    const webhook = new Webhook('https://example.com/t0ken-in-path')
    ${code}`
  const flags = ['--input-type=module', '--experimental-strip-types', '--no-warnings', '-e', program]
  const { status, stderr } = spawnSync(process.execPath, flags, { encoding: 'utf8', timeout: patienceMs })
  return { status, stderr }
}

test('without an answer a send fails the run even when its result is ignored', () => {
  const { status, stderr } = runGuarded(`
    guardSends()
    void webhook.send({ a: 1 }).catch(() => {})`)
  expect(status).not.toBe(0)
  expect(stderr).toContain('a test run tried to send to https://example.com')
  expect(stderr).not.toContain('t0ken-in-path')
})

test('without an answer the send itself is a failed result, after one attempt', () => {
  const { status, stderr } = runGuarded(`
    process.on('uncaughtException', () => {})
    guardSends()
    const result = await webhook.send({ a: 1 })
    process.exitCode = result.errorCode === 'policy' && result.attempts === 1 ? 0 : 3`)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
})

test('an answer that cannot be made fails the run', () => {
  const { status, stderr } = runGuarded(`
    guardSends({ answer: () => { throw new Error('my answer') } })
    await webhook.send({ a: 1 })`)
  expect(status).not.toBe(0)
  expect(stderr).toContain('my answer')
})
