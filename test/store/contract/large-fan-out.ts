import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Delivery, defaultTenantId } from '../../../src/core/model.ts'
import {
  anOutcome,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  type Scene,
} from './scene.ts'

const dayMs = 86_400_000
const idempotency = { scope: '', key: 'k', hash: new Uint8Array(32), ttlMs: 1000 * dayMs }

/** Events for many, whose deliveries are made in slices. */
export function describeLargeFanOut(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  /** So many receivers over some endpoints. */
  async function receivers(count: number, endpoints = 3): Promise<readonly Route[]> {
    const routes: Route[] = []
    for (let made = 0; made < endpoints; made++) routes.push(await scene.anEndpoint())
    return Array.from({ length: count }, (_, index) => routes[index % endpoints] as Route)
  }

  async function fanOutAll(deliveries?: number): Promise<number> {
    let made = 0
    for (let more = true; more; ) {
      const slice = await scene.fanOutSlice(deliveries)
      made += slice.made
      more = slice.more
    }
    return made
  }

  const stateOf = async (eventId: string) => (await scene.store.getEvent(defaultTenantId, eventId))?.state

  /** Through all pages. */
  async function deliveriesOf(eventId: string, limit = 1000): Promise<readonly Delivery[]> {
    const found: Delivery[] = []
    let cursor: string | null = null
    do {
      const page = await scene.store.listDeliveriesOfEvent(defaultTenantId, eventId, { limit, cursor })
      found.push(...page.items)
      cursor = page.nextCursor
    } while (cursor !== '')
    return found
  }

  const perEndpoint = (deliveries: readonly Delivery[]) =>
    [...Map.groupBy(deliveries, ({ endpointId }) => endpointId).values()].map((each) => each.length)

  describe('an event for many', () => {
    it('is durable without its deliveries, which slices make one after the other', async () => {
      const { event, result } = await scene.publish({ receivers: await receivers(250) })
      expect(result).toEqual({ kind: 'published', handedOff: [] })
      expect(await stateOf(event.id)).toBe('accepted')
      expect(await scene.store.getPayload(defaultTenantId, event.id)).toEqual(event.payload)
      expect(await deliveriesOf(event.id)).toEqual([])

      expect(await scene.fanOutSlice(100)).toEqual({ made: 100, more: true })
      expect(await stateOf(event.id)).toBe('accepted')
      expect(await deliveriesOf(event.id)).toHaveLength(100)
      expect((await scene.store.counts()).deliveries.pending).toBe(100)
      expect(await scene.claim({ limit: 10 })).toMatchObject({ deliveries: { length: 10 }, nextDueMs: 0 })

      expect(await fanOutAll()).toBe(150)
      expect(await stateOf(event.id)).toBe('fanned_out')
      const deliveries = await deliveriesOf(event.id)
      expect(new Set(deliveries.map(({ id }) => id)).size).toBe(250)
      expect(perEndpoint(deliveries)).toEqual([84, 83, 83])
      expect(deliveries.at(-1)).toMatchObject({
        eventId: event.id,
        topic: 'orders.created',
        state: 'pending',
        attemptCount: 0,
        claimVersion: 0,
        nextAttemptAt: scene.now(),
      })
      expect(await scene.fanOutSlice()).toEqual({ made: 0, more: false })
    })

    it('gets 10 000 deliveries, each once, although others are published and delivered between its slices', async () => {
      const { event } = await scene.publish({ receivers: await receivers(10_000) })
      const other = await scene.anEndpoint()
      for (let more = true; more; ) {
        more = (await scene.fanOutSlice()).more
        const { result } = await scene.publish({ routes: [other], handOff: true })
        expect(result).toEqual({ kind: 'published', handedOff: [true] })
      }
      const { deliveries } = await scene.claim({ limit: 200 })
      await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
      const found = await deliveriesOf(event.id)
      expect(found.every(({ eventId }) => eventId === event.id)).toBe(true)
      expect(new Set(found.map(({ id }) => id)).size).toBe(10_000)
      expect(perEndpoint(found)).toEqual([3334, 3333, 3333])
      expect(found.filter(({ state }) => state === 'succeeded').length).toBe(deliveries.length)
    }, 120_000)

    it('gets each delivery once when slices are asked for at the same time', async () => {
      const { event } = await scene.publish({ receivers: await receivers(300) })
      const slices = await Promise.all(Array.from({ length: 12 }, () => scene.fanOutSlice(50)))
      const made = slices.reduce((sum, slice) => sum + slice.made, 0)
      expect(made + (await fanOutAll(50))).toBe(300)
      expect(await deliveriesOf(event.id)).toHaveLength(300)
    })

    it('takes turns with those of other tenants, and is before younger ones of its own', async () => {
      const other = scene.ids.next('ten')
      const [mine] = await receivers(1)
      const theirs = await scene.anEndpoint({ tenantId: other })
      const publish = async (route: Route) =>
        (await scene.publish({ receivers: Array.from({ length: 2 }, () => route) })).event.id
      const [first, second, third] = [
        await publish(mine as Route),
        await publish(mine as Route),
        await publish(theirs),
      ]
      await scene.fanOutSlice(1)
      await scene.fanOutSlice(1)
      const page = { limit: 10, cursor: null }
      const counts = async () => [
        (await deliveriesOf(first)).length,
        (await deliveriesOf(second)).length,
        (await scene.store.listDeliveriesOfEvent(other, third, page)).items.length,
      ]
      expect(await counts()).toEqual([1, 0, 1])
      await scene.fanOutSlice(1)
      await scene.fanOutSlice(1)
      expect(await counts()).toEqual([2, 0, 2])
      expect(await scene.fanOutSlice(10)).toEqual({ made: 2, more: false })
    })

    it('is for those who were subscribed when it was published, whatever changes between its slices', async () => {
      const [gone, unsubscribed, disabled, stays] = [
        await scene.anEndpoint(),
        await scene.anEndpoint(),
        await scene.anEndpoint(),
        await scene.anEndpoint(),
      ]
      const all = [gone, unsubscribed, disabled, stays]
      const { event } = await scene.publish({ receivers: [...all, ...all] })
      await scene.fanOutSlice(4)
      await scene.store.deleteEndpoint(defaultTenantId, gone.endpointId)
      await scene.store.deleteSubscription(defaultTenantId, unsubscribed.subscriptionId)
      await scene.store.updateEndpoint(defaultTenantId, disabled.endpointId, { disabledReason: 'operator' })
      await scene.anEndpoint()
      await fanOutAll()
      await scene.claim()

      const states = async () =>
        (await deliveriesOf(event.id)).map(({ endpointId, state, reason }) => [
          all.findIndex((route) => route.endpointId === endpointId),
          reason ?? state,
        ])
      const half = [
        [0, 'cancelled'],
        [1, 'cancelled'],
        [2, 'endpoint_disabled'],
        [3, 'in_flight'],
      ]
      expect(await states()).toEqual([...half, ...half])
      await scene.store.updateEndpoint(defaultTenantId, disabled.endpointId, { disabledReason: null })
      await scene.store.applyConfigChanges({ limit: 100 })
      expect((await scene.claim()).deliveries).toHaveLength(2)
    })

    it('answers its idempotency key as it was answered first, also when it is fanned out', async () => {
      const to = await receivers(20)
      const first = await scene.publish({ receivers: to, idempotency })
      const answer = {
        kind: 'replayed',
        eventId: first.event.id,
        deliveryIds: [],
        state: 'accepted',
        filteredSubscriptions: 0,
      }
      expect((await scene.publish({ receivers: to, idempotency })).result).toEqual(answer)
      expect(await fanOutAll()).toBe(20)
      expect((await scene.publish({ receivers: to, idempotency })).result).toEqual(answer)
      expect(await scene.fanOutSlice()).toEqual({ made: 0, more: false })
    })

    it('writes nothing when its routing is stale', async () => {
      const to = await receivers(20)
      const { result } = await scene.publish({ receivers: to, routingVersion: 0 })
      expect(result).toEqual({ kind: 'stale_routing' })
      expect(await scene.fanOutSlice()).toEqual({ made: 0, more: false })
    })

    it('is listed page by page, oldest first, and through the filters of all deliveries', async () => {
      const to = await receivers(250)
      const { event } = await scene.publish({ receivers: to })
      await scene.publish({ routes: to.slice(0, 3) })
      await fanOutAll(70)
      const { deliveries } = await scene.claim({ limit: 30 })
      const ofEvent = deliveries.filter(({ eventId }) => eventId === event.id)
      await scene.record(...ofEvent.map((claimed) => anOutcome(claimed, { next: deadLetter })))

      const all = await deliveriesOf(event.id)
      const ids = all.map(({ id }) => id)
      expect(ids).toEqual(ids.toSorted())
      expect((await deliveriesOf(event.id, 40)).map(({ id }) => id)).toEqual(ids)

      const listed: string[] = []
      let cursor: string | null = null
      const filter = { eventId: event.id, endpointId: to[1]?.endpointId as string }
      do {
        const page = await scene.store.listDeliveries(defaultTenantId, filter, { limit: 30, cursor })
        listed.push(...page.items.map(({ id }) => id))
        cursor = page.nextCursor
      } while (cursor !== '')
      const wanted = all.filter(({ endpointId }) => endpointId === filter.endpointId).map(({ id }) => id)
      expect(listed).toEqual(wanted.toReversed())

      const dead = { eventId: event.id, state: 'dead_lettered' as const }
      const page = await scene.store.listDeliveries(defaultTenantId, dead, { limit: 200, cursor: null })
      expect(page.items.map(({ id }) => id).toSorted()).toEqual(ofEvent.map(({ id }) => id).toSorted())
      await expect(
        scene.store.listDeliveriesOfEvent(defaultTenantId, event.id, { limit: 10, cursor: 'x' }),
      ).rejects.toMatchObject({ code: 'bad_cursor' })
      await expect(
        scene.store.listDeliveriesOfEvent(defaultTenantId, event.id, { limit: 1001, cursor: null }),
      ).rejects.toMatchObject({ code: 'invalid_request' })
    })

    it('keeps its payload while deliveries are to be made, and is removed with the last of them', async () => {
      const { event } = await scene.publish({ receivers: await receivers(40) })
      const retention = {
        payloadsMs: dayMs,
        attemptsMs: dayMs,
        eventsMs: dayMs,
        deadLettersMs: 9 * dayMs,
        jobsMs: 0,
      }
      const removeAll = async () => {
        while ((await scene.store.removeExpired({ retention, limit: 10 })).more);
      }
      await scene.fanOutSlice(10)
      await scene.advance(2 * dayMs)
      await removeAll()
      expect(await scene.store.getPayload(defaultTenantId, event.id)).toEqual(event.payload)

      await fanOutAll(10)
      const { deliveries } = await scene.claim()
      expect(deliveries).toHaveLength(40)
      const [dead, ...others] = deliveries.map((claimed) => anOutcome(claimed))
      await scene.record({ ...(dead as (typeof others)[0]), next: deadLetter }, ...others)
      await scene.advance(2 * dayMs)
      await removeAll()
      expect((await deliveriesOf(event.id)).map(({ state }) => state)).toEqual(['dead_lettered'])
      expect(await scene.store.getPayload(defaultTenantId, event.id)).toEqual(event.payload)

      await scene.advance(10 * dayMs)
      await removeAll()
      await scene.advance(dayMs)
      await removeAll()
      expect(await scene.store.getEvent(defaultTenantId, event.id)).toBeNull()
    })

    it('is given on when a lease of one of its deliveries is lost', async () => {
      await scene.publish({ receivers: await receivers(5) })
      await fanOutAll()
      const first = await scene.claim()
      await scene.advance(leaseMs)
      await scene.store.reconcileReady({ limit: 100 })
      const second = await scene.claim()
      expect(second.deliveries.map(({ id }) => id).toSorted()).toEqual(
        first.deliveries.map(({ id }) => id).toSorted(),
      )
    })
  })
}
