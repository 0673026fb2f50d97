import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { aLine, claimed, keysOf } from './ordering.ts'
import {
  anOutcome,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  type Scene,
} from './scene.ts'

/** Ordered deliveries that are made after their event: by slices, by a back-fill. */
export function describeOrderingLater(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint({ ordered: true })
  })
  afterEach(() => scene.close())

  describe('ordered deliveries that are made later', () => {
    it('stand behind those of earlier events, also those of an event for many', async () => {
      const first = await scene.publish({ routes: [route], orderingKey: 'many' })
      const many = await scene.publish({ receivers: [route, route], orderingKey: 'many' })
      while ((await scene.fanOutSlice()).more);
      const order: string[] = []
      for (let left = 3; left > 0; left--) {
        const one = await scene.claimOne()
        order.push(one.eventId)
        await scene.record(anOutcome(one))
      }
      expect(order).toEqual([first.event.id, many.event.id, many.event.id])
      expect(await keysOf(scene)).toEqual([])
    })

    it('of a back-fill stand behind what is in line, also behind a blocked head, in the order of their events', async () => {
      const { store, ids } = scene
      const past = await aLine(scene, route, 3, 'moving')
      await scene.publish({ routes: [route], orderingKey: 'blocked' })
      const events = await Promise.all(past.map(async (id) => (await scene.delivery(id)).eventId))
      for (let left = 3; left > 0; left--) {
        await scene.record(...(await scene.claim()).deliveries.map((each) => anOutcome(each)))
      }
      await scene.advance(1)
      const newcomer = await scene.anEndpoint({ ordered: true })
      const live = await scene.publish({ routes: [newcomer], orderingKey: 'moving' })
      const dead = await scene.publish({ routes: [newcomer], orderingKey: 'blocked' })
      const heads = (await scene.claim()).deliveries
      expect(new Set(heads.map(({ id }) => id))).toEqual(new Set([live.deliveryId, dead.deliveryId]))
      const [head, dying] = [live, dead].map(({ deliveryId }) => heads.find(({ id }) => id === deliveryId))
      if (head === undefined || dying === undefined) throw new Error('a head was not claimed')
      await scene.record(anOutcome(dying, { next: deadLetter }))

      await scene.advance(1)
      const jobId = ids.next('job')
      const filter = { endpointId: newcomer.endpointId }
      await store.insertJob({ id: jobId, tenantId: defaultTenantId, kind: 'backfill', filter, rate: null })
      await store.takeJob({ owner: 'me', leaseMs })
      const slice = { jobId, owner: 'me', limit: 2, leaseMs, total: null, refusal: null }
      for (let state = 'running'; state === 'running'; ) {
        const deliveryIds = [ids.next('dlv'), ids.next('dlv')]
        state = (await store.runJobSlice({ ...slice, deliveryIds }))?.job.state ?? 'gone'
      }
      expect(await keysOf(scene)).toMatchObject([
        { orderingKey: 'blocked', headDeliveryId: dead.deliveryId, headState: 'dead_lettered', length: 2 },
        { orderingKey: 'moving', headDeliveryId: live.deliveryId, headState: 'in_flight', length: 4 },
      ])
      expect(await claimed(scene)).toEqual([])
      const late = await scene.publish({ routes: [newcomer], orderingKey: 'moving' })

      const order: string[] = []
      let { advanced } = await scene.record(anOutcome(head))
      while (advanced) {
        const one = await scene.claimOne()
        order.push(one.eventId)
        advanced = (await scene.record(anOutcome(one))).advanced
      }
      expect(order).toEqual([...events, late.event.id])
      expect(await keysOf(scene)).toMatchObject([{ orderingKey: 'blocked', length: 2 }])
      await store.skipDelivery(defaultTenantId, dead.deliveryId, 'skipped')
      expect(await scene.claimOne()).toMatchObject({ endpointId: newcomer.endpointId, attemptCount: 0 })
    })
  })

  describe('an event for many that is being fanned out', () => {
    it('is not overtaken by later events of its key, which are to be published again', async () => {
      const receivers = [route, route, route]
      await scene.publish({ receivers, orderingKey: 'slow' })
      const early = await scene.publish({ routes: [route], orderingKey: 'slow' })
      expect(early.result).toEqual({ kind: 'key_held' })
      expect(await scene.store.getEvent(defaultTenantId, early.event.id)).toBeNull()
      expect((await scene.publish({ routes: [route], orderingKey: 'other' })).result).toMatchObject({
        kind: 'published',
      })
      await scene.fanOutSlice(2)
      expect((await scene.publish({ routes: [route], orderingKey: 'slow' })).result).toEqual({
        kind: 'key_held',
      })
      while ((await scene.fanOutSlice(2)).more);
      const late = await scene.publish({ routes: [route], orderingKey: 'slow' })
      expect(late.result).toMatchObject({ kind: 'published' })
      expect(await scene.delivery(late.deliveryId)).toMatchObject({ reason: 'behind_head' })
      expect(await keysOf(scene, { orderingKey: 'slow' })).toMatchObject([{ length: 4 }])
    })
  })
}
