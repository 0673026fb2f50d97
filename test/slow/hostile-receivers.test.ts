/** Receivers that mean harm, beside healthy ones, behind a whole engine with real sockets. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import type { AttemptActivity } from '../../src/delivery/activity.ts'
import { createAddressPolicy } from '../../src/sender/address-policy.ts'
import { createHttpSender } from '../../src/sender/http-sender.ts'
import { anApp, aReceiver, tenant } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { type OpenReceiver, openHostileReceivers } from '../sender/hostile-receivers.ts'
import { aRequest, testAuthority } from '../sender/raw-receiver.ts'

let opened: Awaited<ReturnType<typeof openHostileReceivers>>
beforeAll(async () => {
  opened = await openHostileReceivers()
})
afterAll(() => opened?.close())

test('attempts at hostile receivers leave nothing in memory, however often', async () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const guard = createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  const sender = createHttpSender({ clock: createSystemClock(), guard, ca: testAuthority })
  const quick = opened.receivers.filter(({ slow }) => slow !== true)
  const round = () => Promise.all(quick.map(({ url }) => sender.attempt(aRequest(url))))
  const used = () => {
    collect()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  for (let times = 0; times < 3; times++) await round()
  const before = used()
  for (let times = 0; times < 10; times++) await round()
  const grown = used() - before
  await sender.close()
  // 350 attempts, of which each could hold 128 KiB.
  expect(grown).toBeLessThan(8 * 1_048_576)
})

test('healthy endpoints beside hostile ones get everything at the first attempt, and each hostile delivery ends as it should', async () => {
  const options = { connectTimeout: '6s', headersTimeout: '6s', totalTimeout: '6s', breakerThreshold: 0 }
  const app = await anApp({ options })
  const healthy = await Promise.all([aReceiver(), aReceiver(), aReceiver()])
  const retryPolicy = { max_attempts: 1, delays: ['1s'], retry_on: ['429', '5xx'] }
  const patient = { ...retryPolicy, max_attempts: 2 }
  const endpoints = new Map<string, OpenReceiver>()
  for (const receiver of opened.receivers) {
    const mayTryAgain = receiver.expected.state === 'retry_scheduled'
    const { endpoint } = await app.engine.endpoints.create(tenant, {
      url: receiver.url,
      topics: ['*'],
      retryPolicy: mayTryAgain ? patient : retryPolicy,
      maxInFlight: 4,
    })
    endpoints.set(endpoint.id, receiver)
  }
  for (const { url } of healthy) await app.engine.endpoints.create(tenant, { url, topics: ['*'] })
  const count = 10
  for (let at = 0; at < count; at++) {
    await app.engine.publisher.publish({
      tenantId: tenant,
      topic: 'a',
      payload: Buffer.from(`{"at":${at}}`),
      metadata: null,
      orderingKey: null,
      idempotency: null,
      producerKeyId: null,
      traceContext: null,
    })
  }
  const isHealthy = ({ endpointId }: AttemptActivity) => !endpoints.has(endpointId ?? '')
  await Promise.all(healthy.map((receiver) => receiver.waitFor(count, patienceMs)))
  await expect.poll(() => app.attempts.filter(isHealthy).length, { timeout: patienceMs }).toBe(count * 3)
  for (const each of app.attempts.filter(isHealthy))
    expect(each).toMatchObject({ status: 'success', attemptNo: 1 })
  // The two that asked for a century hold their endpoint back after the first delivery.
  await expect
    .poll(() => new Set(app.attempts.map(({ endpointId }) => endpointId)).size, { timeout: patienceMs })
    .toBe(endpoints.size + healthy.length)
  for (const made of app.attempts) {
    const receiver = endpoints.get(made.endpointId ?? '')
    if (receiver === undefined) continue
    const { httpStatus, errorClass, state } = receiver.expected
    expect({ what: receiver.what, ...made }).toMatchObject({
      what: receiver.what,
      httpStatus,
      errorClass,
      state,
    })
    if (state === 'retry_scheduled') expect(made.nextAttemptInMs).toBeLessThanOrEqual(24 * 3_600_000)
  }
})
