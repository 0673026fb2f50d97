/** Endpoints of several URLs: whose turn it is, and what becomes of a request where one cannot be reached. */
import { createServer, type Server } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anHttpServer } from '../../delivery/an-app.ts'
import { patienceMs } from '../../patience.ts'
import { atOnce } from './outcomes.ts'
import { aName } from './scene.ts'
import type { SendingScene } from './sending-scene.ts'

/** Counts what is opened to it, and resets it. */
async function aResetting() {
  let connections = 0
  const server: Server = createServer((socket) => {
    connections += 1
    socket.resetAndDestroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}/`, connections: () => connections }
}

/** Nobody listens there. */
async function aClosedPort(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { readonly port: number }
  await new Promise<void>((resolve) => void server.close(() => resolve()))
  return `http://127.0.0.1:${port}/`
}

async function aServerOf(status: number) {
  const ids: string[] = []
  const url = await anHttpServer((request, response) => {
    ids.push(String(request.headers['outhook-delivery-id']))
    response.writeHead(status).end()
  })
  return { url: new URL('/secret-path', url).href, origin: new URL(url).origin, ids }
}

export function describeUrlPools(scene: SendingScene): void {
  const aPool = async (urls: readonly string[], settings: object = {}) => {
    const topic = aName('pooled')
    const body = { urls, topics: [topic], retry_policy: atOnce, ...settings }
    const made = await scene.server.call('POST', '/v1/endpoints', { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    const publish = async (): Promise<string> => {
      const { json } = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
      return json.delivery_ids[0]
    }
    return { endpoint: made.json, publish }
  }
  const ended = async (id: string) => {
    await expect
      .poll(async () => (await scene.shown(id)).state, { timeout: patienceMs, interval: 20 })
      .toMatch(/succeeded|dead_lettered/)
    return scene.shown(id)
  }

  test('requests go round between the URLs of an endpoint, and each attempt shows which it went to', async () => {
    const servers = [await aServerOf(200), await aServerOf(204), await aServerOf(200)]
    const { publish } = await aPool(servers.map(({ url }) => url))
    const shown: string[] = []
    for (let no = 0; no < 6; no++) {
      const { attempts } = await ended(await publish())
      shown.push(attempts[0].response.url)
    }
    expect(servers.map(({ ids }) => ids.length)).toEqual([2, 2, 2])
    const labels = servers.map(({ origin }) => origin)
    expect(shown).toEqual([...labels, ...labels])
  })

  test('with fail_over one attempt goes on where a URL cannot be reached, which is then left alone for a while', async () => {
    const [dead, closed, live] = [await aResetting(), await aClosedPort(), await aServerOf(200)]
    const { publish } = await aPool([dead.url, closed, live.url], { fail_over: true })
    for (let no = 0; no < 9; no++) {
      const delivery = await ended(await publish())
      expect(delivery).toMatchObject({ state: 'succeeded', attempt_count: 1 })
      expect(delivery.attempts).toMatchObject([{ status: 'success', response: { url: live.origin } }])
    }
    expect(live.ids).toHaveLength(9)
    expect(dead.connections()).toBeLessThan(4)
  })

  test('without fail_over the attempt fails, and the next one goes to another URL', async () => {
    const [closed, live] = [await aClosedPort(), await aServerOf(200)]
    const { publish } = await aPool([closed, live.url])
    expect(await ended(await publish())).toMatchObject({
      state: 'succeeded',
      attempt_count: 2,
      attempts: [{ error_class: 'connection' }, { status: 'success', response: { url: live.origin } }],
    })
  })

  test('an answer is an answer: no status fails over, and the retry goes to the next URL', async () => {
    const [failing, live] = [await aServerOf(503), await aServerOf(200)]
    const { publish } = await aPool([failing.url, live.url], { fail_over: true })
    const { attempts } = await ended(await publish())
    expect(attempts).toMatchObject([
      { http_status: 503, response: { url: failing.origin } },
      { http_status: 200, response: { url: live.origin } },
    ])
    expect([failing.ids.length, live.ids.length]).toEqual([1, 1])
  })

  test('a receiver that has the request and is silent is not passed over within the attempt', async () => {
    const live = await aServerOf(200)
    const silent = `${scene.receiver.url}/timeout`
    const { publish } = await aPool([silent, live.url], { fail_over: true, timeout: '1s' })
    const { attempts } = await ended(await publish())
    expect(attempts).toMatchObject([{ error_class: 'timeout' }, { http_status: 200 }])
    expect(live.ids).toHaveLength(1)
  })

  test('where no URL can be reached it is one failed attempt, whose error names each', async () => {
    const [one, two] = [await aClosedPort(), await aClosedPort()]
    const { endpoint, publish } = await aPool([one, two], {
      fail_over: true,
      retry_policy: { ...atOnce, max_attempts: 1 },
    })
    const delivery = await ended(await publish())
    expect(delivery).toMatchObject({ state: 'dead_lettered', attempt_count: 1, error_class: 'connection' })
    for (const url of [one, two]) expect(delivery.last_error).toContain(new URL(url).host)
    const shown = (await scene.server.call('GET', `/v1/endpoints/${endpoint.id}`)).json
    expect(shown.consecutive_failures).toBe(1)
  })

  test('an endpoint shows its pool as urls, and the first of it as url; giving url makes a pool of one', async () => {
    const urls = [1, 2, 3].map((no) => `${scene.receiver.url}/${no}`)
    const { endpoint } = await aPool(urls, { fail_over: true })
    expect(endpoint).toMatchObject({ url: urls[0], urls, fail_over: true })
    const path = `/v1/endpoints/${endpoint.id}`
    const change = async (body: object) => (await scene.server.call('PATCH', path, { body })).json
    expect(await change({ description: 'x' })).toMatchObject({ urls, fail_over: true })
    expect(await change({ url: urls[1] })).toMatchObject({ url: urls[1], urls: [urls[1]], fail_over: true })
    const two = urls.slice(1)
    expect(await change({ urls: two, fail_over: false })).toMatchObject({
      url: urls[1],
      urls: two,
      fail_over: false,
    })
  })

  test.each([
    ['no URL', { urls: [] }, /^urls must be a list of 1 to 10/],
    ['eleven', { urls: Array.from({ length: 11 }, (_, no) => `http://127.0.0.1/${no}`) }, /^urls must be/],
    ['one twice', { urls: ['http://127.0.0.1/a', 'http://127.0.0.1:80/a'] }, /^urls\[1\] stands there twice/],
    ['one that is none', { urls: ['http://127.0.0.1/', 'x'] }, /URL/],
    ['one of a private address', { urls: ['http://127.0.0.1/', 'http://10.0.0.1/'] }, /10\.0\.0\.1/],
    ['one with a password', { urls: ['http://127.0.0.1/', 'http://u:p@127.0.0.1/b'] }, /./],
    [
      'a URL and a pool',
      { url: 'http://127.0.0.1/', urls: ['http://127.0.0.1/a'] },
      /^url and urls are both given/,
    ],
  ])('a pool of %s is refused, when it is made and when it is changed', async (_, body, detail) => {
    const { endpoint } = await aPool([`${scene.receiver.url}/hook`])
    const path = `/v1/endpoints/${endpoint.id}`
    const before = (await scene.server.call('GET', path)).json
    for (const answer of [
      await scene.server.call('POST', '/v1/endpoints', { body }),
      await scene.server.call('PATCH', path, { body }),
    ]) {
      expect([answer.status, answer.json.detail]).toEqual([422, expect.stringMatching(detail)])
    }
    expect((await scene.server.call('GET', path)).json).toEqual(before)
  })

  test('each URL of a pool is one of the tenant’s authorized domains; one that is no longer gets nothing', async () => {
    const uid = aName('pools')
    const tenant = (await scene.server.call('POST', '/v1/tenants', { body: { uid } })).json
    const at = (path: string) => `${path}?tenant=${tenant.id}`
    const allow = (domains: readonly string[]) =>
      scene.server.call('PATCH', `/v1/tenants/${tenant.id}`, {
        body: { settings: { authorized_domains: domains } },
      })
    const [one, two] = [await aServerOf(200), await aServerOf(200)]
    const named = two.url.replace('127.0.0.1', 'localhost')
    await allow(['127.0.0.1'])
    const body = { urls: [one.url, named], topics: ['a'] }
    expect((await scene.server.call('POST', at('/v1/endpoints'), { body })).status).toBe(422)
    await allow([])
    const made = await scene.server.call('POST', at('/v1/endpoints'), { body })
    expect([made.text, made.status]).toEqual([made.text, 201])
    await allow(['127.0.0.1'])
    for (let no = 0; no < 4; no++) {
      const event = { topic: 'a', payload: no }
      const { json } = await scene.server.call('POST', at('/v1/events'), { body: event })
      expect(await ended(json.delivery_ids[0])).toMatchObject({ state: 'succeeded', attempt_count: 1 })
    }
    expect([one.ids.length, two.ids.length]).toEqual([4, 0])
  })

  test('a credential that is kept with its hosts goes to a pool only if each URL is one of them', async () => {
    const name = aName('pooled-credential')
    const given = { name, kind: 'bearer', token: 'planted-token', authorized_hosts: ['127.0.0.1'] }
    const credential = (await scene.server.call('POST', '/v1/credentials', { body: given })).json
    const [one, two] = [await aServerOf(200), await aServerOf(200)]
    const named = two.url.replace('127.0.0.1', 'localhost')
    const body = { urls: [one.url, named], credential_id: credential.id }
    const made = await scene.server.call('POST', '/v1/endpoints', { body })
    expect([made.status, made.json.detail]).toEqual([422, expect.stringContaining('localhost')])
    const { endpoint } = await aPool([one.url, two.url], { credential_id: credential.id })
    const changed = await scene.server.call('PATCH', `/v1/endpoints/${endpoint.id}`, {
      body: { urls: [one.url, named] },
    })
    expect([changed.status, changed.json.detail]).toEqual([422, expect.stringContaining('localhost')])
  })
}
