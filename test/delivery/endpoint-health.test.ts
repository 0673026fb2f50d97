/** The circuit breaker, 410, disabled and deleted endpoints, over real sockets. */
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { patienceMs } from '../patience.ts'
import {
  anApp,
  anEndpointAt,
  anHttpServer,
  aReceiver,
  attemptedAfter,
  onlyDelivery,
  publish,
  type TestApp,
  tenant,
} from './an-app.ts'

const nineSeconds = { max_attempts: 10, delays: ['9s'], jitter: 'none', retry_on: ['5xx'] }

/** A host that drops every connection until it is told to answer. */
async function aHost() {
  const host = { up: false, requests: 0, url: '' }
  host.url = await anHttpServer((request, response) => {
    host.requests++
    if (host.up) response.writeHead(200).end()
    else request.socket.destroy()
  })
  return host
}

async function publishSeveral(app: TestApp, count: number, topic: string) {
  return Promise.all(Array.from({ length: count }, () => publish(app.engine, { topic })))
}

/** Every message to the store that was sent before has an answer. */
async function storeAnswered(app: TestApp) {
  for (let count = 0; count < 3; count++) await app.engine.ping()
}

/** Five transport failures: the endpoint of `down` is paused from now on. */
async function aPausedHost(wrapStore?: (store: Store) => Store) {
  const clock = createManualClock()
  const app = await anApp({ clock, ...(wrapStore && { wrapStore }) })
  const host = await aHost()
  await anEndpointAt(app.engine, host.url, { topics: ['down'], retryPolicy: nineSeconds, maxInFlight: 1 })
  for (let count = 1; count <= 5; count++) {
    await publish(app.engine, { topic: 'down' })
    await app.attempted(count)
  }
  return { clock, app, host }
}

test('S4.10 S4.11 five transport failures pause an endpoint, and what comes then burns no attempts', async () => {
  const { clock, app, host } = await aPausedHost()
  const waiting = await publishSeveral(app, 4, 'down')
  await clock.advance(29_000)
  await storeAnswered(app)
  expect(host.requests).toBe(5)
  const delivery = await onlyDelivery(app.engine, waiting[0]!.eventId)
  expect(delivery).toMatchObject({ state: 'pending', reason: 'endpoint_paused', attemptCount: 0 })
})

test('S4.10 after the pause one probe goes, and its failure doubles the pause', async () => {
  const { clock, app, host } = await aPausedHost()
  await publishSeveral(app, 4, 'down')
  await attemptedAfter(app, clock, { ms: 30_000, count: 6 })
  await clock.advance(58_000)
  await storeAnswered(app)
  expect(host.requests).toBe(6)
  await attemptedAfter(app, clock, { ms: 2000, count: 7 })
})

test('S4.10 a probe that succeeds lets everything through', async () => {
  const { clock, app, host } = await aPausedHost()
  const waiting = await publishSeveral(app, 4, 'down')
  host.up = true
  const attempts = await attemptedAfter(app, clock, { ms: 30_000, count: 5 + 5 + 4 })
  expect(attempts.slice(5).every(({ status }) => status === 'success')).toBe(true)
  expect(await onlyDelivery(app.engine, waiting[0]!.eventId)).toMatchObject({
    state: 'succeeded',
    attemptCount: 1,
  })
})

test('S4.11 a dead host pauses nobody else', async () => {
  const { app } = await aPausedHost()
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, receiver.url, { topics: ['up'] })
  await publishSeveral(app, 10, 'up')
  expect(await receiver.waitFor(10, patienceMs)).toHaveLength(10)
})

test('S4.10 any HTTP answer is a success to the breaker', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/status/500`, { retryPolicy: nineSeconds })
  await publishSeveral(app, 12, 'x')
  await app.attempted(12)
  await attemptedAfter(app, clock, { ms: 9000, count: 24 })
})

test('410 disables the endpoint, parks what waits for it, and enabling makes that due', async () => {
  const app = await anApp()
  let status = 410
  const url = await anHttpServer((_request, response) => {
    response.writeHead(status).end()
  })
  const { endpoint } = await anEndpointAt(app.engine, url, { maxInFlight: 1 })
  const disabled = new Promise((resolve) => app.engine.activity.once('endpointDisabled', resolve))
  await publish(app.engine)
  expect(await disabled).toMatchObject({ endpointId: endpoint.id, reason: 'gone' })
  expect(await app.engine.endpoints.get(tenant, endpoint.id)).toMatchObject({ disabledReason: 'gone' })
  const { eventId } = await publish(app.engine)
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({
    state: 'pending',
    reason: 'endpoint_disabled',
    nextAttemptAt: null,
  })
  expect(app.attempts).toHaveLength(1)
  status = 200
  await app.engine.endpoints.update(tenant, endpoint.id, { enabled: true })
  await app.attempted(2)
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({ state: 'succeeded', reason: null })
})

test('what waits in memory when its endpoint answers 410 is parked instead of sent', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const open: ServerResponse[] = []
  const arrivals: (() => void)[] = []
  const url = await anHttpServer((_request, response) => {
    open.push(response)
    for (const arrival of arrivals) arrival()
  })
  const arrived = (count: number) =>
    new Promise<void>((resolve) => {
      const check = () => open.length >= count && resolve()
      arrivals.push(check)
      check()
    })
  await anEndpointAt(app.engine, url, { maxInFlight: 4 })
  await publishSeveral(app, 12, 'x')
  await arrived(4)
  await clock.advance(500)
  await storeAnswered(app)
  const disabled = new Promise((resolve) => app.engine.activity.once('endpointDisabled', resolve))
  open[0]?.writeHead(410).end()
  await disabled
  await arrived(5)
  for (const response of open.slice(1)) response.writeHead(200).end()
  await app.attempted(5)
  await clock.advance(2000)
  await storeAnswered(app)
  const { items } = await app.engine.deliveries.list(tenant)
  expect(items.filter(({ reason }) => reason === 'endpoint_disabled')).toHaveLength(7)
  expect(open).toHaveLength(5)
})

test('an endpoint that was paused and enabled again gets its hand-offs back', async () => {
  const handOffs: boolean[] = []
  const { app, host } = await aPausedHost((store) => {
    const { publish } = store
    store.publish = (batch, options) => {
      handOffs.push(...batch.flatMap(({ deliveries }) => deliveries.map(({ handOff }) => handOff)))
      return publish.call(store, batch, options)
    }
    return store
  })
  await publish(app.engine, { topic: 'down' })
  expect(handOffs.at(-1)).toBe(false)
  const [endpoint] = (await app.engine.endpoints.list(tenant)).items
  await app.engine.endpoints.update(tenant, endpoint!.id, { enabled: false })
  await app.engine.endpoints.update(tenant, endpoint!.id, { enabled: true })
  host.up = true
  await publish(app.engine, { topic: 'down' })
  await app.attempted(5 + 7)
  await publish(app.engine, { topic: 'down' })
  expect(handOffs.at(-1)).toBe(true)
})

test('an endpoint that its operator disables gets nothing until it is enabled', async () => {
  const app = await anApp()
  const receiver = await aReceiver()
  const { endpoint } = await anEndpointAt(app.engine, receiver.url)
  await app.engine.endpoints.update(tenant, endpoint.id, { enabled: false })
  const { eventId } = await publish(app.engine)
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({ reason: 'endpoint_disabled' })
  expect(receiver.received).toHaveLength(0)
  await app.engine.endpoints.update(tenant, endpoint.id, { enabled: true })
  await app.attempted(1)
})

test('deleting an endpoint cancels what waits for it', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const receiver = await aReceiver()
  const { endpoint } = await anEndpointAt(app.engine, `${receiver.url}/status/500`, {
    retryPolicy: nineSeconds,
  })
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  await app.engine.endpoints.delete(tenant, endpoint.id)
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({ state: 'cancelled', nextAttemptAt: null })
  await clock.advance(20_000)
  await storeAnswered(app)
  expect(receiver.received).toHaveLength(1)
  expect((await publish(app.engine)).deliveryIds).toEqual([])
})

test('an endpoint that has only failed for the time of `disableAfter` is disabled and says why', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock, options: { disableAfter: '3m' } })
  const receiver = await aReceiver()
  const everyMinute = { max_attempts: 10, delays: ['1m'], jitter: 'none', retry_on: ['5xx'] }
  const url = `${receiver.url}/status/500`
  const { endpoint } = await anEndpointAt(app.engine, url, { retryPolicy: everyMinute })
  const readReason = async () => (await app.engine.endpoints.get(tenant, endpoint.id)).disabledReason
  await publish(app.engine)
  await app.attempted(1)
  for (let count = 2; count <= 3; count++) await attemptedAfter(app, clock, { ms: 60_000, count })
  expect(await readReason()).toBeNull()
  await attemptedAfter(app, clock, { ms: 60_000, count: 4 })
  expect(await readReason()).toBe('failing')
})
