import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { ClaimedDelivery } from '../../../src/store/port.ts'
import {
  anOutcome,
  aTransportFailure,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

export function describeHealth(open: OpenHarness): void {
  let scene: Scene
  let route: Route
  beforeEach(async () => {
    scene = await openScene(open)
    route = await scene.anEndpoint()
  })
  afterEach(() => scene.close())

  /** Five transport failures in a row, with `waiting` more deliveries due behind them. */
  async function pause(waiting: number): Promise<void> {
    await scene.publishMany(5, { routes: [route] })
    const { deliveries } = await scene.claim()
    await scene.publishMany(waiting, { routes: [route] })
    await scene.record(...deliveries.map((delivery) => aTransportFailure(delivery, scene.now(), 600_000)))
  }

  describe('endpoint health', () => {
    it('stores nothing for an endpoint that only succeeds', async () => {
      await scene.publish({ routes: [route] })
      const result = await scene.record(anOutcome(await scene.claimOne()))
      expect(result.health).toEqual([])
      expect(await scene.store.loadHealth()).toEqual([])
    })

    it('pauses after the threshold: nothing is claimed, and waiting deliveries say why', async () => {
      await pause(1)
      const pausedUntil = scene.now() + 30_000
      expect((await scene.store.loadHealth())[0]).toEqual([
        route.endpointId,
        expect.objectContaining({ pausedUntil, consecutiveFailures: 5 }),
      ])
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: 30_000 })
      const { items } = await scene.store.listDeliveries(
        defaultTenantId,
        { state: 'pending' },
        { limit: 10, cursor: null },
      )
      expect(items[0]).toMatchObject({ reason: 'endpoint_paused', nextAttemptAt: pausedUntil })
    })

    it('names the endpoints that have only failed of late, with since when and how often in a row', async () => {
      const other = await scene.anEndpoint()
      const ids = [route.endpointId, other.endpointId]
      expect(await scene.store.listFailing(ids)).toEqual([])
      await scene.publish({ routes: [route, route] })
      const [first, second] = (await scene.claim()).deliveries as [ClaimedDelivery, ClaimedDelivery]
      const failingSince = scene.now()
      await scene.record(aTransportFailure(first, failingSince))
      expect(await scene.store.listFailing(ids)).toEqual([
        { endpointId: route.endpointId, failingSince, consecutiveFailures: 1 },
      ])
      expect(await scene.store.listFailing([other.endpointId])).toEqual([])
      await scene.record(anOutcome(second, { startedAt: scene.now() }))
      expect(await scene.store.listFailing(ids)).toEqual([])
    })

    it('counts what is in flight at each endpoint, of claims and of hand-offs, until it has an outcome', async () => {
      const [other, idle] = [await scene.anEndpoint(), await scene.anEndpoint()]
      const inFlight = async () =>
        Object.fromEntries(
          await scene.store.countInFlight(
            defaultTenantId,
            [route, other, idle].map(({ endpointId }) => endpointId),
          ),
        )
      await scene.publishMany(2, { routes: [route] })
      expect(await inFlight()).toEqual({})
      const { deliveries } = await scene.claim()
      await scene.publish({ routes: [other], handOff: true })
      expect(await inFlight()).toEqual({ [route.endpointId]: 2, [other.endpointId]: 1 })
      await scene.record(anOutcome(deliveries[0] as ClaimedDelivery))
      expect(await inFlight()).toEqual({ [route.endpointId]: 1, [other.endpointId]: 1 })
      await scene.advance(120_000)
      await scene.store.foldCounts({ limit: 1000 })
      expect(await inFlight()).toEqual({ [route.endpointId]: 1, [other.endpointId]: 1 })
      expect(await scene.store.countInFlight(defaultTenantId, [])).toEqual(new Map())
    })

    it('names the endpoints that are held back, with the end, as long as they are', async () => {
      const other = await scene.anEndpoint()
      const ids = [route.endpointId, other.endpointId]
      expect(await scene.store.listHeldEndpoints(ids)).toEqual([])
      await pause(1)
      expect(await scene.store.listHeldEndpoints(ids)).toEqual([
        { endpointId: route.endpointId, state: 'paused', until: scene.now() + 30_000 },
      ])
      expect(await scene.store.listHeldEndpoints([other.endpointId])).toEqual([])
      expect(await scene.store.listHeldEndpoints([])).toEqual([])
      await scene.advance(30_000)
      expect(await scene.store.listHeldEndpoints(ids)).toEqual([])
    })

    it('holds back an endpoint that asks for less, until then and whatever earlier requests come to', async () => {
      await scene.publish({ routes: [route, route, route] })
      const [refused, early, later] = (await scene.claim()).deliveries as [
        ClaimedDelivery,
        ClaimedDelivery,
        ClaimedDelivery,
      ]
      const startedAt = scene.now()
      const askedForLess = { contact: 'reached', succeeded: false, startedAt, throttleMs: 2000 } as const
      await scene.record(anOutcome(refused, { next: retryIn(1000), startedAt, observation: askedForLess }))
      const until = scene.now() + 2000
      await scene.record(anOutcome(early, { startedAt }))
      expect(await scene.store.listHeldEndpoints([route.endpointId])).toEqual([
        { endpointId: route.endpointId, state: 'throttled', until },
      ])
      expect(await scene.delivery(refused.id)).toMatchObject({
        state: 'retry_scheduled',
        reason: 'endpoint_paused',
        nextAttemptAt: until,
      })
      await scene.publish({ routes: [route, route] })
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: 2000 })
      await scene.advance(2000)
      const [probe, ...others] = (await scene.claim()).deliveries as [ClaimedDelivery, ...ClaimedDelivery[]]
      expect(others).toEqual([])
      await scene.record(anOutcome(probe, { startedAt: scene.now() }))
      expect(await scene.store.listHeldEndpoints([route.endpointId])).toEqual([])
      expect((await scene.claim()).deliveries).toHaveLength(2)
      expect((await scene.record(anOutcome(later, { startedAt }))).recorded).toEqual([true])
    })

    it('grants no hand-off to a paused endpoint and wakes nobody before the pause ends', async () => {
      await pause(0)
      const { result } = await scene.publish({ routes: [route], handOff: true })
      expect(result).toEqual({ kind: 'published', handedOff: [false] })
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: 30_000 })
    })

    it('lets one probe go after the pause, whatever is published meanwhile', async () => {
      await pause(10)
      await scene.advance(30_000)
      expect((await scene.claim()).deliveries).toHaveLength(1)
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: leaseMs })
      const { result } = await scene.publish({ routes: [route], handOff: true })
      expect(result).toEqual({ kind: 'published', handedOff: [false] })
      expect((await scene.claim()).deliveries).toEqual([])
    })

    it('resumes with the success of the probe', async () => {
      await pause(10)
      await scene.advance(30_000)
      const result = await scene.record(anOutcome(await scene.claimOne()))
      expect(result.health).toEqual([[route.endpointId, null]])
      expect((await scene.claim()).deliveries).toHaveLength(9)
    })

    it('doubles the pause with the failure of the probe', async () => {
      await pause(10)
      await scene.advance(30_000)
      await scene.record(aTransportFailure(await scene.claimOne(), scene.now()))
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: 60_000 })
    })

    it('probes again at once when the probe was given back', async () => {
      await pause(2)
      await scene.advance(30_000)
      const probe = await scene.claimOne()
      await scene.store.release([{ deliveryId: probe.id, claimVersion: probe.claimVersion, delayMs: 0 }])
      expect((await scene.claim()).deliveries).toHaveLength(1)
    })

    it('probes again when the lease of the probe ran out', async () => {
      await pause(2)
      await scene.advance(30_000)
      await scene.claimOne()
      await scene.advance(leaseMs)
      expect((await scene.claim()).deliveries).toHaveLength(1)
    })

    it('disables an endpoint that has only failed for too long', async () => {
      await scene.publishMany(2, { routes: [route] })
      const [first, second] = (await scene.claim({ leaseMs: 10 * 86_400_000 })).deliveries
      if (first === undefined || second === undefined) throw new Error('two were due')
      await scene.record(anOutcome(first, { next: { state: 'retry_scheduled', delayMs: 1 } }))
      await scene.advance(5 * 86_400_000)
      const result = await scene.record(anOutcome(second, { next: { state: 'retry_scheduled', delayMs: 1 } }))
      expect(result.disabled).toEqual([
        { tenantId: defaultTenantId, endpointId: route.endpointId, reason: 'failing' },
      ])
    })

    it('forgets the failures of an endpoint that is enabled again', async () => {
      await pause(0)
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: null })
      expect(await scene.store.loadHealth()).toEqual([])
    })
  })
}
