import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createIdFactory } from '../../../src/core/ids.ts'
import { type DeliveryState, defaultTenantId, deliveryStates } from '../../../src/core/model.ts'
import type { RemovedRows, Retention } from '../../../src/store/port.ts'
import {
  anOutcome,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

export const dayMs = 86_400_000
export const retention: Retention = {
  payloadsMs: 30 * dayMs,
  attemptsMs: 30 * dayMs,
  eventsMs: 90 * dayMs,
  deadLettersMs: 60 * dayMs,
  jobsMs: 7 * dayMs,
}

/** Calls until nothing is left to do; what went. */
export async function removeAll(
  { store }: Pick<Scene, 'store'>,
  options: { readonly retention?: Partial<Retention>; readonly limit?: number } = {},
): Promise<RemovedRows> {
  const removed = { payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 }
  for (let more = true; more; ) {
    const slice = await store.removeExpired({
      retention: { ...retention, ...options.retention },
      limit: options.limit ?? 100,
    })
    for (const [name, rows] of Object.entries(slice.removed)) removed[name as keyof RemovedRows] += rows
    more = slice.more
  }
  return removed
}

export function describeRetention(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())

  /** Publishes an event, makes one attempt, and leaves its delivery in that state. */
  async function anEventThat(next: 'succeeded' | 'dead_lettered' | 'retry_scheduled') {
    const { event, deliveryId } = await scene.publish({ routes: [route] })
    const step =
      next === 'succeeded' ? {} : { next: next === 'dead_lettered' ? deadLetter : retryIn(1000 * dayMs) }
    await scene.record(anOutcome(await scene.claimOne(), { ...step, startedAt: scene.now() }))
    return { eventId: event.id, deliveryId }
  }
  const payload = (eventId: string) => scene.store.getPayload(defaultTenantId, eventId)
  const event = (eventId: string) => scene.store.getEvent(defaultTenantId, eventId)
  const attempts = (deliveryId: string) => scene.store.listAttempts([deliveryId], { withCapture: true })
  const find = (deliveryId: string) => scene.store.getDelivery(defaultTenantId, deliveryId)
  const replay = (deliveryId: string) => scene.store.replay(defaultTenantId, deliveryId)

  describe('retention', () => {
    it('removes payloads and attempts of their age and leaves event and delivery visible', async () => {
      const old = await anEventThat('succeeded')
      await scene.advance(dayMs)
      const young = await anEventThat('succeeded')
      await scene.advance(29 * dayMs)
      expect(await removeAll(scene)).toEqual({ payloads: 1, attempts: 1, deliveries: 0, events: 0, jobs: 0 })
      expect(await payload(old.eventId)).toBeNull()
      expect(await attempts(old.deliveryId)).toEqual([])
      expect(await event(old.eventId)).toMatchObject({ payloadBytes: 7 })
      expect(await find(old.deliveryId)).toMatchObject({ state: 'succeeded', attemptCount: 1 })
      expect(await payload(young.eventId)).not.toBeNull()
      expect(await attempts(young.deliveryId)).toHaveLength(1)
    })

    it('removes finished deliveries and then their events, with whatever they still have', async () => {
      const { eventId, deliveryId } = await anEventThat('succeeded')
      const unheard = await scene.publish()
      await scene.advance(90 * dayMs)
      const younger = await anEventThat('succeeded')
      const kept = { payloadsMs: 0, attemptsMs: 0 }
      expect(await removeAll(scene, { retention: kept })).toEqual({
        payloads: 0,
        attempts: 0,
        deliveries: 1,
        events: 2,
        jobs: 0,
      })
      expect(await find(deliveryId)).toBeNull()
      expect(await attempts(deliveryId)).toEqual([])
      expect(await event(eventId)).toBeNull()
      expect(await event(unheard.event.id)).toBeNull()
      expect(await event(younger.eventId)).not.toBeNull()
      // Nothing of it is left that the same id would run into.
      expect(await scene.store.publish([unheard.event], { leaseMs })).toMatchObject([{ kind: 'published' }])
    })

    it('counts a delivery’s age from its end, and an event stays as long as its deliveries', async () => {
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      const { event: published, deliveryId } = await scene.publish({
        routes: [route],
        parked: 'endpoint_disabled',
      })
      await scene.advance(89 * dayMs)
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: null })
      await scene.store.applyConfigChanges({ limit: 100 })
      await scene.record(anOutcome(await scene.claimOne()))
      await scene.advance(89 * dayMs)
      await removeAll(scene)
      expect(await find(deliveryId)).toMatchObject({ state: 'succeeded' })
      expect(await event(published.id)).not.toBeNull()
      await scene.advance(dayMs)
      await removeAll(scene)
      expect(await find(deliveryId)).toBeNull()
      expect(await event(published.id)).toBeNull()
    })

    it('removes jobs some time after their end, and none that goes on', async () => {
      const made = await Promise.all(
        ['ended', 'waiting'].map(() => {
          const id = scene.ids.next('job')
          return scene.store.insertJob({
            id,
            tenantId: defaultTenantId,
            kind: 'replay',
            filter: {},
            rate: null,
          })
        }),
      )
      const [ended = '', waiting = ''] = made.map(({ id }) => id)
      await scene.advance(7 * dayMs)
      await scene.store.cancelJob(defaultTenantId, ended)
      await scene.advance(7 * dayMs - 1)
      expect(await removeAll(scene, { retention: { jobsMs: 0 } })).toMatchObject({ jobs: 0 })
      expect(await removeAll(scene)).toMatchObject({ jobs: 0 })
      await scene.advance(1)
      expect(await removeAll(scene)).toMatchObject({ jobs: 1 })
      expect(await scene.store.getJob(defaultTenantId, ended)).toBeNull()
      expect(await scene.store.getJob(defaultTenantId, waiting)).toMatchObject({ state: 'queued' })
    })

    it('keeps everything for ever where the age is 0', async () => {
      const dead = await anEventThat('dead_lettered')
      await anEventThat('succeeded')
      await scene.advance(10_000 * dayMs)
      const forEver = { payloadsMs: 0, attemptsMs: 0, eventsMs: 0, deadLettersMs: 0, jobsMs: 0 }
      const nothing = { payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 }
      expect(await removeAll(scene, { retention: forEver })).toEqual(nothing)
      await removeAll(scene, { retention: { deadLettersMs: 0 } })
      expect(await replay(dead.deliveryId)).toMatchObject({ kind: 'replayed' })
    })

    it('keeps what a live delivery needs: waiting, parked or in flight', async () => {
      const waiting = await anEventThat('retry_scheduled')
      const inFlight = await scene.publish({ routes: [route], handOff: true })
      const other = await scene.anEndpoint()
      await scene.store.updateEndpoint(defaultTenantId, other.endpointId, { disabledReason: 'operator' })
      const parked = await scene.publish({ routes: [other], parked: 'endpoint_disabled' })
      await scene.advance(500 * dayMs)
      expect(await removeAll(scene)).toEqual({ payloads: 0, attempts: 1, deliveries: 0, events: 0, jobs: 0 })
      for (const id of [waiting.eventId, inFlight.event.id, parked.event.id]) {
        expect(await payload(id)).not.toBeNull()
        expect(await event(id)).not.toBeNull()
      }
      expect((await scene.claimOne()).payload).toEqual(new TextEncoder().encode('{"n":1}'))
    })

    it('keeps the payload for one delivery of several, and removes the finished ones', async () => {
      const other = await scene.anEndpoint()
      const { event: published } = await scene.publish({ routes: [route, other] })
      const { deliveries } = await scene.claim()
      const [a, b] = deliveries
      if (a === undefined || b === undefined) throw new Error('two were due')
      await scene.record(anOutcome(a), anOutcome(b, { next: retryIn(400 * dayMs) }))
      await scene.advance(100 * dayMs)
      expect(await removeAll(scene)).toMatchObject({ payloads: 0, deliveries: 1, events: 0, jobs: 0 })
      expect(await payload(published.id)).not.toBeNull()
      expect(await find(a.id)).toBeNull()
      expect(await find(b.id)).not.toBeNull()
    })

    it('keeps a dead letter replayable for its time, then says that it is expired (S1.45)', async () => {
      const dead = await anEventThat('dead_lettered')
      const unlucky = await anEventThat('dead_lettered')
      await scene.advance(60 * dayMs - 1)
      await removeAll(scene)
      expect(await attempts(dead.deliveryId)).toEqual([])
      expect(await replay(dead.deliveryId)).toMatchObject({ kind: 'replayed' })
      const replayed = await scene.claimOne()
      expect(replayed.payload).toEqual(new TextEncoder().encode('{"n":1}'))
      await scene.record(anOutcome(replayed))
      await scene.advance(dayMs)
      await removeAll(scene)
      expect(await payload(unlucky.eventId)).toBeNull()
      expect(await replay(unlucky.deliveryId)).toEqual({ kind: 'expired', expungedAt: null })
      expect(await find(unlucky.deliveryId)).toMatchObject({ state: 'dead_lettered' })
      await scene.advance(30 * dayMs)
      await removeAll(scene)
      expect(await replay(unlucky.deliveryId)).toEqual({ kind: 'not_found' })
    })

    it('keeps a dead letter that is kept longer than events, and its event with it', async () => {
      const dead = await anEventThat('dead_lettered')
      const longer = { deadLettersMs: 200 * dayMs }
      await scene.advance(199 * dayMs)
      await removeAll(scene, { retention: longer })
      expect(await event(dead.eventId)).not.toBeNull()
      expect(await payload(dead.eventId)).not.toBeNull()
      await scene.advance(dayMs)
      await removeAll(scene, { retention: longer })
      expect(await find(dead.deliveryId)).toBeNull()
      expect(await event(dead.eventId)).toBeNull()
      expect(await payload(dead.eventId)).toBeNull()
    })

    it('removes a payload within a day after the last delivery that needed it is done', async () => {
      const dead = await anEventThat('dead_lettered')
      await scene.advance(40 * dayMs)
      await removeAll(scene)
      await replay(dead.deliveryId)
      await scene.record(anOutcome(await scene.claimOne()))
      await removeAll(scene)
      expect(await payload(dead.eventId)).not.toBeNull()
      // What stayed is looked at again once a day, and no more often.
      await scene.advance(dayMs - 1)
      await removeAll(scene)
      expect(await payload(dead.eventId)).not.toBeNull()
      await scene.advance(1)
      expect(await removeAll(scene)).toMatchObject({ payloads: 1 })
      expect(await payload(dead.eventId)).toBeNull()
    })

    it('removes an event in one pass with its deliveries, however many they are', async () => {
      const routes = [route, await scene.anEndpoint(), await scene.anEndpoint()]
      await scene.publishMany(5, { routes })
      const { deliveries } = await scene.claim()
      await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
      await scene.advance(90 * dayMs)
      expect(await removeAll(scene, { limit: 2 })).toMatchObject({ deliveries: 15, events: 5 })
    })

    it('goes by the age of each attempt, not by that of its delivery', async () => {
      const { deliveryId } = await scene.publish({ routes: [route] })
      await scene.record(
        anOutcome(await scene.claimOne(), { next: retryIn(20 * dayMs), startedAt: scene.now() }),
      )
      await scene.advance(20 * dayMs)
      await scene.record(
        anOutcome(await scene.claimOne(), { next: retryIn(99 * dayMs), startedAt: scene.now() }),
      )
      await scene.advance(20 * dayMs)
      await removeAll(scene, { limit: 1 })
      expect((await attempts(deliveryId)).map((attempt) => attempt.attemptNo)).toEqual([2])
    })

    it('keeps what a node published whose clock is behind: ids say what is looked at, the store’s time what goes', async () => {
      await scene.advance(400 * dayMs)
      const behind = createIdFactory(() => scene.now() - 200 * dayMs)
      const event: Parameters<typeof scene.store.publish>[0][0] = {
        ...(await scene.anEvent()),
        id: behind.next('evt'),
      }
      await scene.store.publish([event], { leaseMs })
      await removeAll(scene)
      expect(await payload(event.id)).not.toBeNull()
      await scene.advance(30 * dayMs)
      await removeAll(scene)
      expect(await payload(event.id)).toBeNull()
    })

    it('looks at no more rows than it is told, and at none again that have to stay', async () => {
      for (let n = 0; n < 6; n++) await anEventThat(n % 2 === 0 ? 'dead_lettered' : 'succeeded')
      await scene.advance(30 * dayMs)
      const slices: number[] = []
      for (let more = true; more; ) {
        const slice = await scene.store.removeExpired({ retention, limit: 2 })
        slices.push(slice.removed.payloads)
        more = slice.more
      }
      expect(Math.max(...slices)).toBe(1)
      expect(slices.reduce((sum, rows) => sum + rows)).toBe(3)
      // With nothing new that is old enough one call is all.
      await anEventThat('succeeded')
      expect(await scene.store.removeExpired({ retention, limit: 2 })).toMatchObject({ more: false })
    })

    it('leaves the counts by state what listings show', async () => {
      for (const each of [route, await scene.anEndpoint()]) {
        await scene.publishMany(4, { routes: [each] })
        const { deliveries } = await scene.claim()
        await scene.record(
          ...deliveries.map((claimed, n) => anOutcome(claimed, n === 0 ? { next: deadLetter } : {})),
        )
        await scene.advance(45 * dayMs)
      }
      await scene.publishMany(2, { routes: [route] })
      await removeAll(scene, { limit: 3 })
      await expectCountsAsListed(scene)
      await scene.advance(120_000)
      while ((await scene.store.foldCounts({ limit: 10 })).more);
      await expectCountsAsListed(scene)
    })

    it('answers an idempotency key whose event has lost its payload', async () => {
      const idempotency = { scope: '', key: 'k', hash: new Uint8Array(32), ttlMs: 40 * dayMs }
      const first = await scene.publish({ idempotency })
      await scene.advance(30 * dayMs)
      await removeAll(scene)
      expect(await payload(first.event.id)).toBeNull()
      expect((await scene.publish({ idempotency })).result).toEqual({
        kind: 'replayed',
        filteredSubscriptions: 0,
        eventId: first.event.id,
        deliveryIds: [],
        state: 'fanned_out',
      })
    })
  })
}

export async function expectCountsAsListed({ store }: Pick<Scene, 'store'>): Promise<void> {
  const listed = {} as Record<DeliveryState, number>
  for (const state of deliveryStates) {
    listed[state] = 0
    for (let cursor: string | null = null; cursor !== ''; ) {
      const page = await store.listDeliveries(defaultTenantId, { state }, { limit: 200, cursor })
      listed[state] += page.items.length
      cursor = page.nextCursor
    }
  }
  expect((await store.counts()).deliveries).toEqual(listed)
}
