/** Rows of docs/compatibility.md on endpoints that fail, and on what else each of them is by itself. */
import { createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { anHttpServer, aReceiver, aRefusedUrl } from '../../delivery/an-app.ts'
import { patienceMs } from '../../patience.ts'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { aName } from './scene.ts'
import { loopback, type SendingScene } from './sending-scene.ts'

const atOnce = { max_attempts: 9, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] }

export function describePolicyRows(scene: SendingScene): void {
  test.each([
    [408, 'retry_scheduled'],
    [425, 'retry_scheduled'],
    [429, 'retry_scheduled'],
    [500, 'retry_scheduled'],
    [502, 'retry_scheduled'],
    [503, 'retry_scheduled'],
    [504, 'retry_scheduled'],
    [501, 'dead_lettered'],
    [505, 'dead_lettered'],
    [520, 'dead_lettered'],
    [599, 'dead_lettered'],
    [302, 'dead_lettered'],
    [304, 'dead_lettered'],
    [400, 'dead_lettered'],
    [404, 'dead_lettered'],
  ])('S3.5 an answer of %i makes it %s under dograh', async (status, state) => {
    const { id } = await scene.deliver(`${scene.receiver.url}/status/${status}`, { retry_policy: 'dograh' })
    expect((await scene.attempted(id))[0]).toMatchObject({ state, httpStatus: status })
  })

  test('S3.7 used-up attempts are a dead letter that keeps 200 characters of the answer, and 2000 of an error', async () => {
    const body = `no room ${'x'.repeat(5000)}`
    const url = await anHttpServer((_request, response) => {
      response.writeHead(507).end(body)
    })
    const { id, endpoint } = await scene.deliver(url, { retry_policy: { ...atOnce, max_attempts: 3 } })
    await scene.attempted(id, 3)
    const list = async () => (await scene.server.call('GET', `/v1/dlq?endpoint_id=${endpoint.id}`)).json.items
    await expect
      .poll(list, { timeout: patienceMs })
      .toMatchObject([{ delivery_id: id, final_error: 'http_507', attempt_count: 3, last_http_status: 507 }])
    const { last_error: error } = (await list())[0]
    expect(error).toBe(`HTTP 507: ${body.slice(0, 200)}`)
    const other = await scene.deliver(`${scene.receiver.url}/status/400`, { retry_policy: atOnce })
    expect((await scene.attempted(other.id))[0]).toMatchObject({ state: 'dead_lettered', attemptNo: 1 })
  })

  test('S3.16 an endpoint of another tenant can be neither sent to nor subscribed, and is not there to look at', async () => {
    const { server, receiver } = scene
    const [uid, other] = [aName('tenant'), aName('tenant')]
    for (const each of [uid, other]) await server.call('POST', '/v1/tenants', { body: { uid: each } })
    const body = { url: receiver.url, topics: ['*'] }
    const { id } = (await server.call('POST', `/v1/endpoints?tenant=${uid}`, { body })).json
    const as = `tenant=${other}`
    const send = { endpoint_id: id, payload: 1 }
    expectProblem(await server.call('POST', `/v1/deliveries?${as}`, { body: send }), { status: 409 })
    const subscription = { endpoint_id: id, topic_patterns: ['a'] }
    expectProblem(await server.call('POST', `/v1/subscriptions?${as}`, { body: subscription }), {
      status: 409,
    })
    expectProblem(await server.call('GET', `/v1/endpoints/${id}?${as}`), { status: 404 })
    const event = await server.call('POST', `/v1/events?${as}`, { body: { topic: 'a', payload: 1 } })
    expect(event.json.delivery_ids).toEqual([])
  })

  test('S3.19 G12 the payload is frozen at publish: the second attempt sends the same bytes, whatever became of the endpoint', async () => {
    const bodies: string[] = []
    const url = await anHttpServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => {
        text += chunk
      })
      request.on('end', () => {
        bodies.push(text)
        response.writeHead(bodies.length === 1 ? 503 : 200).end()
      })
    })
    const payload = '{ "n": 1.50, "name": "{{unresolved}}", "n": 2 }'
    const slowly = { ...atOnce, delays: ['300ms'] }
    const { id, endpoint } = await scene.deliver(url, { retry_policy: slowly }, payload)
    await scene.attempted(id)
    const change = { description: 'changed', headers: { 'x-changed': 'yes' } }
    await scene.server.call('PATCH', `/v1/endpoints/${endpoint.id}`, { body: change })
    await scene.attempted(id, 2)
    expect(bodies).toEqual([payload, payload])
  })

  test('S4.1 an event goes once to the exact and once to the `*` subscription of its tenant, and to no other tenant', async () => {
    const { server, receiver } = scene
    const [uid, other] = [aName('tenant'), aName('tenant')]
    for (const each of [uid, other]) {
      await server.call('POST', '/v1/tenants', { body: { uid: each } })
      for (const [path, topic] of [
        ['exact', 'orders.created'],
        ['any', '*'],
        ['case', 'Orders.created'],
        ['above', 'orders'],
      ]) {
        const body = { url: `${receiver.url}/${each}/${path}`, topics: [topic] }
        expect((await server.call('POST', `/v1/endpoints?tenant=${each}`, { body })).status).toBe(201)
      }
    }
    const body = { topic: 'orders.created', payload: { id: 1 } }
    const { json } = await server.call('POST', `/v1/events?tenant=${uid}`, { body })
    expect(json.delivery_ids).toHaveLength(2)
    for (const id of json.delivery_ids) await scene.arrived(id)
    const paths = receiver.received
      .filter(({ path }) => path.startsWith(`/${uid}/`) || path.startsWith(`/${other}/`))
      .map(({ path }) => path)
    expect(paths.toSorted()).toEqual([`/${uid}/any`, `/${uid}/exact`])
  })

  test('S4.13 F11 whatever goes wrong with receivers, the publish answers 202 and each failure is recorded', async () => {
    const topic = aName('anything')
    const receiver = scene.receiver
    const urls = [
      await aRefusedUrl(),
      ...['/drop', '/status/500', '/status/410', '/redirect'].map((path) => receiver.url + path),
      `https://127.0.0.1:${receiver.port}/no-tls`,
    ]
    for (const url of urls)
      await scene.server.call('POST', '/v1/endpoints', { body: { url, topics: [topic] } })
    const { status, json } = await scene.server.call('POST', '/v1/events', { body: { topic, payload: 1 } })
    expect([status, json.delivery_ids.length]).toEqual([202, urls.length])
    for (const id of json.delivery_ids) {
      const [attempt] = await scene.attempted(id)
      expect(attempt?.errorClass).not.toBeNull()
    }
  })
}

/** A host that drops every connection until it is told to answer. */
async function aHost() {
  const host = { up: false, requests: 0, url: '' }
  host.url = await anHttpServer((request, response) => {
    host.requests += 1
    if (host.up) response.writeHead(500).end()
    else request.socket.destroy()
  })
  return host
}

/** Those that need a server of their own. */
export function describeBreakerRows(newStore: () => OpenServer): void {
  const publish = async (server: TestServer, topic: string): Promise<string> =>
    (await server.call('POST', '/v1/events', { body: { topic, payload: 1 } })).json.delivery_ids[0]
  const shown = async (server: TestServer, id: string) =>
    (await server.call('GET', `/v1/deliveries/${id}`)).json

  test('S4.10 S4.11 F4 five transport failures pause their endpoint alone, waiting burns no attempts, one probe decides, and any HTTP answer closes it', async () => {
    const config = { ...loopback, breakerPause: '400ms', breakerMaxPause: '10s' }
    const server = await newStore()({ dispatch: true, config })
    const host = await aHost()
    const settings = {
      url: host.url,
      topics: ['down'],
      max_in_flight: 1,
      retry_policy: { ...atOnce, delays: ['1h'] },
    }
    const { id: endpointId } = (await server.call('POST', '/v1/endpoints', { body: settings })).json
    const receiver = await aReceiver()
    await server.call('POST', '/v1/endpoints', { body: { url: receiver.url, topics: ['up'] } })
    const endpoint = async () => (await server.call('GET', `/v1/endpoints/${endpointId}`)).json
    const patience = { timeout: patienceMs, interval: 5 }
    for (let count = 1; count <= 5; count++) {
      await publish(server, 'down')
      await expect.poll(() => host.requests, patience).toBeGreaterThanOrEqual(count)
    }
    await expect.poll(endpoint, patience).toMatchObject({ state: 'paused', consecutive_failures: 5 })
    const waiting = [await publish(server, 'down'), await publish(server, 'down')]
    const state = await shown(server, waiting[1] ?? '')
    expect(state).toMatchObject({ attempt_count: 0 })
    // Nobody else waits for it.
    await publish(server, 'up')
    await receiver.waitFor(1, patienceMs)
    // One probe after the pause, which fails: the next pause is twice as long.
    await expect.poll(async () => (await endpoint()).consecutive_failures, patience).toBeGreaterThanOrEqual(6)
    host.up = true
    // An answer of any kind is a success to it.
    for (const id of waiting) {
      await expect.poll(async () => (await shown(server, id)).attempt_count, patience).toBeGreaterThan(0)
    }
    await expect.poll(endpoint, patience).toMatchObject({ state: 'active', consecutive_failures: 0 })
    await server.close()
  })

  test('S3.4 G2 a receiver that drips until the total timeout is not sent to twice meanwhile', async () => {
    const limits = { headersTimeout: '1s', totalTimeout: '1s', connectTimeout: '500ms' }
    const open = newStore()
    const server = await open({ dispatch: true, config: { ...loopback, ...limits } })
    let requests = 0
    const url = await drippingUrl(() => {
      requests += 1
    })
    const attempt = new Promise((resolve) => server.engine.activity.once('attempt', resolve))
    await server.call('POST', '/v1/endpoints', { body: { url, topics: ['*'], retry_policy: 'dograh' } })
    const id = await publish(server, 'a')
    const { latencyMs, errorClass } = (await attempt) as { latencyMs: number; errorClass: string | null }
    // Of headers that never end nothing counts; the whole attempt is bounded, not each phase of it.
    expect([errorClass, latencyMs < 3000]).toEqual(['timeout', true])
    expect(requests).toBe(1)
    expect(await shown(server, id)).toMatchObject({ state: 'retry_scheduled', attempt_count: 1 })
    await server.close()
  })

  test('S4.15 F3 F5 a restart goes on with what was pending, and a target that hangs delays no other', async () => {
    const open = newStore()
    const receiver = await aReceiver()
    const asleep = await open({ config: loopback })
    for (const [path, topics] of [
      ['/timeout', ['slow', 'both']],
      ['/quick', ['both']],
    ] as const) {
      await asleep.call('POST', '/v1/endpoints', { body: { url: receiver.url + path, topics } })
    }
    const slow = await publish(asleep, 'slow')
    await publish(asleep, 'both')
    expect(await shown(asleep, slow)).toMatchObject({ state: 'pending', attempt_count: 0 })
    await asleep.close()
    const awake = await open({ dispatch: true, config: loopback })
    const quick = (all: readonly { readonly path: string }[]) => all.some(({ path }) => path === '/quick')
    await receiver.waitFor(quick, patienceMs)
    await receiver.waitFor((all) => all.filter(({ path }) => path === '/timeout').length === 2, patienceMs)
    expect(await shown(awake, slow)).toMatchObject({ state: 'in_flight' })
    await receiver.close()
    await awake.close()
  })
}

/** Answers one byte of a header after the other, without an end. */
async function drippingUrl(onRequest: () => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', () => {
      onRequest()
      socket.write('HTTP/1.1 200 OK\r\nx-drip: ')
      const timer = setInterval(() => socket.write('.'), 20)
      socket.once('close', () => clearInterval(timer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { readonly port: number }).port}/drip`
}
