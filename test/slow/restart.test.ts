/** What a store that fails, a stop and a restart leave behind. */
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import type { ClaimRequest, DeliveryOutcome, Store } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import {
  aDirectory,
  anApp,
  anEndpointAt,
  anHttpServer,
  aReceiver,
  onlyDelivery,
  publish,
  tenant,
} from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'

const unavailable = () => Promise.reject(new OuthookError('store_unavailable', 'down'))
const aClaim: ClaimRequest = { limit: 10, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() }
const aFile = () => `sqlite:${join(aDirectory(), 'hooks.db')}`

/** Another store with some methods replaced. */
function withMethods(store: Store, methods: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const method = methods[name as keyof Store] ?? target[name as keyof Store]
      return typeof method === 'function' ? method.bind(target) : method
    },
  })
}

function aSuccess(deliveryId: string, claimVersion: number): DeliveryOutcome {
  return {
    deliveryId,
    claimVersion,
    attempt: {
      attemptNo: 1,
      status: 'success',
      httpStatus: 200,
      errorClass: null,
      error: null,
      latencyMs: 1,
      startedAt: 0,
      response: null,
    },
    next: { state: 'succeeded' },
    observation: null,
    disableEndpoint: null,
  }
}

const breaker = { failureThreshold: 5, pauseMs: 30_000, maxPauseMs: 60_000, disableAfterMs: 0 }

test('S3.3 twenty claimers of one due row get it once', async () => {
  let store!: Store
  const app = await anApp({ dispatch: false, wrapStore: (opened) => (store = opened) })
  await anEndpointAt(app.engine, 'http://127.0.0.1:9/')
  await publish(app.engine)
  const claims = await Promise.all(Array.from({ length: 20 }, () => store.claim(aClaim)))
  expect(claims.flatMap(({ deliveries }) => deliveries)).toHaveLength(1)
})

test('S1.41 the result of a worker whose lease was taken over changes nothing', async () => {
  let store!: Store
  const clock = createManualClock()
  const app = await anApp({ clock, dispatch: false, wrapStore: (opened) => (store = opened) })
  await anEndpointAt(app.engine, 'http://127.0.0.1:9/')
  const { eventId } = await publish(app.engine)
  const [stale] = (await store.claim(aClaim)).deliveries
  await clock.advance(30_000)
  const [mine] = (await store.claim(aClaim)).deliveries
  expect(mine).toMatchObject({ id: stale!.id, lostClaims: 1 })
  const late = await store.recordOutcomes([aSuccess(stale!.id, stale!.claimVersion)], breaker)
  expect(late.recorded).toEqual([false])
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({ state: 'in_flight', attempts: [] })
  const right = await store.recordOutcomes([aSuccess(mine!.id, mine!.claimVersion)], breaker)
  expect(right.recorded).toEqual([true])
  expect((await onlyDelivery(app.engine, eventId)).state).toBe('succeeded')
})

test('S1.41 a stale outcome is told as such and not as an attempt, and the delivery is made again', async () => {
  let takeOver = true
  const app = await anApp({
    wrapStore: (store) =>
      withMethods(store, {
        async recordOutcomes(outcomes, policy) {
          if (takeOver) {
            takeOver = false
            await store.release(
              outcomes.map(({ deliveryId, claimVersion }) => ({ deliveryId, claimVersion, delayMs: 0 })),
            )
          }
          return store.recordOutcomes(outcomes, policy)
        },
      }),
  })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, receiver.url)
  const stale = new Promise((resolve) => app.engine.activity.once('staleOutcome', resolve))
  const { eventId, deliveryIds } = await publish(app.engine)
  expect(await stale).toEqual({ deliveryId: deliveryIds[0] })
  await app.attempted(1)
  expect((await onlyDelivery(app.engine, eventId)).attempts).toHaveLength(1)
  expect(receiver.received.map(({ deliveryId }) => deliveryId)).toEqual([deliveryIds[0], deliveryIds[0]])
})

test('S1.42 while the store is down publish rejects with store_unavailable and nothing is sent', async () => {
  let down = true
  const app = await anApp({
    wrapStore: (store) =>
      withMethods(store, {
        publish: (batch, options) => (down ? unavailable() : store.publish(batch, options)),
      }),
  })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, receiver.url)
  await expect(publish(app.engine)).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
  down = false
  const { deliveryIds } = await publish(app.engine)
  await app.attempted(1)
  expect(receiver.received.map(({ deliveryId }) => deliveryId)).toEqual(deliveryIds)
})

test('S3.8 while the store does not take outcomes they are kept, and nothing is sent twice', async () => {
  let failures = 2
  const app = await anApp({
    wrapStore: (store) =>
      withMethods(store, {
        recordOutcomes: (outcomes, policy) =>
          failures-- > 0 ? unavailable() : store.recordOutcomes(outcomes, policy),
      }),
  })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, receiver.url)
  const { eventId } = await publish(app.engine)
  await app.attempted(1)
  expect((await onlyDelivery(app.engine, eventId)).state).toBe('succeeded')
  expect(receiver.received).toHaveLength(1)
})

test('S3.8 what was delivered but never recorded is sent again with the same ids, and is no dead letter', async () => {
  const file = aFile()
  const receiver = await aReceiver()
  const before = await anApp({
    store: file,
    options: { drainDeadline: 100 },
    wrapStore: (store) => withMethods(store, { recordOutcomes: unavailable }),
  })
  await anEndpointAt(before.engine, receiver.url)
  const { eventId, deliveryIds } = await publish(before.engine)
  await receiver.waitFor(1, patienceMs)
  await before.close()
  const after = await anApp({ store: file })
  await after.attempted(1)
  expect(receiver.received.map((request) => [request.deliveryId, request.eventId])).toEqual([
    [deliveryIds[0], eventId],
    [deliveryIds[0], eventId],
  ])
  expect((await onlyDelivery(after.engine, eventId)).state).toBe('succeeded')
  expect((await after.engine.deadLetters.list(tenant)).items).toEqual([])
})

test('S1.24 a crash loop ends as attempts_exhausted, and no crash counts as an attempt', async () => {
  let store!: Store
  const clock = createManualClock()
  const file = aFile()
  const crashing = await anApp({
    store: file,
    clock,
    dispatch: false,
    wrapStore: (opened) => (store = opened),
  })
  await anEndpointAt(crashing.engine, 'http://127.0.0.1:9/')
  const { eventId } = await publish(crashing.engine)
  for (let crash = 0; crash < 20; crash++) {
    expect((await store.claim(aClaim)).deliveries).toHaveLength(1)
    await clock.advance(30_000)
  }
  await crashing.close()
  const app = await anApp({ store: file, clock })
  const given = await new Promise((resolve) => app.engine.activity.once('deadLetter', resolve))
  expect(given).toMatchObject({ errorClass: 'attempts_exhausted', httpStatus: null })
  expect(await onlyDelivery(app.engine, eventId)).toMatchObject({
    state: 'dead_lettered',
    attemptCount: 0,
    attempts: [],
  })
})

test('S1.43 closing lets what is in flight finish and gives the rest back without an attempt', async () => {
  const file = aFile()
  const arrived = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  let requests = 0
  const url = await anHttpServer((_request, response) => {
    requests++
    arrived.resolve()
    void answer.promise.then(() => response.writeHead(200).end())
  })
  const app = await anApp({ store: file })
  await anEndpointAt(app.engine, url, { maxInFlight: 1 })
  const events = [await publish(app.engine), await publish(app.engine), await publish(app.engine)]
  await arrived.promise
  const closed = app.close()
  await expect(publish(app.engine)).rejects.toMatchObject({ code: 'shutting_down' })
  answer.resolve()
  await closed
  expect(requests).toBe(1)
  const reader = await anApp({ store: file, dispatch: false })
  const states = await Promise.all(events.map(({ eventId }) => onlyDelivery(reader.engine, eventId)))
  expect(states.map(({ state, attemptCount }) => [state, attemptCount])).toEqual([
    ['succeeded', 1],
    ['pending', 0],
    ['pending', 0],
  ])
})

test('S4.15 a restart goes on with what was pending', async () => {
  const file = aFile()
  const receiver = await aReceiver()
  const publisher = await anApp({ store: file, dispatch: false })
  await anEndpointAt(publisher.engine, receiver.url)
  const events = await Promise.all(Array.from({ length: 25 }, () => publish(publisher.engine)))
  await publisher.close()
  expect(receiver.received).toHaveLength(0)
  await anApp({ store: file })
  const requests = await receiver.waitFor(25, patienceMs)
  expect(new Set(requests.map(({ deliveryId }) => deliveryId))).toEqual(
    new Set(events.flatMap(({ deliveryIds }) => deliveryIds)),
  )
})

test('S4.15 a target that hangs delays no other', async () => {
  const app = await anApp({ options: { maxInFlight: 40 } })
  const receiver = await aReceiver()
  await anEndpointAt(app.engine, `${receiver.url}/timeout`, { topics: ['orders.hang'] })
  await anEndpointAt(app.engine, receiver.url, { topics: ['orders.quick'] })
  // More than this node may have in flight: without limits of its own it would take every slot.
  await Promise.all(Array.from({ length: 100 }, () => publish(app.engine, { topic: 'orders.hang' })))
  await Promise.all(Array.from({ length: 50 }, () => publish(app.engine, { topic: 'orders.quick' })))
  const attempts = await app.attempted(50)
  expect(new Set(attempts.map(({ topic }) => topic))).toEqual(new Set(['orders.quick']))
})

test('a routing that cannot be read loses no lease: what was claimed is sent once it can', async () => {
  let faults = 0
  const file = aFile()
  const receiver = await aReceiver()
  const publisher = await anApp({ store: file, dispatch: false })
  await anEndpointAt(publisher.engine, receiver.url)
  await publish(publisher.engine)
  await publisher.close()
  const app = await anApp({
    store: file,
    wrapStore: (store) =>
      withMethods(store, { loadRouting: (id) => (faults++ === 0 ? unavailable() : store.loadRouting(id)) }),
  })
  await app.attempted(1)
  expect(faults).toBe(2)
  expect(receiver.received).toHaveLength(1)
})
