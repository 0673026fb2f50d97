import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { anOutcome, leaseMs, type OpenHarness, openScene, type Scene } from './scene.ts'

const hash = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const aKey = (key: string, byte = 1) => ({ scope: '', key, hash: hash(byte), ttlMs: 86_400_000 })

export function describePublish(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  describe('publish', () => {
    it('makes an event, its exact bytes and a pending delivery per subscription', async () => {
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
      const payload = new TextEncoder().encode('{"b":1, "a":12345678901234567890 }')
      const { event, result } = await scene.publish({
        routes,
        payload,
        metadata: { source: 'test' },
        orderingKey: 'k',
      })

      expect(result).toEqual({ kind: 'published', handedOff: [false, false] })
      expect(await scene.store.getPayload(defaultTenantId, event.id)).toEqual(payload)
      expect(await scene.store.getEvent(defaultTenantId, event.id)).toEqual({
        id: event.id,
        tenantId: defaultTenantId,
        topic: 'orders.created',
        state: 'fanned_out',
        payloadBytes: payload.byteLength,
        metadata: { source: 'test' },
        orderingKey: 'k',
        producerKeyId: null,
        deliverAt: null,
        traceContext: null,
        request: null,
        filteredSubscriptions: null,
        hasIdempotencyKey: false,
        createdAt: scene.now(),
        expungedAt: null,
      })
      const deliveries = await scene.deliveriesOf(event.id)
      expect(deliveries.map((delivery) => delivery.id)).toEqual(
        event.deliveries.map((delivery) => delivery.id),
      )
      expect(deliveries[0]).toMatchObject({
        state: 'pending',
        topic: 'orders.created',
        attemptCount: 0,
        claimVersion: 0,
        nextAttemptAt: scene.now(),
        orderingKey: 'k',
      })
    })

    it('keeps the trace of its publisher with the event, and gives it with each claim', async () => {
      const routes = [await scene.anEndpoint()]
      const traceContext = { traceparent: `00-${'4b'.repeat(16)}-${'0f'.repeat(8)}-01`, tracestate: 'a="1"' }
      const { event } = await scene.publish({ routes, traceContext })
      expect((await scene.store.getEvent(defaultTenantId, event.id))?.traceContext).toEqual(traceContext)
      const first = await scene.claimOne()
      expect(first.traceContext).toEqual(traceContext)
      await scene.record(anOutcome(first, { next: { state: 'retry_scheduled', delayMs: 1000 } }))
      await scene.advance(1000)
      expect((await scene.claimOne()).traceContext).toEqual(traceContext)
      await scene.publish({ routes })
      expect((await scene.claimOne()).traceContext).toBeNull()
    })

    it('says of each event whether it was published with an idempotency key, and of a repeat what it says of the first', async () => {
      const { event: keyed } = await scene.publish({ idempotency: aKey('k') })
      const { event: plain } = await scene.publish()
      await scene.publish({ idempotency: aKey('k') })
      const page = await scene.store.listEvents(defaultTenantId, {}, { limit: 10, cursor: null })
      expect(page.items.map(({ id, hasIdempotencyKey }) => [id, hasIdempotencyKey])).toEqual([
        [plain.id, false],
        [keyed.id, true],
      ])
      for (const { id, hasIdempotencyKey } of page.items) {
        expect(await scene.store.getEvent(defaultTenantId, id)).toMatchObject({ hasIdempotencyKey })
      }
    })

    it('leaves the bytes of the caller alone', async () => {
      const pool = Buffer.from('xx{"n":1}xx')
      const payload = pool.subarray(2, 9)
      const { event } = await scene.publish({ payload })
      expect(pool.toString()).toBe('xx{"n":1}xx')
      expect(
        Buffer.from((await scene.store.getPayload(defaultTenantId, event.id)) as Uint8Array).toString(),
      ).toBe('{"n":1}')
    })

    it('hands deliveries off leased to the caller when the target has no backlog', async () => {
      const route = await scene.anEndpoint()
      const { result, deliveryId } = await scene.publish({ routes: [route], handOff: true })
      expect(result).toEqual({ kind: 'published', handedOff: [true] })
      expect(await scene.delivery(deliveryId)).toMatchObject({
        state: 'in_flight',
        claimVersion: 1,
        nextAttemptAt: null,
      })
      expect((await scene.claim()).deliveries).toEqual([])
    })

    it('grants no hand-off past a due backlog', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const { result } = await scene.publish({ routes: [route], handOff: true })
      expect(result).toEqual({ kind: 'published', handedOff: [false] })
    })

    it('grants no hand-off past a delivery of the same batch that has to wait', async () => {
      const route = await scene.anEndpoint()
      const waiting = await scene.anEvent({ routes: [route] })
      const later = await scene.anEvent({ routes: [route], handOff: true })
      const results = await scene.store.publish([waiting, later], { leaseMs })
      expect(results[1]).toEqual({ kind: 'published', handedOff: [false] })
    })

    it('grants a hand-off beside deliveries that are only due later', async () => {
      const route = await scene.anEndpoint()
      const { event } = await scene.publish({ routes: [route], handOff: true })
      const again = await scene.publish({ routes: [route], handOff: true })
      expect(event.id).not.toBe(again.event.id)
      expect(again.result).toEqual({ kind: 'published', handedOff: [true] })
    })

    it('parks deliveries without a due time and with the reason', async () => {
      const route = await scene.anEndpoint()
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const { deliveryId } = await scene.publish({ routes: [route], parked: 'endpoint_disabled' })
      expect(await scene.delivery(deliveryId)).toMatchObject({
        state: 'pending',
        reason: 'endpoint_disabled',
        nextAttemptAt: null,
      })
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: null })
    })

    it('writes nothing under routing that has changed since, and says so', async () => {
      const route = await scene.anEndpoint()
      const { version } = await scene.store.loadRouting(defaultTenantId)
      await scene.anEndpoint()
      const { event, result } = await scene.publish({ routes: [route], routingVersion: version })
      expect(result).toEqual({ kind: 'stale_routing' })
      expect(await scene.store.getEvent(defaultTenantId, event.id)).toBeNull()
    })

    it('refuses a batch whole when the database refuses one row', async () => {
      const first = await scene.anEvent()
      const second = await scene.anEvent()
      await scene.store.publish([second], { leaseMs })
      await expect(scene.store.publish([first, second], { leaseMs })).rejects.toMatchObject({
        code: 'store_refused',
      })
      expect(await scene.store.getEvent(defaultTenantId, first.id)).toBeNull()
    })

    it('lets a refused call hinder no other', async () => {
      const taken = await scene.anEvent()
      await scene.store.publish([taken], { leaseMs })
      const good = await scene.anEvent()
      const [refused, published] = await Promise.allSettled([
        scene.store.publish([taken], { leaseMs }),
        scene.store.publish([good], { leaseMs }),
      ])
      expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'store_refused' } })
      expect(published.status).toBe('fulfilled')
      expect(await scene.store.getEvent(defaultTenantId, good.id)).not.toBeNull()
    })
  })

  describe('idempotency', () => {
    it('answers the same content with the first event and its deliveries', async () => {
      const route = await scene.anEndpoint()
      const first = await scene.publish({ routes: [route], idempotency: aKey('k') })
      const second = await scene.publish({ routes: [route], idempotency: aKey('k') })
      expect(second.result).toEqual({
        kind: 'replayed',
        filteredSubscriptions: 0,
        eventId: first.event.id,
        deliveryIds: [first.deliveryId],
        state: 'fanned_out',
      })
      expect(await scene.store.getEvent(defaultTenantId, second.event.id)).toBeNull()
    })

    it('answers a replay whatever became of the routing and of the deliveries', async () => {
      const route = await scene.anEndpoint()
      const first = await scene.publish({ routes: [route], idempotency: aKey('k') })
      await scene.record(anOutcome(await scene.claimOne()))
      const second = await scene.publish({ routes: [route], idempotency: aKey('k'), routingVersion: 0 })
      expect(second.result).toEqual({
        kind: 'replayed',
        filteredSubscriptions: 0,
        eventId: first.event.id,
        deliveryIds: [first.deliveryId],
        state: 'fanned_out',
      })
    })

    it('answers other content with a conflict that names the first event', async () => {
      const first = await scene.publish({ idempotency: aKey('k') })
      const second = await scene.publish({ idempotency: aKey('k', 2) })
      expect(second.result).toEqual({ kind: 'conflict', eventId: first.event.id })
    })

    it('folds duplicates within a batch', async () => {
      const first = await scene.anEvent({ idempotency: aKey('k') })
      const second = await scene.anEvent({ idempotency: aKey('k') })
      const results = await scene.store.publish([first, second], { leaseMs })
      expect(results).toEqual([
        { kind: 'published', handedOff: [] },
        {
          kind: 'replayed',
          eventId: first.id,
          deliveryIds: [],
          state: 'fanned_out',
          filteredSubscriptions: 0,
        },
      ])
    })

    it('lets exactly one of many callers at once through', async () => {
      const events = await Promise.all(
        Array.from({ length: 20 }, () => scene.anEvent({ idempotency: aKey('k') })),
      )
      const results = await Promise.all(events.map((event) => scene.store.publish([event], { leaseMs })))
      expect(results.flat().filter((result) => result.kind === 'published')).toHaveLength(1)
      expect(results.flat().filter((result) => result.kind === 'replayed')).toHaveLength(19)
    })

    it('keeps keys apart by scope', async () => {
      await scene.publish({ idempotency: aKey('k') })
      const other = await scene.publish({ idempotency: { ...aKey('k', 2), scope: 'key_a' } })
      expect(other.result.kind).toBe('published')
    })

    it('S1.7 takes an expired key over', async () => {
      await scene.publish({ idempotency: aKey('k') })
      await scene.advance(86_400_000)
      const later = await scene.publish({ idempotency: aKey('k', 2) })
      expect(later.result.kind).toBe('published')
    })

    it('spends no key on an event that stale routing keeps out', async () => {
      await scene.anEndpoint()
      const stale = await scene.publish({ idempotency: aKey('k'), routingVersion: 0 })
      expect(stale.result.kind).toBe('stale_routing')
      expect((await scene.publish({ idempotency: aKey('k', 2) })).result.kind).toBe('published')
    })
  })
}
