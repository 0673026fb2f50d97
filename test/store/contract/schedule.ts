import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { type OpenHarness, openScene, type Scene } from './scene.ts'

const hourMs = 3_600_000

/** Events whose deliveries are due later. */
export function describeSchedule(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  describe('a scheduled event', () => {
    it('waits for its time, which it and its delivery show, and is claimed from then on', async () => {
      const { event, result, deliveryId } = await scene.publish({
        routes: [await scene.anEndpoint()],
        handOff: true,
        deliverInMs: hourMs,
      })
      expect(result).toMatchObject({ kind: 'published', handedOff: [false] })
      expect(await scene.store.getEvent(defaultTenantId, event.id)).toMatchObject({
        deliverAt: event.deliverAt,
        state: 'fanned_out',
      })
      const waiting = { state: 'pending', reason: 'scheduled', nextAttemptAt: event.deliverAt }
      expect(await scene.delivery(deliveryId)).toMatchObject(waiting)
      expect((await scene.claim()).deliveries).toEqual([])
      await scene.advance(hourMs - 1000)
      expect((await scene.claim()).deliveries).toEqual([])
      expect(await scene.delivery(deliveryId)).toMatchObject(waiting)
      await scene.advance(1001)
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'pending', reason: null })
      const { deliveries } = await scene.claim()
      expect(deliveries).toMatchObject([{ id: deliveryId, claimVersion: 1, attemptCount: 0 }])
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'in_flight', reason: null })
    })

    it('has claims come back for it in time, also when it was published after one for later', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route], deliverInMs: 10 * hourMs })
      await scene.publish({ routes: [route], deliverInMs: 5000 })
      const { nextDueMs } = await scene.claim()
      expect(nextDueMs).toBeGreaterThan(3000)
      expect(nextDueMs).toBeLessThanOrEqual(5000)
      await scene.advance(5001)
      expect((await scene.claim()).deliveries).toHaveLength(1)
      expect((await scene.claim()).deliveries).toEqual([])
    })

    it('keeps no event of its endpoint waiting, nor from being handed off', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route], deliverInMs: hourMs })
      const { result } = await scene.publish({ routes: [route], handOff: true })
      expect(result).toMatchObject({ kind: 'published', handedOff: [true] })
      const { deliveryId } = await scene.publish({ routes: [route] })
      expect((await scene.claim()).deliveries).toMatchObject([{ id: deliveryId }])
    })

    it('whose time has come already is due at once', async () => {
      const { deliveryId } = await scene.publish({ routes: [await scene.anEndpoint()], deliverInMs: -hourMs })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'pending', reason: null })
      expect((await scene.claim()).deliveries).toMatchObject([{ id: deliveryId }])
    })

    it('still waits for its time when its endpoint was disabled and is enabled again', async () => {
      const route = await scene.anEndpoint()
      const { deliveryId, event } = await scene.publish({ routes: [route], deliverInMs: hourMs })
      const disable = (disabledReason: 'operator' | null) =>
        scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason })
      await disable('operator')
      const late = await scene.publish({ routes: [route], deliverInMs: hourMs, parked: 'endpoint_disabled' })
      const parked = { state: 'pending', reason: 'endpoint_disabled', nextAttemptAt: null }
      expect(await scene.delivery(deliveryId)).toMatchObject(parked)
      expect(await scene.delivery(late.deliveryId)).toMatchObject(parked)
      await disable(null)
      expect(await scene.delivery(deliveryId)).toMatchObject({
        reason: 'scheduled',
        nextAttemptAt: event.deliverAt,
      })
      expect((await scene.claim()).deliveries).toEqual([])
      await scene.advance(hourMs + 1000)
      const { deliveries } = await scene.claim()
      expect(new Set(deliveries.map(({ id }) => id))).toEqual(new Set([deliveryId, late.deliveryId]))
    })

    it('is cancelled with its endpoint', async () => {
      const route = await scene.anEndpoint()
      const { deliveryId } = await scene.publish({ routes: [route], deliverInMs: hourMs })
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled' })
    })

    it('for many is due everywhere at its time', async () => {
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
      const receivers = Array.from({ length: 150 }, (_, at) => routes[at % 2] ?? routes[0]).flatMap(
        (route) => route ?? [],
      )
      const { event } = await scene.publish({ receivers, deliverInMs: hourMs })
      while ((await scene.fanOutSlice()).more);
      const deliveries = await scene.deliveriesOf(event.id)
      expect(deliveries).toHaveLength(150)
      expect(new Set(deliveries.map(({ reason }) => reason))).toEqual(new Set(['scheduled']))
      expect((await scene.claim()).deliveries).toEqual([])
      await scene.advance(hourMs + 1)
      expect((await scene.claim({ limit: 200 })).deliveries).toHaveLength(150)
    })
  })
}
