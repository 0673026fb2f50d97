import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { ProxyPool } from '../../src/sender/proxy-pool.ts'
import { ProxyRoute } from '../../src/sender/proxy-route.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { aDeadPort, anHttpProxy } from './a-proxy.ts'
import { aReceiver, aWebhook, inTurn } from './a-webhook.ts'

const [a, b, c] = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3'] as const

test('gives its proxies in turn', () => {
  const pool = new ProxyPool([a, { url: b }, c])
  expect([1, 2, 3, 4].map(() => pool.get())).toEqual([a, b, c, a])
})

test('leaves a proxy out until it has cooled down', async () => {
  const clock = createManualClock()
  const pool = new ProxyPool([a, b], { clock, coolDownMs: 1000 })
  pool.burn(a)
  expect([pool.get(), pool.get()]).toEqual([b, b])
  await clock.advance(999)
  expect(pool.get()).toBe(b)
  await clock.advance(1)
  expect([pool.get(), pool.get()]).toEqual([a, b])
})

test('a proxy that fails again cools down for twice as long, up to the longest time', async () => {
  const clock = createManualClock()
  const pool = new ProxyPool([a, b], { clock, coolDownMs: 1000, maxCoolDownMs: 3000 })
  for (const coolDownMs of [1000, 2000, 3000, 3000]) {
    pool.burn(a)
    expect(pool.states()[0]).toMatchObject({ healthy: false, coolDownMs })
    await clock.advance(coolDownMs)
  }
  expect(pool.states()[0]).toMatchObject({ healthy: true, failures: 4, coolDownMs: 0 })
})

test('sends that fail at the same time count as one failure', () => {
  const pool = new ProxyPool([a, b], { clock: createManualClock() })
  for (let send = 0; send < 100; send++) pool.burn(a)
  expect(pool.states()[0]).toMatchObject({ failures: 1, coolDownMs: 30_000 })
})

test('an answer through a proxy makes it healthy again', () => {
  const pool = new ProxyPool([a, b], { clock: createManualClock() })
  pool.burn(a)
  pool.succeeded(a)
  expect(pool.states()[0]).toEqual({ proxy: '127.0.0.1:1', healthy: true, failures: 0, coolDownMs: 0 })
})

test('when all have failed, the one that comes back first is given', async () => {
  const clock = createManualClock()
  const pool = new ProxyPool([a, b, c], { clock, coolDownMs: 1000 })
  pool.burn(b)
  await clock.advance(10)
  pool.burn(a)
  pool.burn(c)
  expect([pool.get(), pool.get()]).toEqual([b, b])
})

test('a webhook tells the pool what fails and what works', async () => {
  const receiver = await aReceiver(inTurn(200))
  const alive = await anHttpProxy()
  const dead = `http://127.0.0.1:${await aDeadPort()}`
  const pool = new ProxyPool([dead, alive.url])
  pool.burn(alive.url)
  const webhook = aWebhook(receiver.url, { proxies: pool })
  expect(await webhook.send({})).toMatchObject({ ok: true, attempts: 2, proxy: alive.place })
  expect(pool.states()).toMatchObject([
    { healthy: false, failures: 1 },
    { healthy: true, failures: 0 },
  ])
})

test.each([
  ['http://host', 'http', 'host:80', null],
  ['http://host:80', 'http', 'host:80', null],
  ['https://host', 'https', 'host:443', null],
  ['https://host:80/', 'https', 'host:80', null],
  ['socks5://host', 'socks5', 'host:1080', null],
  ['socks5://u:p@host:80', 'socks5', 'host:80', ['u', 'p']],
  ['socks5h://[::1]:9', 'socks5', '[::1]:9', null],
  ['HTTP://u%40x:p%3Aq@HOST:8080', 'http', 'host:8080', ['u@x', 'p:q']],
  ['http://u:50%@host:1', 'http', 'host:1', ['u', '50%']],
  ['host:3128', 'http', 'host:3128', null],
  ['10.0.0.1:3128:user:pa:ss@1', 'http', '10.0.0.1:3128', ['user', 'pa:ss@1']],
])('reads the proxy %s', (text, kind, hostPort, login) => {
  const route = ProxyRoute.parse(text)
  expect(route).toMatchObject({ kind, hostPort })
  const [username, password] = login ?? []
  expect(route.credentials()).toEqual(login === null ? null : { username, password })
})

test.each([
  '',
  'host',
  'socks4://host:1',
  'ftp://host',
  'http://',
  'http://u:pa55word@ho st:1',
  'pa55word://x',
])('refuses %j as a proxy without repeating it', (text) => {
  let message = ''
  try {
    ProxyRoute.parse(text)
  } catch (error) {
    message = (error as Error).message
  }
  expect(message).toContain('write it as')
  expect(message).not.toContain('pa55word')
})

test('a list is refused when it is empty or has a wrong proxy, by its place in the list', () => {
  expect(() => new ProxyPool([])).toThrow('at least one proxy')
  expect(() => new ProxyPool([a, 'ftp://u:pa55word@h'])).toThrow(/proxy 2 of the list is wrong(?!.*pa55word)/)
  expect(() => new ProxyPool([a], { coolDownMs: Number.NaN })).toThrow(
    'coolDownMs must be a number of 0 or more',
  )
})

test('no password shows in a pool or a route that is printed', () => {
  const url = 'socks5://user:pa55word@127.0.0.1:1'
  const pool = new ProxyPool([url])
  const route = ProxyRoute.parse(url)
  pool.burn(url)
  const printed = [pool, route].map(
    (it) => `${inspect(it, { depth: 9, showHidden: true })} ${JSON.stringify(it)} ${it}`,
  )
  expect(printed.join()).not.toMatch(/pa55word|user/)
  expect(printed.join()).toContain('127.0.0.1:1')
})
