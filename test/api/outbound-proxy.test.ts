/** A server whose requests all go through one proxy, with real proxies. */
import { expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.ts'
import type { Logger } from '../../src/core/logger.ts'
import { Outhook } from '../../src/outhook.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'
import { aDeadPort, anHttpProxy, aSocksProxy } from '../sender/a-proxy.ts'

const adminToken = 'hkadm_outbound_proxy_test'
const login = { username: 'outhook', password: 'proxy-pa55word' }
const local = { allowHttp: true, allowNetworks: ['127.0.0.0/8'] }

async function aServer(options: Readonly<Record<string, unknown>>, log: Logger): Promise<RunningServer> {
  const config = loadConfig({ flags: { store: 'memory:', port: 0, adminToken, ...local, ...options } })
  const server = await startServer(config, { log, onMasterKeyCreated: () => undefined })
  onTestFinished(() => server.close())
  return server
}

async function call(server: RunningServer, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${adminToken}` }
  const init = { method, headers, ...(body && { body: JSON.stringify(body) }) }
  const response = await fetch(server.url + path, init)
  const text = await response.text()
  return { status: response.status, text, json: text === '' ? null : JSON.parse(text) }
}

async function aReceiver() {
  const receiver = await startReceiver()
  onTestFinished(() => receiver.close())
  return receiver
}

function aLog() {
  const lines: string[] = []
  const write = (...args: unknown[]) =>
    void lines.push(args.map((each) => (each instanceof Error ? each.stack : JSON.stringify(each))).join(' '))
  const log: Logger = { debug: write, info: write, warn: write, error: write }
  return { log, lines }
}

test.each([
  ['http', () => anHttpProxy({ login })],
  ['https', null],
  ['socks5', () => aSocksProxy({ login })],
] as const)(
  'deliveries, direct sends, test events and alerts go through an %s proxy, with its log-in',
  async (kind, open) => {
    // The certificate of the test proxy is nobody's: an https proxy is not believed, and nothing goes around it.
    const proxy = open === null ? await anHttpProxy({ login, tls: true }) : await open()
    const [receiver, people] = [await aReceiver(), await aReceiver()]
    const { log, lines } = aLog()
    const alertChannels = `alerts=${people.url}/alerts`
    const server = await aServer({ outboundProxy: proxy.url, alertChannels }, log)
    const url = `${receiver.url}/status/422`
    const endpoint = (await call(server, 'POST', '/v1/endpoints', { url, topics: ['*'] })).json
    const tested = (await call(server, 'POST', `/v1/endpoints/${endpoint.id}/test`, {})).json
    if (kind === 'https') {
      expect(tested).toMatchObject({ succeeded: false, error_class: 'tls', http_status: null })
      expect(receiver.received).toEqual([])
      return
    }
    await call(server, 'POST', '/v1/deliveries', { url: `${receiver.url}/direct`, payload: 1 })
    await call(server, 'POST', '/v1/events', { topic: 'orders.created', payload: 1 })
    const received = await receiver.waitFor(3, patienceMs)
    expect(new Set(received.map(({ path }) => path))).toEqual(new Set(['/status/422', '/direct']))
    await people.waitFor(1, patienceMs)
    const places = [receiver, people].map(({ port }) => `127.0.0.1:${port}`)
    for (const place of places) expect(proxy.asked.some((asked) => asked.includes(place))).toBe(true)
    // The receivers saw nobody but the proxy: each connection that they had is one that it was asked for.
    expect(proxy.asked.every((asked) => places.some((place) => asked.includes(place)))).toBe(true)
    const shown = [tested, (await call(server, 'GET', '/v1/deliveries')).json, lines]
    expect(JSON.stringify(shown)).not.toContain(login.password)
  },
)

test('a proxy that is away, or wants another log-in, fails each attempt, and nothing goes around it', async () => {
  const receiver = await aReceiver()
  const { log, lines } = aLog()
  const locked = await anHttpProxy({ login })
  for (const outboundProxy of [
    `http://127.0.0.1:${await aDeadPort()}`,
    `http://outhook:wrong-pa55word@${locked.place}`,
  ]) {
    const server = await aServer({ outboundProxy }, log)
    const endpoint = (await call(server, 'POST', '/v1/endpoints', { url: receiver.url })).json
    const { json, text } = await call(server, 'POST', `/v1/endpoints/${endpoint.id}/test`, {})
    expect(json).toMatchObject({ succeeded: false, error_class: 'connection' })
    expect(json.error).toContain('proxy')
    expect(text + lines.join()).not.toContain('wrong-pa55word')
  }
  expect(receiver.received).toEqual([])
})

test('the guard holds with a proxy: it is not asked for what is refused', async () => {
  const proxy = await anHttpProxy({ hosts: { 'inside.localhost': '127.0.0.1' } })
  const { log } = aLog()
  const server = await aServer({ outboundProxy: proxy.url, denyNetworks: ['127.0.0.2'] }, log)
  for (const url of ['http://127.0.0.2/', 'http://10.0.0.1/', 'http://169.254.169.254/']) {
    expect((await call(server, 'POST', '/v1/endpoints', { url })).status).toBe(422)
    expect((await call(server, 'POST', '/v1/deliveries', { url, payload: 1 })).status).toBe(422)
  }
  expect(proxy.asked).toEqual([])
})

test('a program has the same, and a proxy that is none ends the start without being repeated', async () => {
  const [proxy, receiver] = [await anHttpProxy(), await aReceiver()]
  const hooks = await Outhook.open({ store: 'memory:', ...local, outboundProxy: proxy.url })
  onTestFinished(() => hooks.close())
  await hooks.send({ url: `${receiver.url}/x`, payload: 1 })
  await receiver.waitFor(1, patienceMs)
  expect(proxy.asked).toEqual([`CONNECT 127.0.0.1:${receiver.port}`])
  for (const outboundProxy of ['ftp://u:pa55word@proxy.test', 'http://u:pa55word@', 'nothing']) {
    const opening = Outhook.open({ store: 'memory:', outboundProxy })
    await expect(opening).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringMatching(/^the outbound proxy cannot be used: (?!.*pa55word)/),
    })
  }
})
