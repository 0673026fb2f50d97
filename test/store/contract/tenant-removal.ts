import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noHealthSettings } from '../../../src/core/health-settings.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { defaultTenantSettings, removalPhases, type TenantRemovalProgress } from '../../../src/core/tenant.ts'
import { aNotice } from './delivery-notices.ts'
import { aSend } from './direct.ts'
import {
  aKey,
  anOutcome,
  aTransportFailure,
  deadLetter,
  leaseMs,
  type OpenHarness,
  openScene,
  type Route,
  retryIn,
  type Scene,
} from './scene.ts'

const page = { limit: 200, cursor: null }

/** Calls until the store says that nothing is left, and lets time pass where it waits; how often it waited. */
export async function removeTenants({ store, advance }: Scene, limit = 100): Promise<number> {
  let waits = 0
  for (;;) {
    const { open, more } = await store.removeDeletedTenants({ limit })
    if (!open) return waits
    if (more) continue
    waits++
    if (waits > 100) throw new Error('the removal waits for ever')
    await advance(1000)
  }
}

/** A tenant with something in every table: what waits, is under way, has ended in each way, and is still to be made. */
export async function aFullTenant(scene: Scene) {
  const { store, ids } = scene
  const tenantId = ids.next('ten')
  await store.insertTenant({
    id: tenantId,
    uid: `uid-${tenantId}`,
    name: 'Acme',
    metadata: { plan: 'pro' },
    settings: { ...defaultTenantSettings, retainPayloadsMs: 1000 },
  })
  await fillLines(scene, tenantId)
  const route = await scene.anEndpoint({ tenantId, rateLimitRps: 1000 })
  const other = await scene.anEndpoint({ tenantId })
  const sends = [
    await aSend(scene, { tenantId }),
    await aSend(scene, { tenantId, url: 'https://b.example/' }),
  ]
  await store.publish(sends, { leaseMs })
  const [failing, dying] = (await scene.claim()).deliveries
  if (failing === undefined || dying === undefined) throw new Error('no sends were claimed')
  await scene.record(aTransportFailure(failing, scene.now(), 86_400_000))
  await scene.record({ ...anOutcome(dying, { next: deadLetter }), notice: aNotice(dying) })
  const publish = async (given: { routes: readonly Route[]; handOff?: boolean; key?: string }) =>
    scene.publish({
      ...given,
      idempotency:
        given.key === undefined
          ? null
          : { scope: '', key: given.key, hash: Uint8Array.of(1), ttlMs: 86_400_000 },
    })
  await publish({ routes: [route], key: 'a' })
  const delivered = await scene.claimOne()
  await scene.record(anOutcome(delivered, { next: retryIn(0) }))
  await scene.record(anOutcome(await scene.claimOne()))
  await publish({ routes: [route], key: 'b' })
  await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
  await publish({ routes: [route] })
  await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(60_000) }))
  const underWay = await publish({ routes: [other], handOff: true })
  const waiting = await publish({ routes: [route, other] })
  await scene.publish({ routes: [route], deliverInMs: 86_400_000 })
  const parked = await scene.publish({ routes: [other], parked: 'endpoint_disabled' })
  await store.publish([await aSend(scene, { tenantId, url: 'https://c.example/' })], { leaseMs })
  const large = await scene.publish({ receivers: Array.from({ length: 250 }, () => other) })
  await scene.fanOutSlice(100)
  await store.insertApiKey({ key: aKey(ids, { tenantId }), hash: new TextEncoder().encode(tenantId) })
  await store.putEventTypes(tenantId, [{ name: 'orders.created' }], { modeOfNew: 'off', dryRun: false })
  const filter = { endpointId: route.endpointId }
  await store.insertJob({ id: ids.next('job'), tenantId, kind: 'replay', filter, rate: null })
  return { tenantId, route, other, underWay, waiting, parked, large }
}

/** A line whose head blocks it, and one whose head was skipped and whose next one waits for another attempt. Nothing is due. */
async function fillLines(scene: Scene, tenantId: string): Promise<void> {
  const { store } = scene
  const ordered = await scene.anEndpoint({ tenantId, ordered: true })
  const publish = (orderingKey: string) => scene.publish({ routes: [ordered], orderingKey })
  for (let behind = 0; behind < 3; behind++) await publish('blocked')
  await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
  for (let behind = 0; behind < 3; behind++) await publish('skipped')
  const skipped = await scene.claimOne()
  await scene.record(anOutcome(skipped, { next: deadLetter }))
  await store.skipDelivery(tenantId, skipped.id, 'skipped')
  await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(86_400_000) }))
}

/** What the store still tells of the tenant. */
export async function leftOf({ store }: Scene, tenantId: string) {
  const lists = await Promise.all([
    store.listEvents(tenantId, {}, page),
    store.listDeliveries(tenantId, {}, page),
    store.listDeadLetters(tenantId, {}, page),
    store.listEndpoints(tenantId, { ...page, includeDeleted: true }),
    store.listSubscriptions(tenantId, { ...page, includeDeleted: true }),
    store.listJobs(tenantId, {}, page),
    store.listOrderedKeys(tenantId, {}, page),
  ])
  return lists.map(({ items }) => items.length)
}

export function describeTenantRemoval(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  describe('a deleted tenant', () => {
    it('takes nothing more from then on, and nothing of it is claimed', async () => {
      const { store, ids } = scene
      const { tenantId, route, waiting } = await aFullTenant(scene)
      const { version } = await store.loadRouting(tenantId)
      const late = await scene.anEvent({ routes: [route], routingVersion: version })
      expect(await store.deleteTenant(tenantId)).toMatchObject({
        deletedAt: scene.now(),
        removed: { events: 0 },
      })
      expect(await store.deleteTenant(tenantId)).toMatchObject({ deletedAt: scene.now() })
      expect(await store.publish([late], { leaseMs })).toEqual([{ kind: 'stale_routing' }])
      const routing = await store.loadRouting(tenantId)
      expect(routing).toMatchObject({
        tenant: { deleted: true },
        endpoints: [],
        subscriptions: [],
        secrets: [],
      })
      expect(await store.getTenantByUid(`uid-${tenantId}`)).toBeNull()
      expect(await store.updateTenant(tenantId, { name: 'again' })).toBeNull()
      const endpoint = {
        id: ids.next('ep'),
        tenantId,
        uid: null,
        kind: 'http',
        url: 'https://receiver.example/',
        moreUrls: [],
        failOver: false,
        sealedUrl: null,
        settings: null,
        description: '',
        method: 'POST',
        headers: {},
        contentType: null,
        timeoutMs: null,
        signingSchemes: ['none'],
        maxInFlight: 1,
        rateLimitRps: null,
        credentialId: null,
        clientCertificateId: null,
        retryPolicy: null,
        ...noHealthSettings,
      } as const
      const secret = { id: ids.next('sec'), sealed: Uint8Array.of(1) }
      expect(await store.insertEndpoint({ endpoint, secret, subscription: null })).toEqual({
        kind: 'tenant_deleted',
      })
      expect((await scene.claim()).deliveries).toEqual([])
      expect((await store.getDelivery(tenantId, waiting.deliveryId))?.state).toBe('cancelled')
    })

    it('is removed with all that belongs to it, after what was under way has ended, and nothing else is', async () => {
      const { store } = scene
      const kept = await aFullTenant(scene)
      for (let more = true; more; ) {
        const { deliveries } = await scene.claim()
        await scene.record(...deliveries.map((delivery) => anOutcome(delivery)))
        more = deliveries.length > 0
      }
      await scene.record(anOutcome({ id: kept.underWay.deliveryId, claimVersion: 1, attemptCount: 0 }))
      const before = await leftOf(scene, kept.tenantId)
      const lines = await store.countOrderedKeys()
      expect(lines).toMatchObject({ blocked: 1 })
      const gone = await aFullTenant(scene)
      const { tenantId, underWay } = gone
      await store.deleteTenant(tenantId)
      while ((await store.removeDeletedTenants({ limit: 100 })).more);
      await scene.advance(5000)
      while ((await store.removeDeletedTenants({ limit: 100 })).more);
      expect(await store.getDelivery(tenantId, underWay.deliveryId)).toMatchObject({ state: 'in_flight' })
      const outcome = anOutcome({ id: underWay.deliveryId, claimVersion: 1, attemptCount: 0 })
      expect((await scene.record(outcome)).recorded).toEqual([true])
      await removeTenants(scene)
      expect(await leftOf(scene, tenantId)).toEqual([0, 0, 0, 0, 0, 0, 0])
      expect(await store.countOrderedKeys()).toEqual(lines)
      expect(await store.getTenant(tenantId)).toBeNull()
      expect(await store.deleteTenant(tenantId)).toBeNull()
      for (const id of [gone.route.endpointId, gone.waiting.event.id, gone.waiting.deliveryId]) {
        expect(await store.findTenantOf(id)).toBeNull()
      }
      expect((await store.listTenants(page)).items.map(({ id }) => id)).toEqual([
        kept.tenantId,
        defaultTenantId,
      ])
      expect(await leftOf(scene, kept.tenantId)).toEqual(before)
    })

    it('counts what was removed so far, slice by slice, whatever the limit', async () => {
      const { store } = scene
      const { tenantId, underWay } = await aFullTenant(scene)
      await scene.record(anOutcome({ id: underWay.deliveryId, claimVersion: 1, attemptCount: 0 }))
      const [events] = await leftOf(scene, tenantId)
      await store.deleteTenant(tenantId)
      const seen: number[] = []
      let last = await store.getTenant(tenantId)
      for (let slices = 0; last !== null && slices < 2000; slices++) {
        seen.push(last.removed?.deliveries ?? 0)
        const { more } = await store.removeDeletedTenants({ limit: 60 })
        if (!more) await scene.advance(5000)
        const now = await store.getTenant(tenantId)
        if (now === null) break
        last = now
      }
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      expect(last?.removed).toEqual({ endpoints: 3, events, deliveries: seen.at(-1) })
      expect(seen.at(-1)).toBeGreaterThan(100)
    })

    it('says in which phase its removal is, and how much is left once that is counted', async () => {
      const { store } = scene
      const { tenantId, underWay } = await aFullTenant(scene)
      const [events = 0] = await leftOf(scene, tenantId)
      await store.deleteTenant(tenantId)
      const startedAt = scene.now()
      const seen: TenantRemovalProgress[] = []
      const sums = new Set<string>()
      for (let slices = 0; slices < 2000; slices++) {
        const tenant = await store.getTenant(tenantId)
        if (tenant?.removal == null || tenant.removed === null) break
        const { removed, removal } = tenant
        seen.push(removal)
        if (removal.left !== null) {
          const { endpoints, events: ofEvents, deliveries } = removal.left
          sums.add(
            JSON.stringify([
              endpoints + removed.endpoints,
              ofEvents + removed.events,
              deliveries + removed.deliveries,
            ]),
          )
        }
        // So few at a time that events are counted in several slices.
        const { more } = await store.removeDeletedTenants({ limit: 1 + Math.floor(slices / 40) })
        if (more) continue
        await scene.record(anOutcome({ id: underWay.deliveryId, claimVersion: 1, attemptCount: 0 }))
        await scene.advance(5000)
      }
      const phases = seen.map(({ phase }) => phase)
      expect([...new Set(phases)]).toEqual(['cancelling', 'draining', 'counting', 'removing'])
      expect(phases).toEqual(phases.toSorted((a, b) => removalPhases.indexOf(a) - removalPhases.indexOf(b)))
      expect(new Set(seen.map((each) => each.startedAt))).toEqual(new Set([startedAt]))
      expect(seen.every(({ phase, left }) => (phase === 'removing') === (left !== null))).toBe(true)
      // What is gone and what is left is always the same together, and in the end nothing is left.
      expect(sums.size).toBe(1)
      expect(JSON.parse([...sums][0] ?? '[]').slice(0, 2)).toEqual([3, events])
      expect(seen.at(-1)?.left).toEqual({ endpoints: 0, events: 0, deliveries: 0 })
    })

    it('whose worker died is removed when the lease is over', async () => {
      const { store } = scene
      const { tenantId } = await aFullTenant(scene)
      await store.deleteTenant(tenantId)
      await removeTenants({
        ...scene,
        advance: async (ms) => {
          await scene.advance(ms)
          await store.reconcileReady({ limit: 100 })
          await scene.claim()
        },
      })
      expect(await leftOf(scene, tenantId)).toEqual([0, 0, 0, 0, 0, 0, 0])
    })
  })
}
