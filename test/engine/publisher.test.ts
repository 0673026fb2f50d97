import { expect, onTestFinished, test } from 'vitest'
import { defaultBreakerPolicy } from '../../src/core/endpoint-health.ts'
import { OuthookError } from '../../src/core/errors.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { RetryPolicies } from '../../src/core/retry-policies.ts'
import { createSecretBox } from '../../src/core/secret-box.ts'
import { defaultTenantSettings } from '../../src/core/tenant.ts'
import type { Pressure } from '../../src/delivery/dispatcher-options.ts'
import type { Reservation } from '../../src/delivery/reservation.ts'
import { RoutingCache } from '../../src/delivery/routing-cache.ts'
import { KeyRates } from '../../src/engine/key-rates.ts'
import { Publisher, type PublishRequest } from '../../src/engine/publish.ts'
import { KeyHeldError } from '../../src/engine/publish-request.ts'
import type { KeyTokens, NewDelivery, NewEvent, PublishResult, Routing } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anEndpoint, aSubscription } from '../delivery/a-dispatcher.ts'
import { liveTenant } from '../delivery/a-tenant.ts'

const unavailable = () => new OuthookError('store_unavailable', 'down')
const refused = () => new OuthookError('store_refused', 'refused')
const allHandedOff = (event: NewEvent): PublishResult => ({
  kind: 'published',
  handedOff: event.deliveries.map(({ handOff }) => handOff),
})

interface Setup {
  readonly answer?: (event: NewEvent, call: number) => PublishResult
  /** Awaited by each call with its events and number; throwing is the store's rejection. */
  readonly before?: (events: readonly NewEvent[], call: number) => Promise<void> | void
  readonly disabled?: boolean
  readonly tenant?: Routing['tenant']
  readonly reserves?: (targetId: string) => boolean
  /** The share of its time for which the thread works. */
  readonly busy?: { share(): number }
  /** What processes have together. */
  readonly tokens?: KeyTokens | null
  /** Events of a commit that has none beside it. */
  readonly alone?: number | null
}

/** Counts slots as the dispatcher does: a reservation is given back or accepted, each exactly once. */
class SlotLedger {
  reserved = 0
  returned = 0
  accepted: string[] = []
  wakes = 0
  pressure: Pressure | null = null
  leaseMs = 30_000

  readonly may: (targetId: string) => boolean

  constructor(may: (targetId: string) => boolean) {
    this.may = may
  }

  reserve(target: { readonly id: string }): Reservation | null {
    if (!this.may(target.id)) return null
    this.reserved++
    return {
      accept: (delivery) => this.accepted.push(delivery.id),
      cancel: () => this.returned++,
    }
  }

  wake(): void {
    this.wakes++
  }

  get held(): number {
    return this.reserved - this.returned - this.accepted.length
  }
}

function aPublisher({
  answer = allHandedOff,
  before,
  disabled = false,
  tenant = liveTenant,
  reserves = () => true,
  busy = { share: () => 0 },
  tokens = null,
  alone = null,
}: Setup = {}) {
  const clock = createManualClock()
  const calls: (readonly NewEvent[])[] = []
  const slots = new SlotLedger(reserves)
  const loads = { count: 0, version: 1 }
  const routing = new RoutingCache({
    load: async () => {
      loads.count++
      return {
        tenantId: defaultTenantId,
        version: loads.version,
        endpoints: [anEndpoint('ep_a'), anEndpoint('ep_b', { disabledReason: disabled ? 'operator' : null })],
        subscriptions: [
          aSubscription('sub_a', 'ep_a', { topicPatterns: ['orders.*'] }),
          aSubscription('sub_b', 'ep_b', { topicPatterns: ['orders.*', '*'] }),
        ],
        secrets: [],
        credentials: [],
        eventTypes: [],
        tenant,
      }
    },
    secretBox: createSecretBox(new Uint8Array(32), (size) => new Uint8Array(size)),
    policies: new RetryPolicies(),
    breaker: defaultBreakerPolicy,
  })
  const publisher = new Publisher({
    payloads: { judge: () => null, tell: () => {} },
    words: { stopped: 'the end' },
    routing,
    clock,
    time: clock,
    dispatcher: slots,
    busy,
    ids: createIdFactory(clock.now),
    idempotencyTtlMs: 1000,
    timeoutMs: 8000,
    maxOrderedBacklog: 3,
    rates: new KeyRates({ clock, tokens }),
    onAccepted: () => {},
    onFiltered: () => {},
    pace: { alone },
    store: {
      async publish(events) {
        calls.push(events)
        const call = calls.length
        await before?.(events, call)
        return events.map((event) => answer(event, call))
      },
    },
  })
  onTestFinished(() => publisher.close())
  return { publisher, calls, slots, clock, routing, loads }
}

function aRequest(topic = 'orders.created', given: Partial<PublishRequest> = {}): PublishRequest {
  return {
    tenantId: defaultTenantId,
    topic,
    payload: Buffer.from('{"id":1}'),
    metadata: null,
    traceContext: null,
    orderingKey: null,
    idempotency: null,
    producerKeyId: null,
    ...given,
  }
}

/** Of the first event written. */
const byTarget = (calls: readonly (readonly NewEvent[])[], member: keyof NewDelivery) =>
  Object.fromEntries(calls[0]?.[0]?.deliveries.map((delivery) => [delivery.targetId, delivery[member]]) ?? [])
const topicsOf = (calls: readonly (readonly NewEvent[])[]) =>
  calls.map((call) => call.map(({ topic }) => topic))

test('fans out to every subscription that matches, once each', async () => {
  const { publisher, calls } = aPublisher()
  const receipt = await publisher.publish(aRequest())
  expect(receipt.deliveryIds).toHaveLength(2)
  await expect(publisher.publish(aRequest('invoices.paid'))).resolves.toMatchObject({
    deliveryIds: [expect.stringMatching(/^dlv_/)],
  })
  expect(byTarget(calls, 'subscriptionId')).toEqual({ ep_a: 'sub_a', ep_b: 'sub_b' })
})

test('an event has an idempotency key where its publisher gave one, and not by one of our own', async () => {
  const { publisher, calls } = aPublisher()
  const scopes = [null, '', 'key_1', 'outbox', 'outhook']
  await Promise.all(
    scopes.map((scope) =>
      publisher.publish(aRequest('a', { idempotency: scope === null ? null : { scope, key: 'k' } })),
    ),
  )
  const written = calls
    .flat()
    .map(({ idempotency, hasIdempotencyKey }) => [idempotency?.scope ?? null, hasIdempotencyKey])
  expect(Object.fromEntries(written)).toEqual({
    null: false,
    '': true,
    key_1: true,
    outbox: false,
    outhook: false,
  })
})

test('callers that come together share a commit, and those that come during one share the next', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, calls } = aPublisher({ before: (_, call) => (call === 1 ? gate.promise : undefined) })
  const first = [publisher.publish(aRequest('a')), publisher.publish(aRequest('b'))]
  await new Promise((resolve) => setImmediate(resolve))
  const second = [publisher.publish(aRequest('c')), publisher.publish(aRequest('d'))]
  gate.resolve()
  await Promise.all([...first, ...second])
  expect(topicsOf(calls)).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ])
})

test('callers whom one turn of the event loop brings share a commit, each with its own microtasks', async () => {
  const { publisher, calls } = aPublisher()
  const published = await Promise.all(
    ['a', 'b', 'c'].map(
      (topic) =>
        new Promise((resolve) => setImmediate(() => publisher.publish(aRequest(topic)).then(resolve))),
    ),
  )
  expect(published).toHaveLength(3)
  expect(topicsOf(calls)).toEqual([['a', 'b', 'c']])
})

test('a turn that brings many callers begins a commit with the first 24, but those who come in one go share one', async () => {
  const { publisher, calls } = aPublisher()
  const topics = Array.from({ length: 30 }, (_, index) => `t${index}`)
  await Promise.all(
    topics.map(
      (topic) =>
        new Promise((resolve) => setImmediate(() => publisher.publish(aRequest(topic)).then(resolve))),
    ),
  )
  expect(topicsOf(calls)).toEqual([topics.slice(0, 24), topics.slice(24)])
  calls.length = 0
  await Promise.all(topics.map((topic) => publisher.publish(aRequest(topic))))
  expect(topicsOf(calls)).toEqual([topics])
})

test('what was published when it closes is written', async () => {
  const { publisher, calls } = aPublisher()
  const published = publisher.publish(aRequest('a'))
  await publisher.close()
  await published
  expect(topicsOf(calls)).toEqual([['a']])
})

test('while commits are under way others start, until there are four; what comes then shares the next', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, calls } = aPublisher({ before: () => gate.promise })
  const published: Promise<unknown>[] = []
  for (const topic of ['a', 'b', 'c', 'd', 'e', 'f']) {
    published.push(publisher.publish(aRequest(topic)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(topicsOf(calls)).toEqual([['a'], ['b'], ['c'], ['d']])
  gate.resolve()
  await Promise.all(published)
  expect(topicsOf(calls)).toEqual([['a'], ['b'], ['c'], ['d'], ['e', 'f']])
})

test('a large commit has none beside it, for 30 ms at most, and those whom it answers share the next with those who wait', async () => {
  const gates = [1, 2].map(() => Promise.withResolvers<void>())
  const { publisher, calls, clock } = aPublisher({ alone: 2, before: (_, call) => gates[call - 1]?.promise })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  const large = [publisher.publish(aRequest('a')), publisher.publish(aRequest('b'))]
  await turn()
  const next = large[0]?.then(() => publisher.publish(aRequest('a.again')))
  const waiting = publisher.publish(aRequest('c'))
  await turn()
  expect(topicsOf(calls)).toEqual([['a', 'b']])
  gates[0]?.resolve()
  await Promise.all(large)
  for (let turns = 0; calls.length < 2 && turns < 10; turns++) await turn()
  expect(topicsOf(calls).slice(1)).toEqual([['c', 'a.again']])
  const beside = publisher.publish(aRequest('d'))
  await clock.advance(29)
  await turn()
  expect(calls).toHaveLength(2)
  await clock.advance(1)
  for (let turns = 0; calls.length < 3 && turns < 10; turns++) await turn()
  expect(topicsOf(calls).slice(2)).toEqual([['d']])
  gates[1]?.resolve()
  await Promise.all([next, waiting, beside])
})

test('a commit waits, for 20 ms at most, while outcomes wait, or memory fills and the thread is busy', async () => {
  const thread = { busy: 1 }
  const { publisher, calls, slots, clock } = aPublisher({ busy: { share: () => thread.busy } })
  slots.pressure = 'memory'
  const commits = async (ms: number) => {
    await clock.advance(ms)
    return calls.length
  }

  const filling = publisher.publish(aRequest())
  expect(await commits(5)).toBe(0)
  slots.pressure = null
  expect(await commits(1)).toBe(1)
  slots.pressure = 'memory'
  const idle = publisher.publish(aRequest())
  expect(await commits(5)).toBe(1)
  thread.busy = 0.5
  expect(await commits(1)).toBe(2)
  thread.busy = 1
  const bounded = publisher.publish(aRequest())
  expect(await commits(19)).toBe(2)
  expect(await commits(1)).toBe(3)
  thread.busy = 0.5
  slots.pressure = 'outcomes'
  const unwritten = publisher.publish(aRequest())
  expect(await commits(5)).toBe(3)
  slots.pressure = null
  expect(await commits(1)).toBe(4)
  await Promise.all([filling, idle, bounded, unwritten])
})

test('a commit holds no more than four mebibytes of payload', async () => {
  const { publisher, calls } = aPublisher()
  const payload = new Uint8Array(262_144).fill(49)
  await publisher.publishMany(Array.from({ length: 20 }, () => aRequest('a', { payload })))
  expect(calls.map((call) => call.length)).toEqual([16, 4])
})

test('a commit holds no more than a thousand deliveries', async () => {
  const { publisher, calls } = aPublisher()
  await publisher.publishMany(Array.from({ length: 600 }, () => aRequest()))
  expect(calls.map((call) => call.length)).toEqual([500, 100])
})

test('what was handed off is accepted, what was not is given back and woken for', async () => {
  const { publisher, slots } = aPublisher({ answer: () => ({ kind: 'published', handedOff: [true, false] }) })
  const { deliveryIds } = await publisher.publish(aRequest())
  expect(slots).toMatchObject({ accepted: [deliveryIds[0]], returned: 1, wakes: 1, held: 0 })
})

test('nothing is woken when everything was handed off', async () => {
  const { publisher, slots } = aPublisher()
  await publisher.publish(aRequest())
  expect(slots).toMatchObject({ wakes: 0, held: 0, returned: 0 })
})

test('without a free slot a delivery goes through the backlog', async () => {
  const { publisher, calls, slots } = aPublisher({ reserves: (target) => target === 'ep_a' })
  await publisher.publish(aRequest())
  expect(byTarget(calls, 'handOff')).toEqual({ ep_a: true, ep_b: false })
  expect(slots).toMatchObject({ wakes: 1, held: 0 })
})

test('deliveries of a disabled endpoint are parked, and take no slot', async () => {
  const { publisher, calls, slots } = aPublisher({ disabled: true })
  await publisher.publish(aRequest())
  expect(byTarget(calls, 'parked')).toEqual({ ep_a: null, ep_b: 'endpoint_disabled' })
  expect(slots).toMatchObject({ reserved: 1, wakes: 0, held: 0 })
})

test('a replay answers with the first event, and gives its slots back', async () => {
  const first = { eventId: 'evt_first', deliveryIds: ['dlv_first'], state: 'fanned_out' as const }
  const { publisher, slots } = aPublisher({
    answer: () => ({ kind: 'replayed', filteredSubscriptions: 0, ...first }),
  })
  await expect(publisher.publish(aRequest())).resolves.toEqual({
    filteredSubscriptions: 0,
    ...first,
    replayed: true,
  })
  expect(slots).toMatchObject({ reserved: 2, returned: 2, held: 0 })
})

test('another content under the same key is a conflict, and gives its slots back', async () => {
  const { publisher, slots } = aPublisher({ answer: () => ({ kind: 'conflict', eventId: 'evt_first' }) })
  await expect(publisher.publish(aRequest())).rejects.toMatchObject({ code: 'idempotency_conflict' })
  expect(slots).toMatchObject({ returned: 2, held: 0 })
})

test('an event whose key is held is set aside and tried again, and those beside it are not kept waiting', async () => {
  const isHeld = (event: NewEvent, call: number) => event.topic === 'orders.held' && call < 3
  const { publisher, calls, slots, clock } = aPublisher({
    answer: (event, call) => (isHeld(event, call) ? { kind: 'key_held' } : allHandedOff(event)),
  })
  const held = publisher.publish(aRequest('orders.held'))
  await publisher.publish(aRequest('orders.free'))
  await clock.advance(99)
  await publisher.publish(aRequest('orders.later'))
  await clock.advance(101)
  await held
  expect(topicsOf(calls)).toEqual([
    ['orders.held', 'orders.free'],
    ['orders.later'],
    ['orders.held'],
    ...calls.slice(3).map(() => ['orders.held']),
  ])
  expect(slots.held).toBe(0)
})

test('an event that is not to wait for its key is refused at once while that is held', async () => {
  const { publisher, slots, calls } = aPublisher({ answer: () => ({ kind: 'key_held' }) })
  await expect(publisher.publish({ ...aRequest(), refuseHeld: true })).rejects.toBeInstanceOf(KeyHeldError)
  expect(calls).toHaveLength(1)
  expect(slots.held).toBe(0)
})

test('an event whose key stays held is answered in time, and with the closing at the latest', async () => {
  const { publisher, clock } = aPublisher({ answer: () => ({ kind: 'key_held' }) })
  const timedOut = expect(publisher.publish(aRequest())).rejects.toMatchObject({ code: 'store_unavailable' })
  await clock.advance(10_000)
  await timedOut
  const closed = expect(publisher.publish(aRequest())).rejects.toMatchObject({ code: 'store_unavailable' })
  await clock.advance(0)
  await publisher.close()
  await closed
})

test('a plan from an old routing is made again from a new one', async () => {
  const { publisher, calls, slots, loads } = aPublisher({
    answer: (event, call) => (call === 1 ? { kind: 'stale_routing' } : allHandedOff(event)),
    before: () => {
      loads.version = 2
    },
  })
  await publisher.publish(aRequest())
  expect(calls.map(([event]) => event?.routingVersion)).toEqual([1, 2])
  expect(slots).toMatchObject({ reserved: 4, returned: 2, held: 0 })
})

test('a routing that never holds still ends in an error, not in a loop', async () => {
  const { publisher, calls, slots } = aPublisher({ answer: () => ({ kind: 'stale_routing' }) })
  await expect(publisher.publish(aRequest())).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(calls.length).toBe(21)
  expect(slots.held).toBe(0)
})

test('after a refused row each event of the batch is tried alone, and only the bad one fails', async () => {
  const { publisher, calls, slots } = aPublisher({
    before: (events) => {
      if (events.some(({ topic }) => topic === 'bad')) throw refused()
    },
  })
  const results = await publisher.publishMany(['a', 'bad', 'b'].map((topic) => aRequest(topic)))
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(topicsOf(calls)).toEqual([['a', 'bad', 'b'], ['a'], ['bad'], ['b']])
  expect(slots.held).toBe(0)
})

test('S1.42 after a lost store nothing is tried again and every caller hears store_unavailable', async () => {
  const { publisher, calls, slots } = aPublisher({
    before: () => {
      throw unavailable()
    },
  })
  const results = await publisher.publishMany([aRequest('a'), aRequest('b')])
  expect(results).toMatchObject([
    { status: 'rejected', reason: { code: 'store_unavailable' } },
    { status: 'rejected', reason: { code: 'store_unavailable' } },
  ])
  expect(calls).toHaveLength(1)
  expect(slots.held).toBe(0)
})

test('a store that hangs is answered with store_unavailable in time', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, clock, slots } = aPublisher({ before: () => gate.promise })
  const published = publisher.publish(aRequest())
  const heard = expect(published).rejects.toMatchObject({ code: 'store_unavailable' })
  await clock.advance(10_000)
  await heard
  gate.resolve()
  await publisher.close()
  expect(slots).toMatchObject({ held: 0, accepted: [expect.any(String), expect.any(String)] })
})

test('what timed out before its turn is not written any more', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, clock, calls } = aPublisher({ before: () => gate.promise })
  const results: ReturnType<typeof publisher.publishMany>[] = []
  for (const topic of ['a', 'b', 'c', 'd', 'late']) {
    results.push(publisher.publishMany([aRequest(topic)]))
    await clock.advance(0)
  }
  await clock.advance(10_000)
  gate.resolve()
  const statuses = (await Promise.all(results)).flat().map(({ status }) => status)
  expect(statuses).toEqual(['rejected', 'rejected', 'rejected', 'rejected', 'rejected'])
  await publisher.close()
  expect(topicsOf(calls)).toEqual([['a'], ['b'], ['c'], ['d']])
})

test('events that are tried alone after a refusal are answered in time too', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, clock } = aPublisher({
    before: (_, call) => {
      if (call === 1) throw refused()
      return gate.promise
    },
  })
  const results = publisher.publishMany([aRequest('a'), aRequest('b'), aRequest('c')])
  await clock.advance(10_000)
  expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  gate.resolve()
})

test('a routing that cannot be read fails the event that needs it', async () => {
  const parts = aPublisher()
  parts.routing.get = () => Promise.reject(unavailable())
  await expect(parts.publisher.publish(aRequest())).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(parts.calls).toEqual([])
})

test('events beyond the memory that may wait are refused at once', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher } = aPublisher({ before: () => gate.promise })
  const payload = new Uint8Array(262_144).fill(49)
  const results = publisher.publishMany(Array.from({ length: 300 }, () => aRequest('a', { payload })))
  gate.resolve()
  const refusals = (await results).filter(({ status }) => status === 'rejected')
  expect(refusals).toHaveLength(300 - 255)
})

test('closing lets what is under way finish and refuses what comes after', async () => {
  const gate = Promise.withResolvers<void>()
  const { publisher, clock } = aPublisher({ before: () => gate.promise })
  const first = publisher.publish(aRequest())
  const closed = publisher.close()
  await expect(publisher.publish(aRequest())).rejects.toMatchObject({ code: 'shutting_down' })
  gate.resolve()
  await first
  await closed
  expect(clock.pendingTimers).toBe(0)
})

test.each([
  ['an empty topic', aRequest(''), 'invalid_body'],
  ['a payload beyond 256 KiB', aRequest('a', { payload: new Uint8Array(262_145) }), 'payload_too_large'],
  ['metadata of another type', aRequest('a', { metadata: { a: 1 as never } }), 'invalid_request'],
  ['an empty idempotency key', aRequest('a', { idempotency: { scope: '', key: '' } }), 'invalid_request'],
])('refuses %s before anything is queued', async (_, request, code) => {
  const { publisher, calls } = aPublisher()
  await expect(publisher.publish(request)).rejects.toMatchObject({ code })
  expect(calls).toEqual([])
})

test('a tenant publishes as fast as its rate, with two seconds’ worth at once, and is told how long to wait', async () => {
  const settings = { ...defaultTenantSettings, ingestRate: 2 }
  const { publisher, calls, clock } = aPublisher({ tenant: { settings, deleted: false } })
  const results = await publisher.publishMany(Array.from({ length: 6 }, () => aRequest()))
  expect(results.map(({ status }) => status)).toEqual([...Array(4).fill('fulfilled'), 'rejected', 'rejected'])
  const refused = { code: 'rate_limited', retryAfterSeconds: 1 }
  await expect(publisher.publish(aRequest())).rejects.toMatchObject(refused)
  expect(calls.flat()).toHaveLength(4)
  await clock.advance(1000)
  const later = await publisher.publishMany([aRequest(), aRequest(), aRequest()])
  expect(later.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
})

test('of a slow rate the wait is told in whole seconds', async () => {
  const settings = { ...defaultTenantSettings, ingestRate: 0.25 }
  const { publisher } = aPublisher({ tenant: { settings, deleted: false } })
  await publisher.publish(aRequest())
  await expect(publisher.publish(aRequest())).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfterSeconds: 4,
  })
})

test('a tenant whose rate several processes share waits for the store, and holds up no other event', async () => {
  const settings = { ...defaultTenantSettings, ingestRate: 2 }
  const asked: PromiseWithResolvers<{ count: number; waitMs: number }>[] = []
  const tokens: KeyTokens = {
    take() {
      asked.push(Promise.withResolvers())
      return asked.at(-1)?.promise as Promise<{ count: number; waitMs: number }>
    },
  }
  const { publisher, calls, clock } = aPublisher({ tenant: { settings, deleted: false }, tokens })
  const first = publisher.publishMany([aRequest(), aRequest()])
  await clock.advance(1)
  expect([asked.length, calls.length]).toEqual([1, 0])
  asked[0]?.resolve({ count: 1, waitMs: 0 })
  await clock.advance(1)
  expect(calls.flat()).toHaveLength(1)
  asked[1]?.resolve({ count: 0, waitMs: 2300 })
  const [taken, refused] = await first
  expect(taken).toMatchObject({ status: 'fulfilled' })
  expect(refused).toMatchObject({ reason: { code: 'rate_limited', retryAfterSeconds: 3 } })
  await clock.advance(2300)
  const last = publisher.publish(aRequest())
  await clock.advance(1)
  const closed = publisher.close()
  asked[2]?.reject(unavailable())
  await expect(last).rejects.toMatchObject({ code: 'store_unavailable' })
  await closed
})

test('an event that is planned anew after a change of the routing spends one token', async () => {
  const settings = { ...defaultTenantSettings, ingestRate: 0.5 }
  const { publisher } = aPublisher({
    tenant: { settings, deleted: false },
    answer: (event, call) => (call <= 3 ? { kind: 'stale_routing' } : allHandedOff(event)),
  })
  await expect(publisher.publish(aRequest())).resolves.toMatchObject({ replayed: false })
})

test.each([
  ['was deleted', { settings: defaultTenantSettings, deleted: true }, defaultTenantId],
  ['never was', null, 'ten_01h455vb4pex5vsknk084sn02q'],
])('nothing is published for a tenant that %s', async (_what, tenant, tenantId) => {
  const { publisher, calls } = aPublisher({ tenant })
  await expect(publisher.publish(aRequest('a', { tenantId }))).rejects.toMatchObject({ code: 'not_found' })
  expect(calls).toEqual([])
})
