/** Rows S0.11 to S0.13, and every kind of proxy, with real ones. */
import { expect, test, vi } from 'vitest'
import { ProxyPool } from '../../src/sender/proxy-pool.ts'
import type { ProxyEntry } from '../../src/sender/proxy-provider.ts'
import { aDeadPort, anHttpProxy, aSocksProxy, type ProxyOptions } from './a-proxy.ts'
import { aReceiver, aWebhook, inTurn } from './a-webhook.ts'
import { answering, aRawReceiver, aTlsReceiver, ok, testAuthority } from './raw-receiver.ts'

const login = { username: 'us er', password: 'p@ss:wörd/1' }

/** Gives these in turn, the last one again and again, and keeps what was asked of it. */
function aProvider(...entries: ProxyEntry[]) {
  const burned: ProxyEntry[] = []
  let gets = 0
  return {
    burned,
    gets: () => gets,
    get: () => entries[Math.min(gets++, entries.length - 1)] as ProxyEntry,
    burn: (proxy: ProxyEntry) => void burned.push(proxy),
  }
}

const kinds = {
  http: (options: ProxyOptions) => anHttpProxy(options),
  https: (options: ProxyOptions) => anHttpProxy({ ...options, tls: true }),
  socks5: (options: ProxyOptions) => aSocksProxy(options),
}
const kindNames = ['http', 'https', 'socks5'] as const

test.each(kindNames)(
  'sends to an https receiver through a tunnel of an %s proxy, with a log-in',
  async (kind) => {
    const receiver = await aTlsReceiver(answering(ok))
    const proxy = await kinds[kind]({ login })
    const webhook = aWebhook(`${receiver.url}/hook`, { proxies: aProvider(proxy.url), ca: testAuthority })
    const result = await webhook.send({ a: 1 })
    expect(result).toMatchObject({ ok: true, status: 200, attempts: 1, response: 'ok', proxy: proxy.place })
    expect(proxy.asked).toEqual([
      kind === 'socks5' ? `SOCKS5 127.0.0.1:${receiver.port} (ipv4)` : `CONNECT 127.0.0.1:${receiver.port}`,
    ])
  },
)

test.each(kindNames)('sends to an http receiver through an %s proxy, with a log-in', async (kind) => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await kinds[kind]({ login })
  const webhook = aWebhook(`${receiver.url}/hook?a=1`, { proxies: aProvider(proxy.url), ca: testAuthority })
  expect(await webhook.send({ a: 1 })).toMatchObject({ ok: true, proxy: proxy.place })
  expect(proxy.asked).toEqual([
    kind === 'socks5' ? `SOCKS5 127.0.0.1:${receiver.port} (ipv4)` : `POST ${receiver.url}/hook?a=1`,
  ])
  expect(receiver.received[0]).toMatchObject({ path: '/hook?a=1', text: '{"a":1}' })
  expect(receiver.received[0]?.headers).not.toHaveProperty('proxy-authorization')
  expect(receiver.received[0]?.headers.host).toBe(`127.0.0.1:${receiver.port}`)
})

test.each(kindNames)('an %s proxy looks the name up, not this machine', async (kind) => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await kinds[kind]({ hosts: { 'only-there.invalid': '127.0.0.1' } })
  const url = `http://only-there.invalid:${receiver.port}/`
  const webhook = aWebhook(url, { proxies: aProvider(proxy.url), ca: testAuthority })
  expect(await webhook.send({})).toMatchObject({ ok: true, attempts: 1 })
  expect(proxy.asked[0]).toContain('only-there.invalid')
})

test.each(kindNames)('a certificate is checked through an %s proxy too', async (kind) => {
  const receiver = await aTlsReceiver(answering(ok))
  const proxy = await kinds[kind]({ hosts: { 'wrong.invalid': '127.0.0.1' } })
  const url = `https://wrong.invalid:${receiver.port}/`
  const options = { proxies: aProvider(proxy.url), ca: testAuthority, maxProxyRetries: 0 }
  expect(await aWebhook(url, options).send({})).toMatchObject({ ok: false, errorCode: 'tls', attempts: 1 })
})

test.each(kindNames)('a wrong log-in at an %s proxy is an error that names the proxy only', async (kind) => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await kinds[kind]({ login })
  const url = proxy.url.replace('p%40ss', 'wrong')
  const webhook = aWebhook(receiver.url, { proxies: aProvider(url), ca: testAuthority, maxProxyRetries: 0 })
  const result = await webhook.send({})
  expect(result).toMatchObject({ ok: false, status: null, errorCode: 'connection', proxy: proxy.place })
  expect(result.error).toContain(`the proxy ${proxy.place} refused the credentials`)
  expect(proxy.refused()).toBe(1)
  expect(receiver.received).toHaveLength(0)
})

test('a wrong log-in for a tunnel is the same error', async () => {
  const proxy = await anHttpProxy({ login })
  const options = { proxies: aProvider(`http://${proxy.place}`), maxProxyRetries: 0 }
  const result = await aWebhook('https://127.0.0.1:1/', options).send({})
  expect(result.error).toBe(`the proxy ${proxy.place} refused the credentials (407)`)
})

test.each(kindNames)('a tunnel of an %s proxy is used again by the next send', async (kind) => {
  const receiver = await aTlsReceiver(answering(ok))
  const proxy = await kinds[kind]({})
  const webhook = aWebhook(receiver.url, { proxies: aProvider(proxy.url), ca: testAuthority })
  for (let send = 0; send < 3; send++) expect(await webhook.send({})).toMatchObject({ ok: true })
  expect(receiver.connections()).toBe(1)
  expect(proxy.asked).toHaveLength(1)
})

test.each(kindNames)('close ends the tunnels of an %s proxy', async (kind) => {
  const receiver = await aTlsReceiver(answering(ok))
  const proxy = await kinds[kind]({})
  const webhook = aWebhook(receiver.url, { proxies: aProvider(proxy.url), ca: testAuthority })
  await Promise.all([webhook.send({}), webhook.send({})])
  expect(receiver.open()).toBe(2)
  await webhook.close()
  await receiver.allClosed()
})

test('other credentials at the same proxy are another connection', async () => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await anHttpProxy()
  const urls = ['a', 'b'].map((user) => `http://${user}:pw@${proxy.place}`)
  const webhook = aWebhook(receiver.url, { proxies: new ProxyPool(urls) })
  await webhook.send({})
  await webhook.send({})
  const sent = proxy.requests.map(({ headers }) => headers['proxy-authorization'])
  expect(sent).toEqual(['a', 'b'].map((user) => `Basic ${Buffer.from(`${user}:pw`).toString('base64')}`))
  expect(new Set(proxy.requests.map(({ socket }) => socket)).size).toBe(2)
})

test.each(kindNames)(
  'a receiver that cannot be reached behind an %s proxy is a failed result',
  async (kind) => {
    const proxy = await kinds[kind]({})
    const port = await aDeadPort()
    const options = { proxies: aProvider(proxy.url), ca: testAuthority, maxProxyRetries: 1 }
    const result = await aWebhook(`https://127.0.0.1:${port}/`, options).send({})
    expect(result).toMatchObject({ ok: false, status: null, attempts: 2, errorCode: 'connection' })
    expect(result.error).toContain('opened no tunnel')
  },
)

test('S0.11: a dead proxy is burned and the next one used', async () => {
  const receiver = await aReceiver(inTurn(200))
  const alive = await anHttpProxy()
  const dead = { url: `http://user:secret@127.0.0.1:${await aDeadPort()}` }
  const provider = aProvider(dead, alive.url)
  const result = await aWebhook(receiver.url, { proxies: provider }).send({})
  expect(result).toMatchObject({ ok: true, attempts: 2, proxy: alive.place })
  expect(provider.burned).toEqual([dead])
  expect(provider.burned[0]).toBe(dead)
  expect(provider.gets()).toBe(2)
})

test('S0.11: a proxy that hangs is burned after the timeout', async () => {
  const receiver = await aReceiver(inTurn(200))
  const hanging = await aReceiver(inTurn(null))
  const alive = await aSocksProxy()
  const provider = aProvider(hanging.url, alive.url)
  const result = await aWebhook(receiver.url, { proxies: provider, timeoutMs: 1000 }).send({})
  expect(result).toMatchObject({ ok: true, attempts: 2, proxy: alive.place })
  expect(provider.burned).toEqual([hanging.url])
})

test('an asynchronous provider works as a synchronous one does', async () => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await anHttpProxy()
  const proxies = { get: async () => ({ url: proxy.url }), burn: async () => {} }
  expect(await aWebhook(receiver.url, { proxies }).send({})).toMatchObject({ ok: true, proxy: proxy.place })
})

test('a status that is worth a retry keeps its proxy', async () => {
  const receiver = await aReceiver(inTurn(503, 200))
  const provider = aProvider((await anHttpProxy()).url)
  expect(await aWebhook(receiver.url, { proxies: provider }).send({})).toMatchObject({
    ok: true,
    attempts: 2,
  })
  expect(provider).toMatchObject({ burned: [] })
  expect(provider.gets()).toBe(1)
})

class Unlucky extends Error {}
const throws = () => {
  throw new Unlucky('no proxy for user:secret-password')
}
test.each([
  ['get() that throws', { get: throws }],
  ['get() that rejects', { get: async () => throws() }],
  ['burn() that throws', { get: () => 'http://127.0.0.1:1', burn: throws }],
  ['burn() that rejects', { get: () => 'http://127.0.0.1:1', burn: async () => throws() }],
])('S0.12: a %s is a failed result', async (_name, proxies) => {
  const get = vi.fn(proxies.get)
  const webhook = aWebhook('http://127.0.0.1:1/', { proxies: { ...proxies, get } })
  const result = await webhook.send({})
  expect(result).toMatchObject({ ok: false, status: null, errorCode: 'proxy_provider' })
  expect(result.error).toMatch(/failed in (get|burn)\(\) \(Unlucky\)/)
  expect(result.cause).toBeInstanceOf(Unlucky)
  expect(get).toHaveBeenCalledTimes(1)
})

test.each([null, undefined, 7, {}, { url: 1 }, '', 'ftp://127.0.0.1:1', 'http://', 'nonsense'])(
  'S0.12: a get() that gives %j is a failed result, and nothing goes out without a proxy',
  async (entry) => {
    const receiver = await aReceiver(inTurn(200))
    const result = await aWebhook(receiver.url, { proxies: { get: () => entry as string } }).send({})
    expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'proxy_provider' })
    expect(receiver.received).toHaveLength(0)
  },
)

test('S0.12: a get() that never answers is a failed result after the timeout', async () => {
  const proxies = { get: () => new Promise<string>(() => {}) }
  const result = await aWebhook('http://127.0.0.1:1/', { proxies, timeoutMs: 50 }).send({})
  expect(result).toMatchObject({ ok: false, attempts: 0, errorCode: 'proxy_provider' })
})

test('S0.13: when all proxies are dead there are exactly maxProxyRetries rotations', async () => {
  const ports = await Promise.all(Array.from({ length: 6 }, () => aDeadPort()))
  const provider = aProvider(...ports.map((port) => `http://127.0.0.1:${port}`))
  const options = { proxies: provider, maxProxyRetries: 3, maxRetries: 0 }
  const result = await aWebhook('http://127.0.0.1:1/', options).send({})
  expect(result).toMatchObject({ ok: false, attempts: 4, proxy: `127.0.0.1:${ports[3]}` })
  expect(provider.gets() - 1).toBe(3)
})

test('network errors use up the changes of the proxy and statuses the retries, each its own', async () => {
  const receiver = await aReceiver(inTurn(503, 503, 503))
  const alive = await anHttpProxy()
  const dead = `http://127.0.0.1:${await aDeadPort()}`
  const provider = aProvider(dead, dead, alive.url)
  const options = { proxies: provider, maxProxyRetries: 2, maxRetries: 2 }
  const result = await aWebhook(receiver.url, options).send({})
  expect(result).toMatchObject({ ok: false, status: 503, attempts: 1 + 2 + 2 })
})

test('with a guard the proxy gets the checked address, and private ones not at all', async () => {
  const receiver = await aReceiver(inTurn(200))
  const proxy = await anHttpProxy()
  const proxies = aProvider(proxy.url)
  const url = `http://localhost:${receiver.port}/`
  const guard = { allowHttp: true, allowNetworks: ['127.0.0.1/32'] }
  expect(await aWebhook(url, { proxies, guard }).send({})).toMatchObject({ ok: true })
  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${receiver.port}`])
  const strict = aWebhook(url, { proxies, guard: { allowHttp: true } })
  expect(await strict.send({})).toMatchObject({ ok: false, errorCode: 'policy', attempts: 1 })
  expect(receiver.received).toHaveLength(1)
})

test('an aborted send leaves no connection to a proxy that hangs', async () => {
  const hanging = await aRawReceiver((socket) => void socket.resume())
  const abort = new AbortController()
  const proxies = aProvider(`socks5://127.0.0.1:${hanging.port}`)
  const sending = aWebhook('https://127.0.0.1:1/', { proxies }).send({}, { signal: abort.signal })
  await expect.poll(() => hanging.open()).toBe(1)
  abort.abort()
  expect(await sending).toMatchObject({ ok: false, errorCode: 'aborted', attempts: 1 })
  await hanging.allClosed()
})

const garbage: readonly (readonly [string, string, string | Buffer])[] = [
  ['http', 'no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['http', 'an endless head', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(20_000)}`],
  ['socks5', 'another version', Buffer.from([4, 0])],
  ['socks5', 'a log-in that was not offered', Buffer.from([5, 2])],
  ['socks5', 'an unknown reply', Buffer.from([5, 0, 5, 77, 0, 1])],
  ['socks5', 'an unknown address type', Buffer.from([5, 0, 5, 0, 0, 9])],
]
test.each(garbage)('an %s proxy that answers with %s is a failed result', async (scheme, _name, bytes) => {
  const proxy = await aRawReceiver((socket) => void socket.resume().write(bytes))
  const proxies = aProvider(`${scheme}://127.0.0.1:${proxy.port}`)
  const webhook = aWebhook('https://127.0.0.1:1/', { proxies, maxProxyRetries: 0, timeoutMs: 20_000 })
  expect(await webhook.send({})).toMatchObject({ ok: false, attempts: 1, errorCode: 'connection' })
})

test.each(['http', 'socks5'])(
  'an %s proxy that hangs up in the middle is a failed result',
  async (scheme) => {
    const proxy = await aRawReceiver((socket) => void socket.resume().end(Buffer.from([5])))
    const proxies = aProvider(`${scheme}://127.0.0.1:${proxy.port}`)
    const webhook = aWebhook('https://127.0.0.1:1/', { proxies, maxProxyRetries: 0, timeoutMs: 20_000 })
    const result = await webhook.send({})
    expect(result).toMatchObject({ ok: false, attempts: 1, errorCode: 'connection' })
    expect(result.error).toContain('ECONNRESET')
  },
)
