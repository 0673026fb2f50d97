import { expect, test } from 'vitest'
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { unpackReceivers } from '../../src/core/receivers.ts'
import { RetryPolicies } from '../../src/core/retry-policies.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { RoutingCache } from '../../src/delivery/routing-cache.ts'
import { Relay } from '../../src/engine/relay.ts'
import type { AcceptedEvent, FanOutPlan } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anEndpoint, aSubscription } from '../delivery/a-dispatcher.ts'
import { liveTenant } from '../delivery/a-tenant.ts'

/** A relay on an outbox in memory, whose tenant has so many endpoints for every topic. */
function aRelay(setup: { readonly endpoints?: number } = {}) {
  const clock = createManualClock()
  const ids = createIdFactory(clock.now)
  const state = {
    looks: 0,
    wakes: 0,
    largeFanOuts: 0,
    warnings: 0,
    version: 1,
    loads: 0,
    waiting: [] as AcceptedEvent[],
    batches: [] as (readonly FanOutPlan[])[],
    fault: null as Error | null,
    refused: '',
    errors: 0,
    isElsewhere: false,
    /** An event for many of this ordering key is being fanned out. */
    heldKey: null as string | null,
    afterBatch: () => {},
  }
  const endpoints = Array.from({ length: setup.endpoints ?? 1 }, () => anEndpoint(ids.next('ep')))
  const routing = new RoutingCache({
    load: async (tenantId) => {
      state.loads++
      return {
        tenantId,
        version: state.version,
        endpoints,
        subscriptions: endpoints.map(({ id }) => aSubscription(ids.next('sub'), id)),
        secrets: [],
        credentials: [],
        eventTypes: [],
        tenant: liveTenant,
      }
    },
    secretBox: createSecretBox(new Uint8Array(32), (length) => new Uint8Array(length)),
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
  })
  const relay = new Relay({
    payloads: { concern: () => false, judge: () => null, tell: () => {} },
    outbox: {
      accept: async () => [],
      async setKeyTtl() {},
      readAccepted: async () => new Map(),
      async listAccepted(limit, after = null) {
        state.looks++
        if (state.fault !== null) throw state.fault
        return state.waiting.filter(({ place }) => Number(place) > Number(after ?? -1)).slice(0, limit)
      },
      async fanOut(plans) {
        if (plans.some((plan) => plan.id === state.refused))
          throw new OuthookError('store_refused', 'refused')
        if (state.isElsewhere) return { count: 0, stale: [], held: [] }
        state.batches.push(plans)
        const held = plans.filter((plan) => plan.orderingKey === state.heldKey).map(({ id }) => id)
        const fresh = plans.filter((plan) => plan.routingVersion === state.version && !held.includes(plan.id))
        const done = new Set(fresh.map((plan) => plan.id))
        state.waiting = state.waiting.filter((event) => !done.has(event.id))
        const isStale = fresh.length + held.length < plans.length
        state.afterBatch()
        return { count: fresh.length, stale: isStale ? [defaultTenantId] : [], held }
      },
    },
    routing,
    onFiltered() {},
    ids,
    clock,
    logger: { ...silentLogger, warn: () => state.warnings++, error: () => state.errors++ },
    onDueWork: () => state.wakes++,
    onLargeFanOut: () => state.largeFanOuts++,
  })
  let places = 0
  const publish = (count: number, payloadBytes = 10, orderingKey: string | null = 'k') => {
    for (let n = 0; n < count; n++) {
      const id = ids.next('evt')
      state.waiting.push({
        id,
        tenantId: defaultTenantId,
        topic: 'orders.created',
        orderingKey,
        deliverAt: null,
        payloadBytes,
        place: String(places++),
      })
    }
    return state.waiting.map((event) => event.id)
  }
  return { relay, clock, state, publish }
}

test('looks ever more seldom while there is nothing, and once a second in the end', async () => {
  const { relay, clock, state } = aRelay()
  relay.start()
  await clock.advance(10_000)
  const looks = state.looks
  expect(looks).toBeLessThan(16)
  await clock.advance(10_000)
  expect(state.looks - looks).toBe(10)
  await relay.stop()
})

test('looks within 25 ms when it is woken, however often that is', async () => {
  const { relay, clock, state, publish } = aRelay()
  relay.start()
  await clock.advance(10_000)
  const looks = state.looks
  publish(1)
  for (let ms = 0; ms < 25; ms++) {
    relay.wake()
    await clock.advance(1)
  }
  expect(state.batches).toHaveLength(1)
  expect(state.looks - looks).toBe(2)
  await relay.stop()
})

test('plans a delivery for each subscription, and tells of the work', async () => {
  const { relay, clock, state, publish } = aRelay({ endpoints: 3 })
  const [id] = publish(1)
  relay.start()
  await clock.advance(25)
  expect(state.batches).toMatchObject([
    [{ id, orderingKey: 'k', routingVersion: 1, deliveries: [{}, {}, {}] }],
  ])
  expect(state.wakes).toBe(1)
  await relay.stop()
})

test('takes what waits in bounded batches, in order, one after the other', async () => {
  const { relay, clock, state, publish } = aRelay({ endpoints: 4 })
  const ids = publish(600)
  relay.start()
  await clock.advance(25)
  expect(state.batches.map((batch) => batch.length)).toEqual([250, 250, 100])
  expect(state.batches.flat().map((plan) => plan.id)).toEqual(ids)
  await relay.stop()
})

test.each([
  ['bytes', {}, 1024 * 1024, 4],
  ['events', {}, 10, 500],
  ['deliveries', { endpoints: 600 }, 10, 1],
])('a batch is bounded by %s', async (_, setup, payloadBytes, expected) => {
  const { relay, clock, state, publish } = aRelay(setup)
  publish(expected + 1, payloadBytes)
  relay.start()
  await clock.advance(25)
  expect(state.batches.map((batch) => batch.length)).toEqual([expected, 1])
  await relay.stop()
})

test('an event for more than a thousand is given its receivers, and slices make its deliveries', async () => {
  const { relay, clock, state, publish } = aRelay({ endpoints: 1001 })
  publish(1)
  relay.start()
  await clock.advance(25)
  const [plan] = state.batches.flat()
  expect(plan?.deliveries).toEqual([])
  expect(unpackReceivers(plan?.receivers ?? new Uint8Array(0))).toHaveLength(1001)
  expect(state.largeFanOuts).toBe(1)
  await relay.stop()
})

test('plans anew, at once, what was planned with an old routing', async () => {
  const { relay, clock, state, publish } = aRelay()
  publish(1)
  relay.start()
  await clock.advance(25)
  state.version = 2
  publish(1)
  await clock.advance(50)
  expect(state.waiting).toEqual([])
  expect(state.loads).toBe(2)
  await relay.stop()
})

test('leaves to another process what that one is at', async () => {
  const { relay, clock, state, publish } = aRelay()
  state.isElsewhere = true
  publish(1)
  relay.start()
  await clock.advance(1000)
  expect(state.looks).toBeLessThan(8)
  expect(state.wakes).toBe(0)
  await relay.stop()
})

test('leaves an event that the database refuses, tells of it once, and fans out all others', async () => {
  const { relay, clock, state, publish } = aRelay()
  const [first = '', refused = '', last = ''] = publish(3)
  state.refused = refused
  relay.start()
  await clock.advance(5000)
  expect(state.batches.flat().map((plan) => plan.id)).toEqual([first, last])
  expect(state.errors).toBe(1)
  expect(state.waiting.map((event) => event.id)).toEqual([refused])
  const later = publish(1).at(-1)
  await clock.advance(1000)
  expect(state.batches.flat().map((plan) => plan.id)).toEqual([first, last, later])
  await relay.stop()
})

test('goes on after a fault of the store, and tells of it once', async () => {
  const { relay, clock, state, publish } = aRelay()
  state.fault = new OuthookError('store_unavailable', 'down')
  publish(1)
  relay.start()
  await clock.advance(5000)
  expect(state.warnings).toBe(1)
  state.fault = null
  await clock.advance(1000)
  expect(state.batches).toHaveLength(1)
  await relay.stop()
})

test('lets its batch end at stop, looks no more, and is not to be woken', async () => {
  const { relay, clock, state, publish } = aRelay()
  relay.start()
  await clock.advance(1000)
  await Promise.all([relay.stop(), relay.stop()])
  const looks = state.looks
  publish(1)
  relay.wake()
  expect(clock.pendingTimers).toBe(0)
  await clock.advance(10_000)
  expect(state.looks).toBe(looks)
})

test('events that wait behind a fan-out of their ordering key hold up no other, however many they are', async () => {
  const { relay, clock, state, publish } = aRelay()
  state.heldKey = 'k'
  publish(1200)
  const others = publish(700, 10, 'other').slice(-700)
  relay.start()
  await clock.advance(25)
  expect(state.waiting).toHaveLength(1200)
  const done = state.batches.flat().filter(({ orderingKey }) => orderingKey === 'other')
  expect(done.map(({ id }) => id)).toEqual(others)
  // What waits is looked at once a second, and goes as soon as it may, in its order.
  state.batches = []
  state.heldKey = null
  await clock.advance(1000)
  expect(state.waiting).toEqual([])
  expect(state.batches.flat().map(({ id }) => id)).toEqual(
    state.batches
      .flat()
      .map(({ id }) => id)
      .toSorted(),
  )
  await relay.stop()
})

test('an event does not overtake one of its key that had to wait, when the fan-out ends in between', async () => {
  const { relay, clock, state, publish } = aRelay()
  state.heldKey = 'k'
  publish(500)
  const all = publish(300)
  state.afterBatch = () => {
    state.heldKey = null
  }
  relay.start()
  await clock.advance(2000)
  const gone = state.batches.slice(1).flat()
  expect(gone.map(({ id }) => id)).toEqual(all)
  await relay.stop()
})
