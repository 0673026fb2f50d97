import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantSettings } from '../../../src/core/tenant.ts'
import { anOutcome, leaseMs, type OpenHarness, openScene, type Route, retryIn, type Scene } from './scene.ts'

export function describeClaim(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const countByTarget = (deliveries: readonly { readonly targetId: string }[], route: Route): number =>
    deliveries.filter((delivery) => delivery.targetId === route.endpointId).length

  describe('claim', () => {
    it('leases a due delivery with all that an attempt needs', async () => {
      const route = await scene.anEndpoint()
      const { event, deliveryId } = await scene.publish({ routes: [route], metadata: { a: 'b' } })
      const claimed = await scene.claimOne()
      expect(claimed).toEqual({
        id: deliveryId,
        tenantId: route.tenantId,
        eventId: event.id,
        subscriptionId: route.subscriptionId,
        endpointId: route.endpointId,
        targetId: route.endpointId,
        topic: 'orders.created',
        metadata: { a: 'b' },
        traceContext: null,
        request: null,
        payload: event.payload,
        claimVersion: 1,
        attemptCount: 0,
        lostClaims: 0,
        createdAt: scene.now(),
      })
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'in_flight', claimVersion: 1 })
    })

    it('gives one row to one of 20 callers at once', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const claims = await Promise.all(Array.from({ length: 20 }, () => scene.claim()))
      expect(claims.flatMap((claim) => claim.deliveries)).toHaveLength(1)
    })

    it('lets a lone target fill the batch', async () => {
      const route = await scene.anEndpoint()
      await scene.publishMany(150, { routes: [route] })
      expect((await scene.claim({ limit: 100 })).deliveries).toHaveLength(100)
    })

    it('shares the batch equally between targets, whatever their backlog', async () => {
      const big = await scene.anEndpoint()
      const small = await scene.anEndpoint()
      await scene.publishMany(500, { routes: [big] })
      await scene.publishMany(500, { routes: [small] })
      const { deliveries } = await scene.claim({ limit: 100 })
      expect([countByTarget(deliveries, big), countByTarget(deliveries, small)]).toEqual([50, 50])
    })

    it('gives what small targets leave to the others', async () => {
      const big = await scene.anEndpoint()
      const small = await scene.anEndpoint()
      await scene.publishMany(500, { routes: [big] })
      await scene.publishMany(3, { routes: [small] })
      const { deliveries } = await scene.claim({ limit: 100 })
      expect([countByTarget(deliveries, big), countByTarget(deliveries, small)]).toEqual([97, 3])
    })

    const aFlood = async (size: number): Promise<Route[]> => {
      const flood = await Promise.all(Array.from({ length: size }, () => scene.anEndpoint()))
      await scene.publishMany(100, { routes: flood })
      await scene.claim({ limit: 60 })
      await scene.advance(1000)
      return flood
    }

    it('gives a target whose work is new its turn before those with a backlog', async () => {
      await aFlood(6)
      const fresh = await scene.anEndpoint()
      await scene.publishMany(2, { routes: [fresh] })
      expect(countByTarget((await scene.claim({ limit: 4 })).deliveries, fresh)).toBe(2)
    })

    it('gives a target whose work was all done its turn like a new one', async () => {
      await aFlood(6)
      const quiet = await scene.anEndpoint()
      await scene.publish({ routes: [quiet] })
      expect(countByTarget((await scene.claim({ limit: 4 })).deliveries, quiet)).toBe(1)
      await scene.advance(1000)
      await scene.publish({ routes: [quiet] })
      expect(countByTarget((await scene.claim({ limit: 4 })).deliveries, quiet)).toBe(1)
      await scene.advance(1000)
      const { result } = await scene.publish({ routes: [quiet], handOff: true })
      expect(result).toMatchObject({ handedOff: [true] })
    })

    it('gives many fresh targets with little work a turn in the same claim', async () => {
      await aFlood(6)
      const fresh: Route[] = []
      for (let count = 0; count < 15; count++) fresh.push(await scene.anEndpoint())
      await scene.publishMany(2, { routes: fresh })
      const { deliveries } = await scene.claim({ limit: 60 })
      expect(fresh.map((route) => countByTarget(deliveries, route))).toEqual(Array(15).fill(2))
    })

    it('gives fresh targets with more work than there is room for equal turns, and a backlog beside them its own', async () => {
      const [backlog] = await aFlood(1)
      const fresh: Route[] = []
      for (let count = 0; count < 15; count++) fresh.push(await scene.anEndpoint())
      await scene.publishMany(16, { routes: fresh })
      const { deliveries } = await scene.claim({ limit: 60 })
      const counts = fresh.map((route) => countByTarget(deliveries, route))
      expect(counts.toSorted()).toEqual([3, ...Array(14).fill(4)])
      expect(countByTarget(deliveries, backlog as Route)).toBe(1)
    })

    it("gives fresh targets half of their tenant's share first, and no other tenant's", async () => {
      const [backlog] = await aFlood(1)
      const other = { tenantId: scene.ids.next('ten') }
      const fresh = await Promise.all(Array.from({ length: 20 }, () => scene.anEndpoint(other)))
      await scene.publishMany(20, { routes: fresh })
      const { deliveries } = await scene.claim({ limit: 40 })
      expect(countByTarget(deliveries, backlog as Route)).toBe(15)
    })

    it('gives no head start to a target that waits for its turn already', async () => {
      const flood = await aFlood(6)
      const [first] = (await scene.claim({ limit: 1 })).deliveries
      const served = flood.find((route) => route.endpointId === first?.targetId) as Route
      await scene.advance(1000)
      await scene.publish({ routes: [served] })
      expect(countByTarget((await scene.claim({ limit: 5 })).deliveries, served)).toBe(0)
    })

    it('lets no flood of fresh targets keep a backlog from its turn, nor the oldest of them', async () => {
      const [backlog] = await aFlood(1)
      const oldest = await scene.anEndpoint()
      await scene.publish({ routes: [oldest] })
      await scene.advance(1000)
      for (let count = 0; count < 60; count++) await scene.publish({ routes: [await scene.anEndpoint()] })
      const { deliveries } = await scene.claim({ limit: 40 })
      expect(countByTarget(deliveries, backlog as Route)).toBeGreaterThan(0)
      expect(countByTarget(deliveries, oldest)).toBe(1)
    })

    it.each(['the flood', 'the quiet one'])(
      'shares between tenants first, over however many endpoints one spreads its backlog; %s comes later',
      async (later) => {
        // The default tenant's id is the lowest there is.
        const other = { tenantId: scene.ids.next('ten') }
        const isFloodLater = later === 'the flood'
        const flood = await Promise.all(
          Array.from({ length: 20 }, () => scene.anEndpoint(isFloodLater ? other : {})),
        )
        const quiet = await scene.anEndpoint(isFloodLater ? {} : other)
        await scene.publishMany(20, { routes: flood })
        await scene.publishMany(50, { routes: [quiet] })
        const { deliveries } = await scene.claim({ limit: 40 })
        expect(new Set(deliveries.map((delivery) => delivery.id)).size).toBe(40)
        expect(countByTarget(deliveries, quiet)).toBe(20)
      },
    )

    it('shares between tenants by their weights, as they are now, in one claim and over small ones', async () => {
      const heavyId = scene.ids.next('ten')
      const settings = { ...defaultTenantSettings, weight: 3 }
      await scene.store.insertTenant({ id: heavyId, uid: null, name: '', metadata: null, settings })
      const heavy = await scene.anEndpoint({ tenantId: heavyId })
      const light = await scene.anEndpoint()
      for (const route of [heavy, light]) await scene.publishMany(60, { routes: [route] })
      const { deliveries } = await scene.claim({ limit: 40 })
      expect([countByTarget(deliveries, heavy), countByTarget(deliveries, light)]).toEqual([30, 10])
      const small = []
      for (let n = 0; n < 8; n++) small.push(...(await scene.claim({ limit: 1 })).deliveries)
      expect([countByTarget(small, heavy), countByTarget(small, light)]).toEqual([6, 2])
      await scene.store.updateTenant(heavyId, { settings: { weight: 1 } })
      const equal = (await scene.claim({ limit: 20 })).deliveries
      // Five are the light one's part by the weights of before, ten but for a head start by those of now.
      expect(countByTarget(equal, light)).toBeGreaterThanOrEqual(7)
      // What the others leave is for whoever has more.
      expect((await scene.claim({ limit: 100 })).deliveries).toHaveLength(52)
    })

    it('reaches every tenant in turn when a claim is smaller than their number', async () => {
      const routes: Route[] = []
      for (let tenant = 0; tenant < 5; tenant++)
        routes.push(await scene.anEndpoint({ tenantId: scene.ids.next('ten') }))
      for (const route of routes) await scene.publishMany(10, { routes: [route] })
      const served = new Set<string>()
      for (let turn = 0; turn < 5; turn++) {
        for (const delivery of (await scene.claim({ limit: 1 })).deliveries) served.add(delivery.tenantId)
      }
      expect(served.size).toBe(5)
    })

    it('serves a new small target soon behind an old backlog', async () => {
      const old = await scene.anEndpoint()
      await scene.publishMany(500, { routes: [old] })
      await scene.advance(60_000)
      await scene.claim({ limit: 10 })
      const fresh = await scene.anEndpoint()
      await scene.publish({ routes: [fresh] })
      const claims = [await scene.claim({ limit: 10 }), await scene.claim({ limit: 10 })]
      expect(
        countByTarget(
          claims.flatMap((claim) => claim.deliveries),
          fresh,
        ),
      ).toBe(1)
    })

    it('takes no more than the endpoint may have in flight', async () => {
      const route = await scene.anEndpoint({ maxInFlight: 3 })
      await scene.publishMany(10, { routes: [route] })
      const result = await scene.claim()
      expect(result.deliveries).toHaveLength(3)
      expect(result.nextDueMs).toBe(0)
    })

    it('takes no more than the free slots that the caller names, and none of a target without', async () => {
      const limited = await scene.anEndpoint()
      const full = await scene.anEndpoint()
      await scene.publishMany(10, { routes: [limited] })
      await scene.publishMany(10, { routes: [full] })
      const slots = new Map([
        [limited.endpointId, 2],
        [full.endpointId, 0],
      ])
      const result = await scene.claim({ slots })
      expect([countByTarget(result.deliveries, limited), countByTarget(result.deliveries, full)]).toEqual([
        2, 0,
      ])
      expect(result.nextDueMs).toBe(0)
    })

    it('stops at the bytes it may take, but always gives one', async () => {
      const route = await scene.anEndpoint()
      await scene.publishMany(3, { routes: [route], payload: new Uint8Array(1000) })
      expect((await scene.claim({ maxBytes: 500 })).deliveries).toHaveLength(1)
      const second = await scene.claim({ maxBytes: 1999 })
      expect(second.deliveries).toHaveLength(1)
      expect(second.nextDueMs).toBe(0)
    })

    it('says when more becomes due', async () => {
      const route = await scene.anEndpoint()
      expect((await scene.claim()).nextDueMs).toBeNull()
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: retryIn(5000) }))
      await scene.advance(1000)
      const early = await scene.claim()
      expect(early).toMatchObject({ deliveries: [], nextDueMs: 4000 })
      await scene.advance(4000)
      expect((await scene.claim()).deliveries).toHaveLength(1)
    })

    it('forgets a target that has nothing left instead of coming back to it', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      await scene.record(anOutcome(await scene.claimOne()))
      await scene.advance(leaseMs)
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: null })
    })
  })

  describe('leases', () => {
    it('makes an expired lease due again and counts the lost claim (G3)', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const first = await scene.claimOne()
      await scene.advance(leaseMs - 1)
      expect((await scene.claim()).deliveries).toEqual([])
      await scene.advance(1)
      const second = await scene.claimOne()
      expect(second).toMatchObject({ id: first.id, claimVersion: 2, lostClaims: 1, attemptCount: 0 })
    })

    it('drops the late outcome of a worker whose lease was taken over (S1.41, G1)', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const lost = await scene.claimOne()
      await scene.advance(leaseMs)
      const current = await scene.claimOne()
      expect((await scene.record(anOutcome(lost))).recorded).toEqual([false])
      expect(await scene.delivery(lost.id)).toMatchObject({
        state: 'in_flight',
        claimVersion: 2,
        attemptCount: 0,
      })
      expect(await scene.store.listAttempts([lost.id], { withCapture: false })).toEqual([])
      expect((await scene.record(anOutcome(current))).recorded).toEqual([true])
      expect((await scene.record(anOutcome(current))).recorded).toEqual([false])
    })

    it('resets lost claims by any outcome', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      await scene.claimOne()
      await scene.advance(leaseMs)
      await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(0) }))
      expect((await scene.claimOne()).lostClaims).toBe(0)
    })

    it('gives a released delivery back without counting an attempt or a lost claim', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.store.release([{ deliveryId: claimed.id, claimVersion: 1, delayMs: 2000 }])
      expect(await scene.delivery(claimed.id)).toMatchObject({
        state: 'pending',
        claimVersion: 2,
        nextAttemptAt: scene.now() + 2000,
      })
      expect((await scene.record(anOutcome(claimed))).recorded).toEqual([false])
      await scene.advance(2000)
      expect(await scene.claimOne()).toMatchObject({ claimVersion: 3, lostClaims: 0, attemptCount: 0 })
    })

    it('ignores the release of a stale lease', async () => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed))
      await scene.store.release([{ deliveryId: claimed.id, claimVersion: 1, delayMs: 0 }])
      expect(await scene.delivery(claimed.id)).toMatchObject({ state: 'succeeded' })
    })
  })
}
