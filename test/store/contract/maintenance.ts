import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anOutcome, deadLetter, leaseMs, type OpenHarness, openScene, retryIn, type Scene } from './scene.ts'

export function describeMaintenance(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  describe('reconcileReady', () => {
    it('finds the handed-off delivery of a worker that died: nothing else points at it', async () => {
      const route = await scene.anEndpoint()
      const { deliveryId } = await scene.publish({ routes: [route], handOff: true })
      await scene.advance(leaseMs)
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: null })
      expect(await scene.store.reconcileReady({ limit: 100 })).toEqual({ armed: 1 })
      expect(await scene.claimOne()).toMatchObject({ id: deliveryId, lostClaims: 1, claimVersion: 2 })
    })

    it('arms nothing that is armed, not due, or at an end', async () => {
      const [armed, later, done] = [
        await scene.anEndpoint(),
        await scene.anEndpoint(),
        await scene.anEndpoint(),
      ]
      await scene.publish({ routes: [later] })
      await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(60_000) }))
      await scene.publish({ routes: [done] })
      await scene.record(anOutcome(await scene.claimOne()))
      await scene.publish({ routes: [armed] })
      expect(await scene.store.reconcileReady({ limit: 100 })).toEqual({ armed: 0 })
    })

    it('goes on where it stopped until it has seen every target', async () => {
      for (let target = 0; target < 5; target++)
        await scene.publish({ routes: [await scene.anEndpoint()], handOff: true })
      await scene.advance(leaseMs)
      let armed = 0
      for (let slice = 0; slice < 3; slice++) armed += (await scene.store.reconcileReady({ limit: 2 })).armed
      expect(armed).toBe(5)
      expect((await scene.claim()).deliveries).toHaveLength(5)
    })
  })

  describe('clearing up', () => {
    it('removes expired idempotency records in slices, and no others', async () => {
      const aKey = (key: string, ttlMs: number) => ({ scope: '', key, hash: new Uint8Array(32), ttlMs })
      for (let n = 0; n < 3; n++) await scene.publish({ idempotency: aKey(`short-${n}`, 1000) })
      const kept = await scene.publish({ idempotency: aKey('long', 10_000) })
      await scene.advance(1000)
      expect(await scene.store.deleteExpiredIdempotencyKeys({ limit: 2 })).toEqual({ more: true })
      expect(await scene.store.deleteExpiredIdempotencyKeys({ limit: 2 })).toEqual({ more: false })
      expect((await scene.publish({ idempotency: aKey('long', 10_000) })).result).toMatchObject({
        eventId: kept.event.id,
      })
    })
  })

  describe('counts', () => {
    it('follow every transition, folded or not', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route], handOff: true })
      await scene.publishMany(6, { routes: [route] })
      const { deliveries } = await scene.claim({ limit: 4 })
      const [a, b, c, d] = deliveries
      if (a === undefined || b === undefined || c === undefined || d === undefined)
        throw new Error('four were due')
      await scene.record(
        anOutcome(a),
        anOutcome(b, { next: retryIn(1000) }),
        anOutcome(c, { next: deadLetter }),
      )
      const expected = {
        pending: 2,
        in_flight: 2,
        retry_scheduled: 1,
        succeeded: 1,
        dead_lettered: 1,
        cancelled: 0,
        skipped: 0,
      }
      expect((await scene.store.counts()).deliveries).toEqual(expected)
      await scene.advance(120_000)
      while ((await scene.store.foldCounts({ limit: 2 })).more);
      expect((await scene.store.counts()).deliveries).toEqual(expected)
    })

    it('do not count what a refused call undid', async () => {
      const route = await scene.anEndpoint()
      const event = await scene.anEvent({ routes: [route] })
      await scene.store.publish([event], { leaseMs })
      const [undone, counted] = [
        await scene.anEvent({ routes: [route] }),
        await scene.anEvent({ routes: [route] }),
      ]
      await Promise.allSettled([
        scene.store.publish([undone, event], { leaseMs }),
        scene.store.publish([counted], { leaseMs }),
      ])
      expect((await scene.store.counts()).deliveries.pending).toBe(2)
    })

    it('tell the age of the oldest delivery that is due', async () => {
      const route = await scene.anEndpoint()
      expect((await scene.store.counts()).oldestDueMs).toBeNull()
      await scene.publish({ routes: [route] })
      await scene.advance(5000)
      await scene.publish({ routes: [route] })
      expect((await scene.store.counts()).oldestDueMs).toBe(5000)
      await scene.claim()
      expect((await scene.store.counts()).oldestDueMs).toBeNull()
    })
  })

  describe('the store itself', () => {
    it('answers a ping, and closes twice without complaint', async () => {
      await scene.store.ping()
      await scene.store.close()
      await scene.store.close()
      await expect(scene.store.ping()).rejects.toMatchObject({ code: 'closed' })
    })
  })
}
