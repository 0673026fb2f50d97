import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { anOutcome, leaseMs, type OpenHarness, openScene, type Route, retryIn, type Scene } from './scene.ts'

export function describeLimits(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  /** How many of these were handed off. */
  const handOff = async (route: Route, count: number): Promise<number> => {
    const batch = await Promise.all(
      Array.from({ length: count }, () => scene.anEvent({ routes: [route], handOff: true })),
    )
    const results = await scene.store.publish(batch, { leaseMs })
    return results.filter((result) => result.kind === 'published' && result.handedOff[0] === true).length
  }
  const claimCount = async (): Promise<number> => (await scene.claim()).deliveries.length
  const update = (route: Route, patch: Parameters<Scene['store']['updateEndpoint']>[2]) =>
    scene.store.updateEndpoint(defaultTenantId, route.endpointId, patch)
  const waiting = async () =>
    (await scene.store.listDeliveries(defaultTenantId, { state: 'pending' }, { limit: 100, cursor: null }))
      .items

  describe('limits', () => {
    it('are stored, changed and shown with the endpoint', async () => {
      const route = await scene.anEndpoint({ maxInFlight: 7, rateLimitRps: 0.25 })
      const read = () => scene.store.getEndpoint(defaultTenantId, route.endpointId)
      expect(await read()).toMatchObject({ maxInFlight: 7, rateLimitRps: 0.25 })
      await update(route, { description: 'as before' })
      expect(await read()).toMatchObject({ maxInFlight: 7, rateLimitRps: 0.25 })
      expect(await update(route, { maxInFlight: 9, rateLimitRps: 1000 })).toMatchObject({
        endpoint: { maxInFlight: 9, rateLimitRps: 1000 },
      })
      expect((await scene.store.loadRouting(defaultTenantId)).endpoints[0]).toMatchObject({
        rateLimitRps: 1000,
      })
      await update(route, { rateLimitRps: null })
      expect(await read()).toMatchObject({ maxInFlight: 9, rateLimitRps: null })
    })

    it('give a lone process all that an endpoint may have in flight, also when that becomes more or less', async () => {
      const route = await scene.anEndpoint({ maxInFlight: 5 })
      await scene.publishMany(60, { routes: [route] })
      expect(await claimCount()).toBe(5)
      await update(route, { maxInFlight: 20 })
      expect(await claimCount()).toBe(20)
      await update(route, { maxInFlight: 3 })
      const slots = new Map([[route.endpointId, 3]])
      expect((await scene.claim({ slots })).deliveries).toHaveLength(3)
    })
  })

  describe('a rate', () => {
    it('grants hand-offs from its burst of two seconds, and then one for each token', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 2 })
      expect(await handOff(route, 6)).toBe(4)
      expect(await handOff(route, 1)).toBe(0)
    })

    it('gives claims as much, and the ready row comes back when there is a token', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 2 })
      await scene.publishMany(10, { routes: [route] })
      const first = await scene.claim()
      expect(first.deliveries).toHaveLength(4)
      expect(first.nextDueMs).toBe(500)
      await scene.advance(499)
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: 1 })
      await scene.advance(1)
      expect(await claimCount()).toBe(1)
      await scene.advance(1000)
      expect(await claimCount()).toBe(2)
    })

    it('is one for hand-offs and claims', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 5 })
      expect(await handOff(route, 6)).toBe(6)
      await scene.publishMany(10, { routes: [route] })
      expect(await claimCount()).toBe(4)
      await scene.advance(2000)
      expect(await claimCount()).toBe(6)
      expect(await handOff(route, 10)).toBe(4)
    })

    it('is why deliveries wait, until there is a token, and no attempt is counted', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 0.5 })
      await scene.publishMany(3, { routes: [route] })
      expect(await claimCount()).toBe(1)
      const limited = {
        reason: 'rate_limited',
        nextAttemptAt: scene.now() + 2000,
        attemptCount: 0,
        claimVersion: 0,
      }
      expect(await waiting()).toEqual([expect.objectContaining(limited), expect.objectContaining(limited)])
      await scene.advance(2000)
      for (const delivery of await waiting()) expect(delivery).toMatchObject({ reason: null })
    })

    it('is no reason for what is due later anyway', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 1 })
      await scene.publishMany(2, { routes: [route] })
      const { deliveries } = await scene.claim()
      await scene.record(...deliveries.map((claimed) => anOutcome(claimed, { next: retryIn(60_000) })))
      const retried = await scene.delivery(deliveries[0]?.id ?? '')
      expect(retried).toMatchObject({ reason: null, nextAttemptAt: scene.now() + 60_000 })
    })

    it('tells a hand-off that found no token at once why it waits', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 1 })
      await handOff(route, 3)
      const nextAttemptAt = scene.now() + 1000
      expect(await waiting()).toEqual([expect.objectContaining({ reason: 'rate_limited', nextAttemptAt })])
    })

    it('lets no hand-off overtake what waits for a token', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 100 })
      await scene.publishMany(250, { routes: [route] })
      await scene.claim({ limit: 300 })
      for (let turn = 0; turn < 5; turn++) {
        await scene.advance(10)
        expect(await handOff(route, 1)).toBe(0)
      }
      expect(await claimCount()).toBe(5)
    })

    it.each([0.01, 0.7, 3, 40])('of %d is kept over every stretch of time', async (rps) => {
      const route = await scene.anEndpoint({ rateLimitRps: rps })
      const granted: number[] = []
      const random = aRandom(rps * 1000)
      for (let turn = 0; turn < 40; turn++) {
        const count = Math.ceil(random() * 6)
        const gone =
          random() < 0.5
            ? await handOff(route, count)
            : (await scene.claim({ limit: count })).deliveries.length
        for (let each = 0; each < gone; each++) granted.push(scene.now())
        await scene.advance(Math.floor((random() * 3000) / Math.max(1, rps)))
      }
      expect(granted.length).toBeGreaterThan(0)
      const burst = Math.max(1, 2 * rps)
      for (const [from, start] of granted.entries()) {
        for (const [to, end] of granted.entries()) {
          if (to < from) continue
          expect(to - from + 1).toBeLessThanOrEqual(burst + ((end - start) * rps) / 1000 + 1e-3)
        }
      }
    })

    it('of a hundredth lets one go every 100 s, and a million is no hindrance', async () => {
      const slow = await scene.anEndpoint({ rateLimitRps: 0.01 })
      expect(await handOff(slow, 2)).toBe(1)
      await scene.advance(99_999)
      expect(await handOff(slow, 1)).toBe(0)
      await scene.advance(1)
      expect(await claimCount()).toBeGreaterThan(0)
      const quick = await scene.anEndpoint({ rateLimitRps: 1_000_000 })
      expect(await handOff(quick, 500)).toBe(500)
    })

    it('that is taken away sets free at once what waited for it', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 0.01 })
      await scene.publishMany(3, { routes: [route] })
      expect(await claimCount()).toBe(1)
      await update(route, { rateLimitRps: null })
      expect((await waiting()).map((delivery) => delivery.reason)).toEqual([null, null])
      expect(await claimCount()).toBe(2)
    })

    it('that changes keeps what was missing, as far as its burst is that large', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 0.01 })
      await scene.publishMany(100, { routes: [route] })
      expect(await claimCount()).toBe(1)
      await update(route, { rateLimitRps: 10 })
      expect(await claimCount()).toBe(19)
      await update(route, { rateLimitRps: 20 })
      expect(await claimCount()).toBe(20)
      await update(route, { rateLimitRps: 0.01 })
      expect(await claimCount()).toBe(0)
      await scene.advance(100_000)
      expect(await claimCount()).toBeGreaterThan(0)
    })

    it('that stays the same value is left alone by an update', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 1 })
      expect(await handOff(route, 2)).toBe(2)
      await update(route, { rateLimitRps: 1, description: 'again' })
      expect(await handOff(route, 1)).toBe(0)
    })

    it('gets back the token of a lease that was given back unsent, and not of one that was sent', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 1 })
      await scene.publishMany(4, { routes: [route] })
      const { deliveries } = await scene.claim()
      const [sent, unsent] = deliveries.map(({ id, claimVersion }) => ({
        deliveryId: id,
        claimVersion,
        delayMs: 0,
      }))
      if (sent === undefined || unsent === undefined) throw new Error('two were to be claimed')
      await scene.store.release([{ ...sent, sent: true }])
      expect(await claimCount()).toBe(0)
      await scene.store.release([unsent])
      expect(await claimCount()).toBe(1)
    })

    it('counts a delivery again whose lease ended', async () => {
      const route = await scene.anEndpoint({ rateLimitRps: 0.02 })
      await scene.publish({ routes: [route], handOff: true })
      await scene.advance(leaseMs)
      await scene.store.reconcileReady({ limit: 10 })
      expect(await claimCount()).toBe(0)
      await scene.advance(50_000 - leaseMs)
      expect(await claimCount()).toBe(1)
    })

    it('lets no more go than could start at once, and holds up no target without a rate', async () => {
      const rated = [
        await scene.anEndpoint({ rateLimitRps: 100 }),
        await scene.anEndpoint({ rateLimitRps: 100 }),
      ]
      const free = await scene.anEndpoint()
      await scene.publishMany(20, { routes: [...rated, free] })
      const { deliveries } = await scene.claim({ limit: 60, startable: 7 })
      const isFree = ({ targetId }: { targetId: string }) => targetId === free.endpointId
      expect(deliveries.filter(isFree)).toHaveLength(20)
      expect(deliveries).toHaveLength(27)
      expect(await claimCount()).toBe(33)
    })
  })
}

/** The same numbers for the same seed. */
function aRandom(seed: number): () => number {
  let state = Math.floor(seed) + 1
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648
  }
}
