/** From an answer to a state: rows of the source systems, with real requests. */
import { expect, test } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
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
  [200, 'succeeded', null, 'success'],
  [204, 'succeeded', null, 'success'],
  [299, 'succeeded', null, 'success'],
  [301, 'dead_lettered', 'redirect_rejected', 'permanent_failure'],
  [304, 'dead_lettered', 'redirect_rejected', 'permanent_failure'],
  [400, 'dead_lettered', 'http_400', 'permanent_failure'],
  [401, 'dead_lettered', 'http_401', 'permanent_failure'],
  [404, 'dead_lettered', 'http_404', 'permanent_failure'],
  [408, 'retry_scheduled', 'http_408', 'retryable_failure'],
  [410, 'dead_lettered', 'http_410', 'permanent_failure'],
  [422, 'dead_lettered', 'http_422', 'permanent_failure'],
  [425, 'retry_scheduled', 'http_425', 'retryable_failure'],
  [429, 'retry_scheduled', 'http_429', 'retryable_failure'],
  [500, 'retry_scheduled', 'http_500', 'retryable_failure'],
  [501, 'retry_scheduled', 'http_501', 'retryable_failure'],
  [503, 'retry_scheduled', 'http_503', 'retryable_failure'],
  [520, 'retry_scheduled', 'http_520', 'retryable_failure'],
  [599, 'retry_scheduled', 'http_599', 'retryable_failure'],
] as const)(
  'S1.20 an answer of %i makes it %s under hookrail',
  async (status, state, errorClass, attempt) => {
    const receiver = await aReceiver()
    const delivery = await attemptUnder('hookrail', `${receiver.url}/status/${status}`)
    expect(delivery).toMatchObject({ state, errorClass, lastHttpStatus: status, attemptCount: 1 })
    expect(delivery.attempts).toMatchObject([
      { attemptNo: 1, status: attempt, httpStatus: status, errorClass },
    ])
  },
)

test.each([
  ['a refused connection', aRefusedUrl],
  ['a dropped connection', async () => `${(await aReceiver()).url}/drop`],
])('S1.20 %s is retried as connection', async (_, url) => {
  const delivery = await attemptUnder('hookrail', await url())
  expect(delivery).toMatchObject({ state: 'retry_scheduled', errorClass: 'connection', lastHttpStatus: null })
  expect(delivery.attempts).toMatchObject([{ status: 'retryable_failure', httpStatus: null }])
})

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
])('S3.5 under %s an answer of %i makes it %s', async (profile, status, state) => {
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

test.each([
  ['seconds that are longer than the own wait win', () => '120', 120_000],
  ['seconds that are shorter lose', () => '3', 7000],
  ['a fraction of a second counts', () => '7.5', 7500],
  ['an infinite number counts for nothing', () => '1e999', 7000],
  ['a date ahead wins', (now: number) => new Date(now + 90_000).toUTCString(), 90_000],
  ['a date that is past loses', (now: number) => new Date(now - 90_000).toUTCString(), 7000],
  ['nobody waits for more than a day', () => '9999999', 86_400_000],
  ['what is neither counts for nothing', () => 'soon', 7000],
])('S1.22 Retry-After: %s', async (_, header, waitMs) => {
  const clock = createManualClock()
  const app = await anApp({ clock })
  const url = await anHttpServer((_request, response) => {
    response.writeHead(429, { 'retry-after': header(clock.now()) }).end()
  })
  await anEndpointAt(app.engine, url, { retryPolicy: seven })
  const { eventId } = await publish(app.engine)
  expect((await app.attempted(1))[0]?.nextAttemptInMs).toBe(waitMs)
  const { nextAttemptAt } = await onlyDelivery(app.engine, eventId)
  expect(nextAttemptAt).toBe(clock.now() + waitMs)
})

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

test('S1.25 a redirect is not followed', async () => {
  const receiver = await aReceiver()
  const delivery = await attemptUnder('standard', `${receiver.url}/redirect`)
  expect(delivery).toMatchObject({
    state: 'dead_lettered',
    errorClass: 'redirect_rejected',
    lastHttpStatus: 302,
  })
  expect(receiver.received.map(({ path }) => path)).toEqual(['/redirect'])
})

test('S1.26 a megabyte that dribbles in is cut off, and the answer counts', async () => {
  const app = await anApp()
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/slow-body`)
  const { eventId } = await publish(app.engine)
  const [attempt] = await app.attempted(1)
  // The whole body takes 6 s.
  expect(attempt!.latencyMs).toBeLessThan(5900)
  const { state, attempts } = await onlyDelivery(app.engine, eventId)
  expect(state).toBe('succeeded')
  expect(attempts[0]?.response).toMatchObject({ truncated: true })
  expect(attempts[0]?.response?.body.length).toBeLessThanOrEqual(16_384)
})

test('S1.26 an endpoint that stalls before its headers is a timeout', async () => {
  const app = await anApp({ options: { headersTimeout: 100, totalTimeout: 200, connectTimeout: 50 } })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/timeout`)
  await publish(app.engine)
  expect(await app.attempted(1)).toMatchObject([
    { errorClass: 'timeout', state: 'retry_scheduled', httpStatus: null },
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

test('S1.32 a replay starts the attempts at 1 again and keeps id, history and claim version', async () => {
  const app = await anApp()
  let status = 400
  const url = await anHttpServer((_request, response) => {
    response.writeHead(status).end()
  })
  await anEndpointAt(app.engine, url)
  const { eventId, deliveryIds } = await publish(app.engine)
  await app.attempted(1)
  status = 200
  await app.engine.deadLetters.replay(tenant, deliveryIds[0]!)
  await app.attempted(2)
  const delivery = await onlyDelivery(app.engine, eventId)
  expect(delivery).toMatchObject({ id: deliveryIds[0], state: 'succeeded', attemptCount: 1 })
  expect(delivery.attempts.map(({ attemptNo, status }) => [attemptNo, status])).toEqual([
    [1, 'permanent_failure'],
    [1, 'success'],
  ])
  const [first, second] = delivery.attempts.map(({ claimVersion }) => claimVersion)
  expect(second).toBeGreaterThan(first!)
  expect((await app.engine.deadLetters.list(tenant)).items).toEqual([])
  await expect(app.engine.deadLetters.replay(tenant, deliveryIds[0]!)).rejects.toMatchObject({
    code: 'not_replayable',
  })
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
