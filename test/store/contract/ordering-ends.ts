import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { aLine, claimed, keysOf } from './ordering.ts'
import { dayMs, removeAll } from './retention.ts'
import {
  anOutcome,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  type Scene,
} from './scene.ts'

/** Lines of ordered deliveries: how long they may be, and every way out of them. */
export function describeOrderingEnds(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint({ ordered: true })
  })
  afterEach(() => scene.close())

  const settle = async () => {
    while ((await scene.store.applyConfigChanges({ limit: 100 })).more);
  }

  describe('a backlog of one ordering key', () => {
    const options = { leaseMs, maxOrderedBacklog: 3 }
    const publish = async (orderingKey: string, given: object = {}) => {
      const event = await scene.anEvent({ routes: [route], orderingKey, ...given })
      const [result] = await scene.store.publish([event], options)
      return { event, result }
    }

    it('takes as many as it may hold, and refuses the next event without a trace, others’ not', async () => {
      for (const _ of [1, 2, 3]) expect((await publish('full')).result).toMatchObject({ kind: 'published' })
      const { event, result } = await publish('full')
      expect(result).toEqual({ kind: 'backlog_full', subscriptionId: route.subscriptionId })
      expect(await scene.store.getEvent(defaultTenantId, event.id)).toBeNull()
      expect(await scene.store.getPayload(defaultTenantId, event.id)).toBeNull()
      expect((await scene.store.counts()).deliveries.pending).toBe(3)
      expect((await publish('other')).result).toMatchObject({ kind: 'published' })
      await scene.record(...(await scene.claim()).deliveries.map((each) => anOutcome(each)))
      expect((await publish('full')).result).toMatchObject({ kind: 'published' })
      expect((await publish('full')).result).toMatchObject({ kind: 'backlog_full' })
    })

    it('counts a blocked head, and is exact within a batch and for whoever comes at once', async () => {
      await publish('full')
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      const other = await scene.anEndpoint()
      const batches = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const events = []
          for (const orderingKey of ['full', 'full', 'free', null]) {
            events.push(await scene.anEvent({ routes: [route, other], orderingKey }))
          }
          return scene.store.publish(events, options)
        }),
      )
      const kinds = (at: number) => batches.map((results) => results[at]?.kind)
      const full = [...kinds(0), ...kinds(1)]
      expect(full.filter((kind) => kind === 'published')).toHaveLength(2)
      expect(full.filter((kind) => kind === 'backlog_full')).toHaveLength(6)
      expect(kinds(2).filter((kind) => kind === 'published')).toHaveLength(3)
      expect(kinds(3)).toEqual(Array(4).fill('published'))
      expect((await keysOf(scene)).map(({ orderingKey, length }) => [orderingKey, length])).toEqual([
        ['free', 3],
        ['full', 3],
      ])
    })

    it('answers an idempotency key that was used before, though it is full now', async () => {
      const idempotency = { scope: 's', key: 'once', hash: new Uint8Array(32), ttlMs: dayMs }
      const { event } = await publish('full', { idempotency })
      for (const _ of [2, 3]) await publish('full')
      expect((await publish('full', { idempotency })).result).toMatchObject({
        kind: 'replayed',
        eventId: event.id,
      })
      const other = { ...idempotency, hash: new Uint8Array(32).fill(1) }
      expect((await publish('full', { idempotency: other })).result).toMatchObject({ kind: 'conflict' })
      const unused = { ...idempotency, key: 'later' }
      expect((await publish('full', { idempotency: unused })).result).toMatchObject({ kind: 'backlog_full' })
      await scene.record(anOutcome(await scene.claimOne()))
      expect((await publish('full', { idempotency: unused })).result).toMatchObject({ kind: 'published' })
    })

    it('leaves no key behind where nothing of it was written', async () => {
      const event = await scene.anEvent({ routes: [route], orderingKey: 'stale', routingVersion: 0 })
      expect(await scene.store.publish([event], options)).toMatchObject([{ kind: 'stale_routing' }])
      expect(await keysOf(scene)).toEqual([])
    })
  })

  describe('a line goes on', () => {
    it('when its head is cancelled, and is shorter when one behind it is', async () => {
      const [head, second, third, fourth] = await aLine(scene, route, 4)
      await scene.store.cancelDelivery(defaultTenantId, second ?? '', 'no use')
      expect(await keysOf(scene)).toMatchObject([{ headDeliveryId: head, length: 3 }])
      await scene.store.cancelDelivery(defaultTenantId, head ?? '', 'no use')
      expect(await keysOf(scene)).toMatchObject([{ headDeliveryId: third, length: 2 }])
      const next = await scene.claimOne()
      expect(next.id).toBe(third)
      await scene.record(anOutcome(next))
      expect(await claimed(scene)).toEqual([fourth])
    })

    it('when one behind a blocked head is cancelled: it stays blocked', async () => {
      const [head, second, third] = await aLine(scene, route, 3)
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      await scene.store.cancelDelivery(defaultTenantId, second ?? '', 'no use')
      expect(await claimed(scene)).toEqual([])
      await scene.store.skipDelivery(defaultTenantId, head ?? '', 'skipped')
      expect(await claimed(scene)).toEqual([third])
    })

    it('when its blocked head is removed for its age', async () => {
      const [, second] = await aLine(scene, route, 2)
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      const [skipped] = await aLine(scene, route, 1, 'skipped')
      await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
      await scene.store.skipDelivery(defaultTenantId, skipped ?? '', 'skipped')
      await scene.advance(91 * dayMs)
      await removeAll(scene)
      expect(await claimed(scene)).toEqual([second])
      expect(await keysOf(scene)).toMatchObject([{ headDeliveryId: second, blockedSince: null, length: 1 }])
    })

    it('with what is sent again at its end', async () => {
      const [first] = await aLine(scene, route, 1)
      await scene.record(anOutcome(await scene.claimOne()))
      const [second] = await aLine(scene, route, 1)
      await scene.store.resend(defaultTenantId, first ?? '')
      expect(await scene.delivery(first ?? '')).toMatchObject({ reason: 'behind_head' })
      expect(await keysOf(scene)).toMatchObject([{ headDeliveryId: second, length: 2 }])
      await scene.record(anOutcome(await scene.claimOne()))
      const again = await scene.claimOne()
      expect(again.id).toBe(first)
      await scene.record(anOutcome(again))
      expect(await keysOf(scene)).toEqual([])
    })

    it('when its blocked head is replayed by a job, and when a job cancels what waits', async () => {
      const ids = await aLine(scene, route, 3)
      const other = await aLine(scene, route, 2, 'order-2')
      await scene.record(
        ...(await scene.claim()).deliveries.map((each) => anOutcome(each, { next: deadLetter })),
      )
      await runJob('replay')
      const { deliveries } = await scene.claim()
      expect(new Set(deliveries.map(({ id }) => id))).toEqual(new Set([ids[0], other[0]]))
      await scene.record(...deliveries.map((each) => anOutcome(each)))
      await runJob('cancel')
      for (const id of [ids[1], ids[2], other[1]]) {
        expect(await scene.delivery(id ?? '')).toMatchObject({ state: 'cancelled' })
      }
      expect(await keysOf(scene)).toEqual([])
    })

    async function runJob(kind: 'replay' | 'cancel'): Promise<void> {
      const id = scene.ids.next('job')
      await scene.advance(1)
      await scene.store.insertJob({ id, tenantId: defaultTenantId, kind, filter: {}, rate: null })
      await scene.store.takeJob({ owner: 'me', leaseMs })
      const slice = { jobId: id, owner: 'me', limit: 2, leaseMs, total: null, deliveryIds: [], refusal: null }
      for (let state = 'running'; state === 'running'; ) {
        const progress = await scene.store.runJobSlice(slice)
        state = progress?.job.state ?? 'gone'
      }
    }
  })

  describe('the lines of what is deleted', () => {
    it('go with their subscription, blocked or not, and nothing of them is attempted', async () => {
      const ids = await aLine(scene, route, 5)
      const blocked = await aLine(scene, route, 3, 'blocked')
      const head = (await scene.claim()).deliveries.find(({ id }) => id === blocked[0])
      if (head === undefined) throw new Error('no head')
      await scene.record(anOutcome(head, { next: deadLetter }))
      await scene.store.deleteSubscription(defaultTenantId, route.subscriptionId)
      await settle()
      expect(await keysOf(scene)).toEqual([])
      expect(await claimed(scene)).toEqual([])
      for (const id of [...ids.slice(1), ...blocked.slice(1)]) {
        expect(await scene.delivery(id)).toMatchObject({ state: 'cancelled' })
      }
      expect(await scene.store.skipDelivery(defaultTenantId, head.id, 'no')).toMatchObject({
        kind: 'not_skippable',
      })
      expect(await scene.store.countOrderedKeys()).toEqual({ blocked: 0, waiting: 0 })
    })

    it('go with their endpoint, and the outcome of what is in flight advances nobody', async () => {
      const ids = await aLine(scene, route, 3)
      const inFlight = await scene.claimOne()
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      await settle()
      const { advanced } = await scene.record(anOutcome(inFlight, { next: deadLetter }))
      expect(advanced).toBe(false)
      expect(await keysOf(scene)).toEqual([])
      for (const id of ids.slice(1)) expect(await scene.delivery(id)).toMatchObject({ state: 'cancelled' })
      // Numbers of lines are not used again, so what is left of the old ones is in nobody's way.
      const another = await scene.anEndpoint({ ordered: true })
      const [first] = await aLine(scene, another, 2)
      expect(await claimed(scene)).toEqual([first])
    })
  })

  describe('the list of ordered keys', () => {
    it('goes by subscription and key, page by page, of its own tenant alone', async () => {
      const other = await scene.anEndpoint({ ordered: true })
      for (const orderingKey of ['b', 'a', 'é', 'Z']) {
        for (const to of [route, other]) await scene.publish({ routes: [to], orderingKey })
      }
      const subscriptions = [route.subscriptionId, other.subscriptionId].sort()
      const expected = subscriptions.flatMap((id) => ['Z', 'a', 'b', 'é'].map((key) => [id, key]))
      const found: unknown[] = []
      for (let cursor: string | null = null; cursor !== ''; ) {
        const page = await scene.store.listOrderedKeys(defaultTenantId, {}, { limit: 3, cursor })
        found.push(...page.items.map(({ subscriptionId, orderingKey }) => [subscriptionId, orderingKey]))
        cursor = page.nextCursor
      }
      expect(found).toEqual(expected)
      const ofOne = await keysOf(scene, { subscriptionId: other.subscriptionId, orderingKey: 'é' })
      expect(ofOne).toMatchObject([{ subscriptionId: other.subscriptionId, orderingKey: 'é', length: 1 }])
      const first = await scene.store.listOrderedKeys(
        defaultTenantId,
        { orderingKey: 'é', blocked: false },
        { limit: 1, cursor: null },
      )
      const second = await scene.store.listOrderedKeys(
        defaultTenantId,
        { orderingKey: 'é', blocked: false },
        { limit: 1, cursor: first.nextCursor },
      )
      const ofKey = [...first.items, ...second.items]
      expect(ofKey.map(({ subscriptionId }) => subscriptionId)).toEqual(subscriptions)
      expect(second.nextCursor).toBe('')
      expect(await keysOf(scene, { subscriptionId: 'nonsense' })).toEqual([])
      const page = { limit: 10, cursor: null }
      expect((await scene.store.listOrderedKeys(scene.ids.next('ten'), {}, page)).items).toEqual([])
      await expect(
        scene.store.listOrderedKeys(defaultTenantId, {}, { limit: 10, cursor: 'nonsense' }),
      ).rejects.toMatchObject({ code: 'bad_cursor' })
    })
  })
}
