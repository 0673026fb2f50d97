/** No token of a URL, password of a proxy or signing secret in anything that is printed, logged or thrown. */
import { inspect } from 'node:util'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ProxyPool } from '../../src/sender/proxy-pool.ts'
import { Webhook } from '../../src/sender/webhook.ts'
import type { WebhookOptions } from '../../src/sender/webhook-options.ts'
import type { WebhookResult } from '../../src/sender/webhook-result.ts'
import { aDeadPort, anHttpProxy, aSocksProxy } from './a-proxy.ts'
import { aReceiver, inTurn } from './a-webhook.ts'
import { testAuthority } from './raw-receiver.ts'

const token = 'wEbHoOk-ToKeN_0123456789'
const key = 'qUeRy-KeY-77'
const password = 'pRoXy/PaSs:w0rd'
const signingSecret = `whsec_${Buffer.from('a signing secret, 32 bytes long!').toString('base64')}`
const apiKey = 'Bearer aPi-KeY-abcdef'
const path = `/api/webhooks/1234567890123/${token}?key=${key}`
const secrets = [
  token,
  key,
  password,
  encodeURIComponent(password),
  signingSecret,
  signingSecret.slice(6),
  'aPi-KeY-abcdef',
]

/** Everything that a program might print of a value, whole and in pieces. */
function printed(value: unknown): string {
  const texts = [
    inspect(value, { depth: 12, showHidden: true, getters: false }),
    inspect({ nested: [value] }, { depth: 12 }),
    JSON.stringify(value),
    JSON.stringify({ nested: value }),
    String(value),
  ]
  if (typeof value === 'object' && value !== null) {
    texts.push(inspect({ ...value }, { depth: 12 }), JSON.stringify(Object.entries(value)))
    texts.push(JSON.stringify(structuredClone({ ...value })))
  }
  return texts.join('\n')
}

function expectNoSecrets(text: string): void {
  for (const secret of secrets) expect(text).not.toContain(secret)
}

test('a full scenario prints no secret, in no result, event, error or object', async () => {
  const lines: string[] = []
  const keep = (chunk: unknown) => lines.push(String(chunk)) > 0
  for (const stream of [process.stdout, process.stderr]) {
    const spy = vi.spyOn(stream, 'write').mockImplementation(keep as typeof stream.write)
    onTestFinished(() => spy.mockRestore())
  }
  const login = { username: 'user', password }
  const echo = await aReceiver(({ path: asked, headers, text }, index) => ({
    status: index % 2 === 0 ? 200 : 500,
    body: JSON.stringify({ [asked]: { headers, text, list: [`you asked for ${asked}`] } }),
  }))
  const squid = await anHttpProxy({ login, echoes: true })
  const [http, socks] = [await anHttpProxy({ login }), await aSocksProxy({ login })]
  const deadPort = await aDeadPort()
  const dead = `http://user:${encodeURIComponent(password)}@127.0.0.1:${deadPort}`
  const url = `${echo.url}${path}`
  const thrower = {
    get: () => {
      throw new Error(`no luck with user:${password}`)
    },
  }
  const scenarios: [string, WebhookOptions][] = [
    [url, {}],
    [url, { proxies: new ProxyPool([http.url]) }],
    [url, { proxies: new ProxyPool([socks.url]) }],
    [url, { proxies: new ProxyPool([dead, http.url]) }],
    [url, { proxies: new ProxyPool([dead]) }],
    [url, { proxies: new ProxyPool([squid.url]) }],
    [url, { proxies: new ProxyPool([http.url.replace('user', 'other')]) }],
    [url, { proxies: thrower }],
    [url, { proxies: { get: () => `nope://user:${password}@h` } }],
    [`${url.replace('http:', 'https:')}`, { proxies: new ProxyPool([http.url]) }],
    [`http://127.0.0.1:${deadPort}${path}`, {}],
    [`http://nowhere.invalid${path}`, {}],
    [`not a url ${path}`, {}],
    [`http://user:${token}@127.0.0.1:1/`, {}],
    [url, { guard: true }],
  ]
  const results: WebhookResult[] = []
  const events: unknown[] = []
  for (const [target, options] of scenarios) {
    const webhook = new Webhook(target, {
      signing: { secret: signingSecret, schemes: ['standard', 'hookrail'] },
      headers: { authorization: apiKey },
      backoff: { baseMs: 1 },
      maxRetries: 1,
      ca: testAuthority,
      hooks: { onAttempt: (event) => events.push(event), onResult: (result) => events.push(result) },
      ...options,
    })
    onTestFinished(() => webhook.close())
    results.push(await webhook.send({ a: 1 }), await webhook.send({ b: 1n }))
    events.push(webhook)
    if (options.proxies instanceof ProxyPool) events.push(options.proxies)
  }
  expect(results.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(4)
  expect(results.filter(({ ok }) => !ok).length).toBeGreaterThan(20)
  for (const value of [...results, ...events]) expectNoSecrets(printed(value))
  expectNoSecrets(results.map(({ error }) => error).join())
  expect(lines).toEqual([])
})

test('the program itself gets the URL as it was given and the answer as it came', async () => {
  const echo = await aReceiver(({ path: asked }) => ({ status: 200, body: JSON.stringify({ asked }) }))
  const webhook = new Webhook(`${echo.url}${path}`)
  onTestFinished(() => webhook.close())
  const result = await webhook.send({})
  expect(result.url).toBe(`${echo.url}${path}`)
  expect(result.response).toEqual({ asked: path })
  expect(JSON.parse(JSON.stringify(result))).toEqual({
    ok: true,
    status: 200,
    url: `${echo.url}/***`,
    attempts: 1,
    error: null,
    errorCode: null,
    proxy: null,
    response: { asked: '***' },
  })
})

test('an answer that is nested beyond reason is printed all the same', async () => {
  const receiver = await aReceiver(
    inTurn({ status: 200, body: `${'['.repeat(20_000)}${']'.repeat(20_000)}` }),
  )
  const webhook = new Webhook(receiver.url)
  onTestFinished(() => webhook.close())
  expect(inspect(await webhook.send({}))).toContain('WebhookResult')
})
