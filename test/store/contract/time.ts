/**
 * What a wall clock that jumps does to a store: nothing. Each adapter passes it; the clock is the one that the store's
 * time goes by (the machine's, or the database server's).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { calendarOf, steadyMs } from '../../../src/core/time-line.ts'
import { inCalendar } from '../../../src/store/calendar.ts'
import type { NewIdempotencyKey } from '../../../src/store/port.ts'
import { dayMs, removeAll } from './retention.ts'
import {
  anOutcome,
  breaker,
  deadLetter,
  openScene,
  type Route,
  retryIn,
  type Scene,
  type StoreHarness,
} from './scene.ts'

/** A store on a machine that stays while processes on it come and go. */
export interface TimeMachine {
  start(): Promise<StoreHarness>
  /** Time passes. */
  advance(ms: number): Promise<void>
  /** The wall clock is set ahead or back. */
  jump(ms: number): Promise<void>
  remove(): Promise<void>
}

const hourMs = 3_600_000
const jumps = [
  ['back by an hour', -hourMs],
  ['back by a hundred days', -100 * dayMs],
  ['ahead by an hour', hourMs],
  ['ahead by a hundred days', 100 * dayMs],
  ['ahead by seconds', 3000],
  ['back by seconds', -3000],
] as const
const setBack = jumps.filter(([, ms]) => ms < 0)

const aKey = (): NewIdempotencyKey => ({ key: 'k', scope: '', hash: new Uint8Array(32), ttlMs: dayMs })

export function describeTime(name: string, open: () => Promise<TimeMachine>): void {
  let machine: TimeMachine
  let scene: Scene
  const start = async () => {
    scene = await openScene(() => machine.start())
  }
  const restart = async (jumpMs: number) => {
    await scene.close()
    await machine.jump(jumpMs)
    await start()
  }
  beforeEach(async () => {
    machine = await open()
    await start()
  })
  afterEach(async () => {
    await scene.close()
    await machine.remove()
  })

  const claimCount = async () => (await scene.claim()).deliveries.length
  const due = async (route: Route, delayMs: number) => {
    const { deliveryId } = await scene.publish({ routes: [route] })
    await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(delayMs) }))
    return deliveryId
  }
  /** Fails so often that it is paused, for 30 s. */
  const pause = async (route: Route) => {
    await scene.publishMany(breaker.failureThreshold, { routes: [route] })
    const { deliveries } = await scene.claim()
    const startedAt = scene.now()
    await scene.record(
      ...deliveries.map((claimed) =>
        anOutcome(claimed, { next: retryIn(1000), observation: { contact: 'transport_failure', startedAt } }),
      ),
    )
  }
  const aDeadLetter = async (route: Route) => {
    const { event, deliveryId } = await scene.publish({ routes: [route], idempotency: aKey() })
    await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter, startedAt: scene.now() }))
    return { event, deliveryId }
  }
  const upkeep = async () => {
    await scene.store.deleteExpiredIdempotencyKeys({ limit: 100 })
    return removeAll(scene)
  }
  const isKept = async ({ event, deliveryId }: Awaited<ReturnType<typeof aDeadLetter>>) => ({
    state: (await scene.store.getDelivery(defaultTenantId, deliveryId))?.state,
    event: (await scene.store.getEvent(defaultTenantId, event.id))?.id,
    payload: (await scene.store.getPayload(defaultTenantId, event.id))?.length,
  })
  const kept = (event: { readonly id: string }) => ({ state: 'dead_lettered', event: event.id, payload: 7 })

  describe(`${name}, when the clock jumps`, () => {
    describe.each(jumps)('%s while it runs', (_, jumpMs) => {
      it('makes an endpoint with a rate wait no longer and no shorter', async () => {
        const route = await scene.anEndpoint({ rateLimitRps: 2 })
        await scene.publishMany(12, { routes: [route] })
        expect(await claimCount()).toBe(4)
        await machine.jump(jumpMs)
        expect(await claimCount()).toBe(0)
        await machine.advance(1000)
        expect(await claimCount()).toBe(2)
        await machine.advance(2000)
        expect(await claimCount()).toBe(4)
      })

      it('makes a retry due when it was to be', async () => {
        const route = await scene.anEndpoint()
        await due(route, 10_000)
        await machine.jump(jumpMs)
        await machine.advance(9000)
        expect(await claimCount()).toBe(0)
        await machine.advance(1000)
        expect(await claimCount()).toBe(1)
      })

      it('ends a pause when it was to end', async () => {
        const route = await scene.anEndpoint()
        await pause(route)
        await machine.jump(jumpMs)
        await machine.advance(29_000)
        expect(await claimCount()).toBe(0)
        await machine.advance(1001)
        expect(await claimCount()).toBe(1)
      })

      it('lets a lease stand as long as it was granted for', async () => {
        const route = await scene.anEndpoint()
        const { deliveryId } = await scene.publish({ routes: [route] })
        const claimed = await scene.claimOne()
        await machine.jump(jumpMs)
        await scene.store.reconcileReady({ limit: 100 })
        expect(await claimCount()).toBe(0)
        expect((await scene.record(anOutcome(claimed))).recorded).toEqual([true])
        expect((await scene.delivery(deliveryId)).state).toBe('succeeded')
        await scene.publish({ routes: [route] })
        await scene.claimOne()
        await machine.jump(-jumpMs)
        await machine.advance(30_001)
        await scene.store.reconcileReady({ limit: 100 })
        expect(await claimCount()).toBe(1)
      })

      it('lets what is published then go at once', async () => {
        const route = await scene.anEndpoint()
        await scene.publishMany(3, { routes: [route] })
        await machine.jump(jumpMs)
        expect(await claimCount()).toBe(3)
        await scene.publishMany(2, { routes: [route] })
        expect(await claimCount()).toBe(2)
      })

      it('removes nothing and disables nobody', async () => {
        const route = await scene.anEndpoint()
        const dead = await aDeadLetter(route)
        await due(route, 1000)
        await machine.jump(jumpMs)
        await machine.advance(75_000)
        expect(await upkeep()).toEqual({ payloads: 0, attempts: 0, deliveries: 0, events: 0, jobs: 0 })
        expect(await isKept(dead)).toEqual(kept(dead.event))
        expect(await scene.publish({ routes: [route], idempotency: aKey() })).toMatchObject({
          result: { kind: 'replayed', eventId: dead.event.id },
        })
        const claimed = await scene.claimOne()
        expect((await scene.record(anOutcome(claimed, { next: retryIn(1000) }))).disabled).toEqual([])
        await machine.jump(-jumpMs)
        await machine.advance(steadyMs + 1000)
        await upkeep()
        expect(await isKept(dead)).toEqual(kept(dead.event))
      })

      it('keeps ids and times in the order in which things came', async () => {
        const route = await scene.anEndpoint()
        const first = await scene.publish({ routes: [route] })
        await machine.jump(jumpMs)
        const second = await scene.publish({ routes: [route] })
        await machine.advance(1)
        await machine.jump(-jumpMs)
        const third = await scene.publish({ routes: [route] })
        const page = await scene.store.listEvents(defaultTenantId, {}, { limit: 10, cursor: null })
        expect(page.items.map(({ id }) => id)).toEqual([third.event.id, second.event.id, first.event.id])
        const times = page.items.map(({ createdAt }) => createdAt)
        expect(times).toEqual([...times].sort((a, b) => b - a))
      })
    })

    it('shows what the wall clock said, and the right times once it is right again', async () => {
      const route = await scene.anEndpoint()
      await machine.advance(1000)
      const rightAt = calendarOf(scene.store.time.line, scene.store.time.now())
      await machine.jump(hourMs)
      const { event, deliveryId } = await scene.publish({ routes: [route] })
      await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(60_000) }))
      const shown = async () => {
        const store = inCalendar(scene.store)
        const { nextAttemptAt } = (await store.getDelivery(defaultTenantId, deliveryId)) ?? {}
        return { at: (await store.getEvent(defaultTenantId, event.id))?.createdAt, nextAttemptAt }
      }
      const since = async (at: number) =>
        (await inCalendar(scene.store).listEvents(defaultTenantId, { since: at }, { limit: 9, cursor: null }))
          .items
      expect(await shown()).toEqual({ at: rightAt + hourMs, nextAttemptAt: rightAt + hourMs + 60_000 })
      expect(await since(rightAt + hourMs)).toHaveLength(1)
      await machine.jump(-hourMs)
      await scene.store.reconcileReady({ limit: 1 })
      expect(await shown()).toEqual({ at: rightAt, nextAttemptAt: rightAt + 60_000 })
      expect(await since(rightAt + 1)).toHaveLength(0)
    })

    it('counts ages again when it has been steady for an hour', async () => {
      const route = await scene.anEndpoint()
      const dead = await aDeadLetter(route)
      await machine.advance(91 * dayMs)
      await machine.jump(-hourMs)
      expect((await upkeep()).events).toBe(0)
      await machine.advance(steadyMs - 1000)
      expect((await upkeep()).events).toBe(0)
      await machine.advance(1000)
      expect((await upkeep()).events).toBe(1)
      expect(await isKept(dead)).toEqual({})
    })

    it('disables an endpoint that has only failed for five days, but not before the clock is steady', async () => {
      const route = await scene.anEndpoint()
      await due(route, 1000)
      await machine.advance(6 * dayMs)
      await machine.jump(hourMs)
      const failAgain = async () => {
        const claimed = await scene.claimOne()
        return (await scene.record(anOutcome(claimed, { next: retryIn(1000) }))).disabled
      }
      expect(await failAgain()).toEqual([])
      await machine.advance(steadyMs)
      expect(await failAgain()).toMatchObject([{ endpointId: route.endpointId, reason: 'failing' }])
    })

    describe.each(setBack)('%s between two starts', (_, jumpMs) => {
      it('lets work that is due go at once, and what waits when it was to', async () => {
        const route = await scene.anEndpoint()
        const limited = await scene.anEndpoint({ rateLimitRps: 1 })
        await scene.publishMany(2, { routes: [limited] })
        expect(await claimCount()).toBe(2)
        await due(route, 60_000)
        await scene.publishMany(3, { routes: [route] })
        await scene.publishMany(2, { routes: [limited] })
        await restart(jumpMs)
        // By then nobody has slots of the process before.
        await machine.advance(31_000)
        await scene.store.reconcileReady({ limit: 100 })
        expect(
          (await scene.claim()).deliveries.filter(({ targetId }) => targetId === route.endpointId),
        ).toHaveLength(3)
        await machine.advance(60_000)
        await scene.store.reconcileReady({ limit: 100 })
        expect((await scene.claim()).deliveries.some(({ targetId }) => targetId === route.endpointId)).toBe(
          true,
        )
      })

      it('gives ids that follow those of before', async () => {
        const route = await scene.anEndpoint()
        const before = await scene.publish({ routes: [route] })
        await restart(jumpMs)
        const after = await scene.publish({ routes: [route] })
        expect(after.event.id > before.event.id).toBe(true)
        expect((await scene.store.getEvent(defaultTenantId, before.event.id))?.createdAt).toBeLessThanOrEqual(
          (await scene.store.getEvent(defaultTenantId, after.event.id))?.createdAt ?? 0,
        )
      })
    })

    it('a hundred days ahead at a start loses nothing, and is forgotten once it is back', async () => {
      const route = await scene.anEndpoint()
      const dead = await aDeadLetter(route)
      await due(route, 1000)
      await restart(100 * dayMs)
      await machine.advance(75_000)
      await upkeep()
      expect(await isKept(dead)).toEqual(kept(dead.event))
      const replayed = { result: { kind: 'replayed', eventId: dead.event.id } }
      expect(await scene.publish({ routes: [route], idempotency: aKey() })).toMatchObject(replayed)
      const claimed = await scene.claimOne()
      expect((await scene.record(anOutcome(claimed, { next: retryIn(1000) }))).disabled).toEqual([])
      await restart(-100 * dayMs)
      // By then nobody has slots of the process before.
      await machine.advance(31_000)
      await scene.store.reconcileReady({ limit: 100 })
      const again = await scene.claimOne()
      await machine.advance(steadyMs)
      await upkeep()
      expect((await scene.record(anOutcome(again, { next: retryIn(1000) }))).disabled).toEqual([])
      expect(await isKept(dead)).toEqual(kept(dead.event))
      expect(await scene.publish({ routes: [route], idempotency: aKey() })).toMatchObject(replayed)
      // Both what was there before and what came after goes when its time has come.
      const later = await aDeadLetterOf(route)
      await machine.advance(91 * dayMs)
      await upkeep()
      expect(await isKept(dead)).toEqual({})
      expect(await isKept(later)).toEqual({})
    })

    it('a long downtime makes due what fell due in it, and ages count it after an hour', async () => {
      const route = await scene.anEndpoint()
      const dead = await aDeadLetter(route)
      await due(route, 2 * dayMs)
      await restart(100 * dayMs)
      await scene.store.reconcileReady({ limit: 100 })
      expect(await claimCount()).toBe(1)
      expect((await upkeep()).events).toBe(0)
      await machine.advance(steadyMs)
      expect((await upkeep()).events).toBe(1)
      expect(await isKept(dead)).toEqual({})
    })
  })

  async function aDeadLetterOf(route: Route) {
    const { event, deliveryId } = await scene.publish({ routes: [route] })
    const { deliveries } = await scene.claim()
    const claimed = deliveries.find(({ id }) => id === deliveryId)
    if (claimed === undefined) throw new Error('it was not claimed')
    await scene.record(anOutcome(claimed, { next: deadLetter, startedAt: scene.now() }))
    return { event, deliveryId }
  }
}
