/** From an answer to a state: rows of the source systems, with real requests. */
import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import type { Store } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { patienceMs } from '../patience.ts'
import {
  anApp,
  anEndpointAt,
  anHttpServer,
  aReceiver,
  aRefusedUrl,
  attemptedAfter,
  onlyDelivery,
  publish,
  tenant,
} from './an-app.ts'

const atOnce = { max_attempts: 3, delays: ['1ms'], jitter: 'none', retry_on: ['5xx'] }

async function attemptUnder(retryPolicy: string, url: string) {
  const app = await anApp()
  await anEndpointAt(app.engine, url, { retryPolicy })
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  return onlyDelivery(app.engine, eventId)
}

test.each([
  ['dograh', 501, 'dead_lettered'],
  ['dograh', 520, 'dead_lettered'],
  ['dograh', 302, 'dead_lettered'],
  ['dograh', 503, 'retry_scheduled'],
  ['dograh', 425, 'retry_scheduled'],
  ['standard', 501, 'retry_scheduled'],
  ['standard', 520, 'retry_scheduled'],
  ['standard', 302, 'dead_lettered'],
  ['standard', 404, 'retry_scheduled'],
  ['standard', 400, 'dead_lettered'],
])('S3.5 G6 F9 under %s an answer of %i makes it %s', async (profile, status, state) => {
  const receiver = await aReceiver()
  expect((await attemptUnder(profile, `${receiver.url}/status/${status}`)).state).toBe(state)
})

test('S1.21 the waits of hookrail stay within min(cap, base · 2^(n-1)), and eight attempts are all', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/status/500`, { retryPolicy: 'hookrail' })
  await publish(app.engine)
  let attempts = await app.attempted(1)
  for (let attemptNo = 1; attemptNo < 8; attemptNo++) {
    const wait = attempts[attemptNo - 1]?.nextAttemptInMs ?? -1
    expect(wait).toBeGreaterThanOrEqual(0)
    expect(wait).toBeLessThanOrEqual(5000 * 2 ** (attemptNo - 1))
    attempts = await attemptedAfter(app, clock, { ms: wait, count: attemptNo + 1 })
  }
  expect(attempts[7]).toMatchObject({ attemptNo: 8, state: 'dead_lettered', nextAttemptInMs: null })
})

const seven = { max_attempts: 5, delays: ['7s'], jitter: 'none', retry_on: ['429'] }

test('S1.22 the retry goes out when Retry-After is over, and not before', async () => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/retry-after`, { retryPolicy: seven })
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  await clock.advance(119_999)
  expect((await onlyDelivery(app.engine, eventId)).state).toBe('retry_scheduled')
  expect(receiver.received).toHaveLength(1)
  await attemptedAfter(app, clock, { ms: 1, count: 2 })
})

test('S1.24 S3.7 the last attempt makes a dead letter that says why', async () => {
  const app = await anApp()
  const body = `no room ${'x'.repeat(5000)}`
  const url = await anHttpServer((_request, response) => {
    response.writeHead(507).end(body)
  })
  const { endpoint } = await anEndpointAt(app.engine, url, { retryPolicy: atOnce })
  const { eventId, deliveryIds } = await publish(app.engine)
  await app.attempted(3)
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({
    state: 'dead_lettered',
    attemptCount: 3,
    errorClass: 'http_507',
    nextAttemptAt: null,
  })
  const { items } = await app.engine.deadLetters.list(tenant)
  expect(items).toMatchObject([
    { deliveryId: deliveryIds[0], endpointId: endpoint.id, finalError: 'http_507', lastHttpStatus: 507 },
  ])
  expect(items[0]?.lastError).toBe(`HTTP 507: ${body.slice(0, 200)}`)
})

test('S3.7 a permanent failure is given up at once', async () => {
  const app = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/status/400`, { retryPolicy: atOnce })
  await publish(app.engine)
  await app.attempted(1)
  expect((await app.engine.deadLetters.list(tenant)).items).toMatchObject([
    { finalError: 'http_400', attemptCount: 1 },
  ])
})

test('S3.4 a drip that lasts until the total timeout keeps its lease, is not sent twice meanwhile, and counts', async () => {
  const clock = createManualClock()
  let store!: Store
  const options = { headersTimeout: '15s', totalTimeout: '15s' }
  const app = await anApp({ clock, options, wrapStore: (opened) => (store = opened) })
  let drips = 0
  const url = await anHttpServer((request, response) => {
    response.writeHead(200).flushHeaders()
    if (request.url !== '/drip') return void response.end()
    drips++
    const timer = setInterval(() => response.write('.'), 20)
    response.on('close', () => clearInterval(timer))
  })
  await anEndpointAt(app.engine, `${url}/drip`, { topics: ['drip'], retryPolicy: 'dograh' })
  await anEndpointAt(app.engine, `${url}/quick`, { topics: ['quick'] })
  await publish(app.engine, { topic: 'drip' })
  while (drips === 0) await app.engine.ping()
  // Once this one is answered, the headers of the other have come as well.
  await publish(app.engine, { topic: 'quick' })
  await app.attempted(1)

  await clock.advance(14_999)
  const claim = await store.claim({ limit: 10, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() })
  expect(claim.deliveries).toEqual([])
  await clock.advance(1)
  const [, attempt] = await app.attempted(2)
  expect(attempt).toMatchObject({ errorClass: null, httpStatus: 200, state: 'succeeded' })
  expect(attempt?.latencyMs).toBe(15_000)
  expect(drips).toBe(1)
})

test('S3.22 G4 a store that fails while a credential is looked up costs no attempt, and the delivery is made when it is back', async () => {
  let isAway = false
  let failed = 0
  const wrapStore = (store: Store): Store => {
    const { loadRouting } = store
    store.loadRouting = (tenantId) => {
      if (!isAway) return loadRouting.call(store, tenantId)
      failed += 1
      return Promise.reject(new OuthookError('store_unavailable', 'the disk is away'))
    }
    return store
  }
  const app = await anApp({ wrapStore })
  const tokens: (string | undefined)[] = []
  const url = await anHttpServer((request, response) => {
    tokens.push(request.headers.authorization)
    response.writeHead(tokens.length === 1 ? 503 : 200).end()
  })
  const { credentials } = app.engine
  const content = { name: 'partner', kind: 'bearer', token: 'before' } as const
  const { id: credentialId } = await credentials.create(tenant, content)
  const retryPolicy = { max_attempts: 2, delays: ['1s'], jitter: 'none', retry_on: ['5xx'] }
  await anEndpointAt(app.engine, url, { credentialId, retryPolicy })
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  // What was read before is out of date, and cannot be read anew.
  isAway = true
  await credentials.update(tenant, credentialId, { token: 'after' })
  await expect.poll(() => failed, { timeout: patienceMs }).toBeGreaterThan(2)
  isAway = false
  const done = { state: 'succeeded', attemptCount: 2 }
  await expect.poll(() => onlyDelivery(app.engine, eventId), { timeout: patienceMs }).toMatchObject(done)
  expect(tokens.at(-1)).toBe('Bearer after')
})

test('S4.13 whatever goes wrong, publish resolves and each failure is recorded', async () => {
  const app = await anApp({ options: { headersTimeout: 100, totalTimeout: 200, connectTimeout: 50 } })
  const receiver = await aReceiver()
  app.engine.activity.on('attempt', () => {
    throw new Error('a listener of the user')
  })
  const urls = [
    await aRefusedUrl(),
    ...['/drop', '/timeout', '/status/500', '/status/410', '/redirect'].map((path) => receiver.url + path),
    `https://127.0.0.1:${receiver.port}/no-tls`,
  ]
  for (const url of urls) await anEndpointAt(app.engine, url)
  const { deliveryIds } = await publish(app.engine)
  expect(deliveryIds).toHaveLength(urls.length)
  const attempts = await app.attempted(urls.length)
  expect(attempts.every(({ errorClass }) => errorClass !== null)).toBe(true)
  expect(new Set(attempts.map(({ deliveryId }) => deliveryId))).toEqual(new Set(deliveryIds))
})
