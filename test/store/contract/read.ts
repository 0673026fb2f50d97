import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { DeadLetterFilter, DeliveryFilter, EventFilter, Page } from '../../../src/store/port.ts'
import { anOutcome, deadLetter, type OpenHarness, openScene, retryIn, type Scene } from './scene.ts'

export function describeRead(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  async function readAll<Item>(
    list: (cursor: string | null) => Promise<Page<Item>>,
  ): Promise<readonly Item[]> {
    const items: Item[] = []
    let cursor: string | null = null
    do {
      const page: Page<Item> = await list(cursor)
      items.push(...page.items)
      cursor = page.nextCursor
    } while (cursor !== '')
    return items
  }

  describe('listings', () => {
    it('page through live and finished deliveries as one list, newest first', async () => {
      const route = await scene.anEndpoint()
      const events = await scene.publishMany(25, { routes: [route] })
      const { deliveries } = await scene.claim({ limit: 15 })
      await scene.record(
        ...deliveries.map((delivery, index) =>
          anOutcome(delivery, index % 2 === 0 ? {} : { next: deadLetter }),
        ),
      )
      const all = await readAll((cursor) =>
        scene.store.listDeliveries(defaultTenantId, {}, { limit: 4, cursor }),
      )
      expect(all.map((delivery) => delivery.id)).toEqual(
        events.map((event) => event.deliveries[0]?.id).reverse(),
      )
      expect(new Set(all.map((delivery) => delivery.state))).toEqual(
        new Set(['pending', 'succeeded', 'dead_lettered']),
      )
    })

    it('page through an exact multiple of the limit without an empty page', async () => {
      await scene.publishMany(4)
      const first = await scene.store.listEvents(defaultTenantId, {}, { limit: 2, cursor: null })
      const second = await scene.store.listEvents(defaultTenantId, {}, { limit: 2, cursor: first.nextCursor })
      expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 2, ''])
    })

    it('filter deliveries by state, endpoint, subscription, event and topic', async () => {
      const a = await scene.anEndpoint()
      const b = await scene.anEndpoint()
      const first = await scene.publish({ routes: [a, b], topic: 'orders.created' })
      const second = await scene.publish({ routes: [a], topic: 'orders.paid' })
      const claimed = (await scene.claim()).deliveries.find((delivery) => delivery.id === second.deliveryId)
      if (claimed === undefined) throw new Error('not claimed')
      await scene.record(anOutcome(claimed))
      const ids = async (filter: object): Promise<readonly string[]> =>
        (await scene.store.listDeliveries(defaultTenantId, filter, { limit: 10, cursor: null })).items.map(
          ({ id }) => id,
        )
      const [firstA, firstB] = first.event.deliveries.map((delivery) => delivery.id)
      expect(await ids({ state: 'succeeded' })).toEqual([second.deliveryId])
      expect(await ids({ state: 'in_flight' })).toEqual([firstB, firstA])
      expect(await ids({ endpointId: b.endpointId })).toEqual([firstB])
      expect(await ids({ endpointId: a.endpointId })).toEqual([second.deliveryId, firstA])
      expect(await ids({ subscriptionId: a.subscriptionId })).toEqual([second.deliveryId, firstA])
      expect(await ids({ eventId: first.event.id })).toEqual([firstB, firstA])
      expect(await ids({ topic: 'orders.paid' })).toEqual([second.deliveryId])
      expect(await ids({ endpointId: 'ep_nonsense' })).toEqual([])
    })

    it('filter events by topic and by time, the end not included', async () => {
      const early = await scene.publish({ topic: 'a' })
      await scene.advance(1000)
      const since = scene.now()
      const middle = await scene.publish({ topic: 'a' })
      await scene.publish({ topic: 'b' })
      await scene.advance(1000)
      await scene.publish({ topic: 'a' })
      const list = async (filter: object): Promise<readonly string[]> =>
        (await scene.store.listEvents(defaultTenantId, filter, { limit: 10, cursor: null })).items.map(
          ({ id }) => id,
        )
      expect(await list({ topic: 'a', since, until: since + 1000 })).toEqual([middle.event.id])
      expect(await list({ topic: 'a', until: since })).toEqual([early.event.id])
      expect(await list({ since })).toHaveLength(3)
    })

    it('filter events by the beginning of the topic, ordering key, metadata and the state of their deliveries', async () => {
      const [a, b] = [await scene.anEndpoint(), await scene.anEndpoint()]
      const metadata = { source: 'shop', plan: 'it’s "free"' }
      const first = await scene.publish({
        routes: [a, b],
        topic: 'orders.created',
        metadata,
        orderingKey: 'k',
      })
      const claimed = (await scene.claim()).deliveries
      await scene.record(
        ...claimed.map((one, index) => anOutcome(one, index === 0 ? {} : { next: deadLetter })),
      )
      const second = await scene.publish({
        routes: [a],
        topic: 'orders_paid.late',
        metadata: { source: 'shop' },
      })
      const none = await scene.publish({ routes: [], topic: 'orders.paid' })
      const names = new Map(
        Object.entries({ first, second, none }).map(([name, { event }]) => [event.id, name]),
      )
      const list = async (filter: EventFilter, tenantId = defaultTenantId) => {
        const page = await scene.store.listEvents(tenantId, filter, { limit: 10, cursor: null })
        expect([page.nextCursor, page.searchedUntil]).toEqual(['', null])
        return page.items.map(({ id }) => names.get(id))
      }
      expect(await list({ topicPrefix: '' })).toEqual(['none', 'second', 'first'])
      expect(await list({ topicPrefix: 'orders.' })).toEqual(['none', 'first'])
      expect(await list({ topicPrefix: 'orders_' })).toEqual(['second'])
      expect(await list({ topicPrefix: '%' })).toEqual([])
      expect(await list({ topic: 'orders.paid', topicPrefix: 'orders.' })).toEqual(['none'])
      expect(await list({ topic: 'orders.paid', topicPrefix: 'orders.paid*' })).toEqual([])
      expect(await list({ orderingKey: 'k' })).toEqual(['first'])
      expect(await list({ orderingKey: 'K' })).toEqual([])
      expect(await list({ metadata: { source: 'shop' } })).toEqual(['second', 'first'])
      expect(await list({ metadata })).toEqual(['first'])
      expect(await list({ metadata: { source: 'sho' } })).toEqual([])
      expect(await list({ metadata: { plan: 'shop' } })).toEqual([])
      expect(await list({ deliveryState: 'succeeded' })).toEqual(['first'])
      expect(await list({ deliveryState: 'dead_lettered', metadata: { source: 'shop' } })).toEqual(['first'])
      expect(await list({ deliveryState: 'pending' })).toEqual(['second'])
      expect(await list({ deliveryState: 'retry_scheduled' })).toEqual([])
      expect(await list({ topicPrefix: '' }, scene.ids.next('ten'))).toEqual([])
      await scene.claim()
      expect(await list({ deliveryState: 'pending' })).toEqual([])
      expect(await list({ deliveryState: 'in_flight' })).toEqual(['second'])
      const handed = await scene.publish({ routes: [a], handOff: true })
      names.set(handed.event.id, 'handed')
      expect(await list({ deliveryState: 'in_flight' })).toEqual(['handed', 'second'])
      expect(await list({ deliveryState: 'retry_scheduled' })).toEqual([])
    })

    it('count why deliveries were given up, the most frequent first, of those that a filter asks for', async () => {
      const a = await scene.anEndpoint()
      const b = await scene.anEndpoint()
      const count = (filter: object = {}, tenantId = defaultTenantId) =>
        scene.store.countDeadLetterReasons(tenantId, filter)
      expect(await count()).toEqual({ reasons: [], isComplete: true })
      await scene.publishMany(3, { routes: [a], topic: 'orders.created' })
      await scene.publishMany(2, { routes: [b], topic: 'orders.paid' })
      const since = scene.now()
      for (const delivery of (await scene.claim()).deliveries) {
        await scene.advance(1)
        const finalError = delivery.endpointId === a.endpointId ? 'timeout' : 'http_503'
        await scene.record(anOutcome(delivery, { next: { state: 'dead_lettered', finalError } }))
      }
      const timeouts = { errorClass: 'timeout', count: 3 }
      const refusals = { errorClass: 'http_503', count: 2 }
      expect(await count()).toEqual({ reasons: [timeouts, refusals], isComplete: true })
      expect((await count({ endpointId: b.endpointId })).reasons).toEqual([refusals])
      expect((await count({ topic: 'orders.created' })).reasons).toEqual([timeouts])
      expect((await count({ topic: 'never.seen' })).reasons).toEqual([])
      expect((await count({ errorClass: 'http_503' })).reasons).toEqual([refusals])
      expect((await count({ since: since + 5 })).reasons).toHaveLength(1)
      expect((await count({ until: since + 1 })).reasons).toEqual([])
      expect((await count({}, scene.ids.next('ten'))).reasons).toEqual([])
    })

    it('filter dead letters by endpoint, topic and when they were given up', async () => {
      const a = await scene.anEndpoint()
      const b = await scene.anEndpoint()
      await scene.publish({ routes: [a], topic: 'orders.created' })
      await scene.publish({ routes: [b], topic: 'orders.paid' })
      const { deliveries } = await scene.claim()
      for (const delivery of deliveries) {
        await scene.advance(1000)
        await scene.record(anOutcome(delivery, { next: deadLetter }))
      }
      const topics = async (filter: object): Promise<readonly (string | null)[]> =>
        (await scene.store.listDeadLetters(defaultTenantId, filter, { limit: 10, cursor: null })).items.map(
          ({ topic }) => topic,
        )
      expect(await topics({ endpointId: a.endpointId })).toEqual(['orders.created'])
      expect(await topics({ topic: 'orders.paid' })).toEqual(['orders.paid'])
      expect(await topics({ since: scene.now() })).toHaveLength(1)
      expect(await topics({ until: scene.now() })).toHaveLength(1)
      expect(await topics({})).toHaveLength(2)
    })

    it('filter deliveries and dead letters by the class of their last error, in whatever state they are', async () => {
      const a = await scene.anEndpoint()
      const b = await scene.anEndpoint()
      await scene.publishMany(3, { routes: [a, b] })
      const { deliveries } = await scene.claim()
      const [dead, timedOut, retried, succeeded, parked] = deliveries
      if (!dead || !timedOut || !retried || !succeeded || !parked) throw new Error('not claimed')
      const timeout = anOutcome(timedOut, { next: { state: 'dead_lettered', finalError: 'timeout' } })
      await scene.record(
        anOutcome(dead, { next: deadLetter }),
        { ...timeout, attempt: timeout.attempt && { ...timeout.attempt, errorClass: 'timeout' } },
        anOutcome(retried, { next: retryIn(1000) }),
        anOutcome(succeeded),
        anOutcome(parked, { next: retryIn(1000) }),
      )
      await scene.store.cancelDelivery(defaultTenantId, parked.id, 'test')
      const page = { limit: 10, cursor: null }
      const list = async (filter: DeliveryFilter): Promise<readonly string[]> =>
        (await scene.store.listDeliveries(defaultTenantId, filter, page)).items.map(({ id }) => id).sort()
      const errorClass = 'http_500'
      const all = [dead, retried, parked]
      expect(await list({ errorClass })).toEqual(all.map(({ id }) => id).sort())
      expect(await list({ errorClass: 'timeout' })).toEqual([timedOut.id])
      expect(await list({ errorClass: 'dns' })).toEqual([])
      for (const [state, wanted] of [
        ['dead_lettered', dead],
        ['retry_scheduled', retried],
        ['cancelled', parked],
      ] as const) {
        expect([state, await list({ errorClass, state })]).toEqual([state, [wanted.id]])
      }
      expect(await list({ errorClass, state: 'succeeded' })).toEqual([])
      for (const { id: endpointId } of [{ id: a.endpointId }, { id: b.endpointId }]) {
        const ofIt = all.filter((one) => one.endpointId === endpointId).map(({ id }) => id)
        expect(await list({ errorClass, endpointId })).toEqual(ofIt.sort())
      }
      const ofEvent = all.filter((one) => one.eventId === dead.eventId).map(({ id }) => id)
      expect(await list({ errorClass, eventId: dead.eventId })).toEqual(ofEvent.sort())
      expect(
        await list({ errorClass, topic: 'orders.created', since: 0, until: scene.now() + 1 }),
      ).toHaveLength(3)
      expect(await list({ errorClass, topic: 'other' })).toEqual([])
      const letters = async (filter: DeadLetterFilter) =>
        (await scene.store.listDeadLetters(defaultTenantId, filter, page)).items.map(
          ({ deliveryId }) => deliveryId,
        )
      expect(await letters({ errorClass })).toEqual([dead.id])
      expect(await letters({ errorClass: 'timeout', topic: 'orders.created' })).toEqual([timedOut.id])
      expect(await letters({ errorClass: 'dns' })).toEqual([])
    })

    it.each(['nonsense', 'AAAA', '!', `${'A'.repeat(22)}=`])('refuse the cursor %s', async (cursor) => {
      await expect(scene.store.listEvents(defaultTenantId, {}, { limit: 10, cursor })).rejects.toMatchObject({
        code: 'bad_cursor',
      })
    })

    it('show nothing of another tenant', async () => {
      const route = await scene.anEndpoint()
      const { event, deliveryId } = await scene.publish({ routes: [route] })
      const other = scene.ids.next('ten')
      const page = { limit: 10, cursor: null }
      expect(await scene.store.getEvent(other, event.id)).toBeNull()
      expect(await scene.store.getPayload(other, event.id)).toBeNull()
      expect(await scene.store.getDelivery(other, deliveryId)).toBeNull()
      expect(await scene.deliveriesOf(event.id, other)).toEqual([])
      expect((await scene.store.listDeliveries(other, { endpointId: route.endpointId }, page)).items).toEqual(
        [],
      )
      expect((await scene.store.listEvents(other, {}, page)).items).toEqual([])
    })

    it('find nothing under malformed ids', async () => {
      expect(await scene.store.getEvent(defaultTenantId, 'evt_1')).toBeNull()
      expect(await scene.store.getDelivery(defaultTenantId, 'x')).toBeNull()
      expect(await scene.store.getEndpoint(defaultTenantId, scene.ids.next('sub'))).toBeNull()
      expect(await scene.store.listAttempts(['dlv_x'], { withCapture: false })).toEqual([])
    })
  })
}
