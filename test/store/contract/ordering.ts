import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { OrderedKeyFilter } from '../../../src/store/port.ts'
import {
  anOutcome,
  aTransportFailure,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

/** Publishes events of one key one after the other; the ids of their deliveries. */
export async function aLine(
  scene: Scene,
  route: Route,
  count: number,
  orderingKey = 'order-1',
): Promise<readonly string[]> {
  const ids: string[] = []
  for (let at = 0; at < count; at++) {
    ids.push((await scene.publish({ routes: [route], orderingKey })).deliveryId)
  }
  return ids
}

export function keysOf({ store }: Pick<Scene, 'store'>, filter: OrderedKeyFilter = {}) {
  return store
    .listOrderedKeys(defaultTenantId, filter, { limit: 200, cursor: null })
    .then(({ items }) => items)
}

/** Claims all that is due; the ids. */
export async function claimed(scene: Scene): Promise<readonly string[]> {
  return (await scene.claim()).deliveries.map(({ id }) => id)
}

/** Lines of ordered deliveries: who goes when, and what keeps a line waiting. */
export function describeOrdering(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint({ ordered: true })
  })
  afterEach(() => scene.close())

  const delivery = (id: string | undefined) => scene.delivery(id ?? '')

  describe('an ordered subscription', () => {
    it('has one delivery of each key in flight, in the order of the publishes, whatever other keys do', async () => {
      const first = await aLine(scene, route, 3)
      const second = await aLine(scene, route, 2, 'order-2')
      for (const round of [0, 1, 2]) {
        const { deliveries } = await scene.claim()
        expect(new Set(deliveries.map(({ id }) => id))).toEqual(
          new Set([first[round], second[round]].filter((id) => id !== undefined)),
        )
        expect((await scene.claim()).deliveries).toEqual([])
        const { advanced } = await scene.record(...deliveries.map((each) => anOutcome(each)))
        expect(advanced).toBe(round < 2)
      }
      expect((await scene.claim()).deliveries).toEqual([])
      expect(await keysOf(scene)).toEqual([])
    })

    it('keeps the order of a batch, and hands nothing off', async () => {
      const events = []
      for (let at = 0; at < 20; at++) {
        events.push(await scene.anEvent({ routes: [route], orderingKey: 'batch', handOff: at === 0 }))
      }
      const results = await scene.store.publish(events, { leaseMs, mayWaitInMemory: true })
      expect(results.every((result) => result.kind === 'published' && !result.handedOff[0])).toBe(true)
      const order: string[] = []
      for (let left = events.length; left > 0; left--) {
        const one = await scene.claimOne()
        order.push(one.eventId)
        await scene.record(anOutcome(one))
      }
      expect(order).toEqual(events.map(({ id }) => id))
    })

    it('treats events without a key as any other subscription', async () => {
      for (const handOff of [true, false, false]) await scene.publish({ routes: [route], handOff })
      expect((await scene.claim()).deliveries).toHaveLength(2)
      expect(await keysOf(scene)).toEqual([])
    })

    it('leaves an unordered subscription of the same key alone', async () => {
      const other = await scene.anEndpoint()
      for (let at = 0; at < 3; at++) await scene.publish({ routes: [route, other], orderingKey: 'shared' })
      const { deliveries } = await scene.claim()
      const endpoints = deliveries.map(({ endpointId }) => endpointId)
      expect(endpoints.filter((id) => id === other.endpointId)).toHaveLength(3)
      expect(endpoints.filter((id) => id === route.endpointId)).toHaveLength(1)
    })

    it('shows who waits behind whom', async () => {
      const [head, second, third] = await aLine(scene, route, 3)
      expect(await delivery(head)).toMatchObject({ state: 'pending', reason: null, orderingKey: 'order-1' })
      for (const id of [second, third]) {
        expect(await delivery(id)).toMatchObject({
          state: 'pending',
          reason: 'behind_head',
          nextAttemptAt: null,
        })
      }
      expect(await keysOf(scene)).toEqual([
        {
          tenantId: defaultTenantId,
          subscriptionId: route.subscriptionId,
          endpointId: route.endpointId,
          orderingKey: 'order-1',
          headDeliveryId: head,
          headState: 'pending',
          blockedSince: null,
          length: 3,
          oldestSuccessorAt: (await delivery(second)).createdAt,
        },
      ])
      const { subscriptionId } = route
      const lines = [
        { subscriptionId, orderingKey: 'nobody' },
        { subscriptionId, orderingKey: 'order-1' },
      ]
      expect(await scene.store.findHeads(defaultTenantId, lines)).toEqual([null, head])
      expect(await scene.store.findHeads(defaultTenantId, [])).toEqual([])
      expect(await scene.store.countOrderedKeys()).toEqual({ blocked: 0, waiting: 3 })
    })
  })

  describe('the head of a line keeps it waiting', () => {
    it('while it waits for another attempt', async () => {
      const [head, second] = await aLine(scene, route, 2)
      const { advanced } = await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(60_000) }))
      expect(advanced).toBe(false)
      await scene.advance(59_000)
      expect(await claimed(scene)).toEqual([])
      await scene.advance(2000)
      expect(await claimed(scene)).toEqual([head])
      expect(await delivery(second)).toMatchObject({ reason: 'behind_head' })
    })

    it('when its lease is given back or runs out', async () => {
      const [head] = await aLine(scene, route, 2)
      const { id, claimVersion } = await scene.claimOne()
      await scene.store.release([{ deliveryId: id, claimVersion, delayMs: 0 }])
      expect(await claimed(scene)).toEqual([head])
      await scene.advance(leaseMs + 1)
      await scene.store.reconcileReady({ limit: 100 })
      const again = await scene.claimOne()
      expect(again).toMatchObject({ id: head, lostClaims: 1 })
    })

    it('until its time, when its event is for later', async () => {
      const later = await scene.publish({ routes: [route], orderingKey: 'later', deliverInMs: 60_000 })
      const second = await scene.publish({ routes: [route], orderingKey: 'later' })
      expect(await scene.delivery(later.deliveryId)).toMatchObject({ reason: 'scheduled' })
      expect(await claimed(scene)).toEqual([])
      await scene.advance(60_001)
      const head = await scene.claimOne()
      expect(head.id).toBe(later.deliveryId)
      await scene.record(anOutcome(head))
      expect(await claimed(scene)).toEqual([second.deliveryId])
    })

    it('and one for later that comes to the head waits for its own time', async () => {
      await scene.publish({ routes: [route], orderingKey: 'later' })
      const later = await scene.publish({ routes: [route], orderingKey: 'later', deliverInMs: 60_000 })
      const { advanced } = await scene.record(anOutcome(await scene.claimOne()))
      expect(advanced).toBe(false)
      expect(await scene.delivery(later.deliveryId)).toMatchObject({ reason: 'scheduled' })
      expect(await claimed(scene)).toEqual([])
      await scene.advance(60_001)
      expect(await claimed(scene)).toEqual([later.deliveryId])
    })

    it('while its endpoint is disabled; enabling releases the head alone', async () => {
      const [head, second] = await aLine(scene, route, 2)
      const setDisabled = (disabledReason: 'operator' | null) =>
        scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason })
      await setDisabled('operator')
      const [third] = [
        (await scene.publish({ routes: [route], orderingKey: 'order-1', parked: 'endpoint_disabled' }))
          .deliveryId,
      ]
      const [other] = [
        (await scene.publish({ routes: [route], orderingKey: 'order-2', parked: 'endpoint_disabled' }))
          .deliveryId,
      ]
      expect(await delivery(head)).toMatchObject({ reason: 'endpoint_disabled' })
      for (const id of [second, third]) expect(await delivery(id)).toMatchObject({ reason: 'behind_head' })
      await setDisabled(null)
      const { deliveries } = await scene.claim()
      expect(new Set(deliveries.map(({ id }) => id))).toEqual(new Set([head, other]))
      await scene.record(...deliveries.map((each) => anOutcome(each)))
      expect(await claimed(scene)).toEqual([second])
    })

    it('and one that comes to the head of a disabled endpoint waits for that', async () => {
      const [, second] = await aLine(scene, route, 2)
      const head = await scene.claimOne()
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.record(anOutcome(head))
      expect(await claimed(scene)).toEqual([])
      expect(await delivery(second)).toMatchObject({ reason: 'endpoint_disabled' })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: null })
      expect(await claimed(scene)).toEqual([second])
    })
  })

  describe('lines at an endpoint that is held back', () => {
    const keys = ['a', 'b', 'c', 'd', 'e']
    let ids: Map<string, readonly string[]>

    async function aLineOfEach(to: Route): Promise<void> {
      ids = new Map()
      for (const key of keys) ids.set(key, await aLine(scene, to, 2, key))
    }

    /** Until nothing is left, with time passing in between; which were claimed at once, and none of them twice. */
    async function deliverAll(): Promise<readonly (readonly string[])[]> {
      const rounds: (readonly string[])[] = []
      for (let waits = 0; (await keysOf(scene)).length > 0; ) {
        const { deliveries } = await scene.claim()
        await scene.record(...deliveries.map((each) => anOutcome(each)))
        if (deliveries.length > 0) rounds.push(deliveries.map(({ id }) => id))
        else if (++waits > 200) throw new Error('a line is stuck')
        else await scene.advance(1000)
      }
      return rounds
    }

    function expectOrder(rounds: readonly (readonly string[])[]): void {
      const order = rounds.flat()
      expect([...order].sort()).toEqual([...ids.values()].flat().sort())
      // By key, one a round, as they were published.
      for (const line of ids.values()) {
        expect(rounds.flatMap((round) => round.find((id) => line.includes(id)) ?? [])).toEqual(line)
      }
    }

    it('wait for the end of its pause after failures behind their heads, and go on afterwards in order', async () => {
      await aLineOfEach(route)
      const { deliveries } = await scene.claim()
      expect(deliveries).toHaveLength(keys.length)
      await scene.record(...deliveries.map((each) => aTransportFailure(each, scene.now(), 1000)))
      await scene.advance(2000)
      expect(await claimed(scene)).toEqual([])
      const late = await scene.publish({ routes: [route], orderingKey: 'a' })
      for (const [head, second] of ids.values()) {
        expect(await delivery(head)).toMatchObject({ reason: 'endpoint_paused' })
        expect(await delivery(second)).toMatchObject({ reason: 'behind_head', nextAttemptAt: null })
      }
      expect(await delivery(late.deliveryId)).toMatchObject({ reason: 'behind_head' })
      expect(await claimed(scene)).toEqual([])
      ids.set('a', [...(ids.get('a') ?? []), late.deliveryId])
      expectOrder(await deliverAll())
    })

    it('go on after a pause by hand, whatever was published meanwhile', async () => {
      await aLineOfEach(route)
      const set = (disabledReason: 'paused' | null) =>
        scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason })
      await set('paused')
      expect(await claimed(scene)).toEqual([])
      const late = await scene.publish({
        routes: [route],
        orderingKey: 'b',
        parked: 'endpoint_disabled',
      })
      expect(await delivery(late.deliveryId)).toMatchObject({ reason: 'behind_head' })
      await scene.advance(60_000)
      expect(await claimed(scene)).toEqual([])
      await set(null)
      ids.set('b', [...(ids.get('b') ?? []), late.deliveryId])
      expectOrder(await deliverAll())
    })

    it('go on at its rate, one for each token, in order', async () => {
      const slow = await scene.anEndpoint({ ordered: true, rateLimitRps: 1 })
      await aLineOfEach(slow)
      const { deliveries } = await scene.claim()
      // A burst of two seconds; the other heads keep their lines meanwhile.
      expect(deliveries).toHaveLength(2)
      await scene.record(...deliveries.map((each) => anOutcome(each)))
      expect(await claimed(scene)).toEqual([])
      const waiting = await keysOf(scene)
      expect(waiting.map(({ length }) => length).sort()).toEqual([1, 1, 2, 2, 2])
      const heads = waiting.map(({ headDeliveryId }) => headDeliveryId)
      const startedAt = scene.now()
      const rounds = await deliverAll()
      expect(heads).toContain(rounds[0]?.[0])
      expect(rounds.map((round) => round.length)).toEqual(Array.from({ length: 8 }, () => 1))
      expect(scene.now() - startedAt).toBeGreaterThanOrEqual(8000)
      expectOrder([deliveries.map(({ id }) => id), ...rounds])
    })
  })

  describe('a dead-lettered head', () => {
    async function aBlockedLine(count = 3): Promise<readonly string[]> {
      const ids = await aLine(scene, route, count)
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      return ids
    }

    it('blocks its key and no other until it is replayed, and then is the head again', async () => {
      const [head, second] = await aBlockedLine()
      expect(await claimed(scene)).toEqual([])
      const [other] = await aLine(scene, route, 1, 'order-2')
      expect(await claimed(scene)).toEqual([other])
      expect(await keysOf(scene, { blocked: true })).toMatchObject([
        {
          orderingKey: 'order-1',
          headDeliveryId: head,
          headState: 'dead_lettered',
          length: 3,
          blockedSince: (await delivery(head)).updatedAt,
        },
      ])
      expect(await keysOf(scene, { blocked: false })).toMatchObject([{ orderingKey: 'order-2' }])
      expect(await scene.store.countOrderedKeys()).toEqual({ blocked: 1, waiting: 4 })
      expect(await scene.store.replay(defaultTenantId, head ?? '')).toMatchObject({ kind: 'replayed' })
      expect(await keysOf(scene, { blocked: true })).toEqual([])
      const again = await scene.claimOne()
      expect(again.id).toBe(head)
      await scene.record(anOutcome(again))
      expect(await claimed(scene)).toEqual([second])
    })

    it('may die again and be replayed again, ahead of what came meanwhile', async () => {
      const [head, second] = await aBlockedLine(2)
      for (let time = 0; time < 2; time++) {
        await scene.store.resend(defaultTenantId, head ?? '')
        await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
        expect(await claimed(scene)).toEqual([])
      }
      await scene.store.replay(defaultTenantId, head ?? '')
      await scene.record(anOutcome(await scene.claimOne()))
      expect(await claimed(scene)).toEqual([second])
    })

    it('is skipped, and the next one goes; the answer to a second skip is the same', async () => {
      const [head, second, third] = await aBlockedLine()
      const skip = () => scene.store.skipDelivery(defaultTenantId, head ?? '', 'skipped: wrong customer')
      expect(await skip()).toEqual({
        kind: 'skipped',
        nextHeadDeliveryId: second,
        targetId: route.endpointId,
      })
      expect(await delivery(head)).toMatchObject({
        state: 'skipped',
        lastError: 'skipped: wrong customer',
        reason: null,
      })
      const next = await scene.claimOne()
      expect(next.id).toBe(second)
      await scene.record(anOutcome(next))
      expect(await skip()).toMatchObject({ kind: 'skipped', nextHeadDeliveryId: second })
      expect(await claimed(scene)).toEqual([third])
      expect((await scene.store.counts()).deliveries).toMatchObject({ skipped: 1, dead_lettered: 0 })
      const listed = await scene.store.listDeliveries(
        defaultTenantId,
        { state: 'skipped' },
        { limit: 10, cursor: null },
      )
      expect(listed.items.map(({ id }) => id)).toEqual([head])
      expect(await scene.store.replay(defaultTenantId, head ?? '')).toMatchObject({ kind: 'not_replayable' })
    })

    it('that stands alone is skipped, and its key is gone', async () => {
      const [head] = await aBlockedLine(1)
      expect(await scene.store.skipDelivery(defaultTenantId, head ?? '', 'no use')).toEqual({
        kind: 'skipped',
        nextHeadDeliveryId: null,
        targetId: null,
      })
      expect(await keysOf(scene)).toEqual([])
    })

    it('is the only one that can be skipped', async () => {
      const skip = async (id: string, tenantId = defaultTenantId) =>
        scene.store.skipDelivery(tenantId, id, 'no')
      const [head, second] = await aLine(scene, route, 2)
      expect(await skip(head ?? '')).toEqual({ kind: 'not_skippable', state: 'pending' })
      expect(await skip(second ?? '')).toEqual({ kind: 'not_skippable', state: 'pending' })
      const inFlight = await scene.claimOne()
      expect(await skip(inFlight.id)).toEqual({ kind: 'not_skippable', state: 'in_flight' })
      const plain = await scene.anEndpoint()
      const { deliveryId } = await scene.publish({ routes: [plain], orderingKey: 'order-1' })
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      expect(await skip(deliveryId)).toEqual({ kind: 'not_skippable', state: 'dead_lettered' })
      await scene.record(anOutcome(inFlight))
      expect(await skip(inFlight.id)).toEqual({ kind: 'not_skippable', state: 'succeeded' })
      expect(await skip('no id at all')).toEqual({ kind: 'not_found' })
      expect(await skip(scene.ids.next('dlv'))).toEqual({ kind: 'not_found' })
      expect(await skip(head ?? '', scene.ids.next('ten'))).toEqual({ kind: 'not_found' })
    })
  })
}
