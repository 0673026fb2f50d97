import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { noHealthSettings } from '../../../src/core/health-settings.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { defaultTenantSettings, type TenantSettings } from '../../../src/core/tenant.ts'
import type { NewTenant } from '../../../src/store/port.ts'
import { dayMs, removeAll } from './retention.ts'
import { aKey, anOutcome, type OpenHarness, openScene, retryIn, type Scene } from './scene.ts'

export function describeTenants(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const aTenant = async (given: Partial<NewTenant> = {}): Promise<string> => {
    const id = scene.ids.next('ten')
    const settings = { ...defaultTenantSettings, ...given.settings }
    await scene.store.insertTenant({ id, uid: null, name: '', metadata: null, ...given, settings })
    return id
  }

  describe('tenants', () => {
    it('keeps a tenant as it was given, finds it by id and by uid, and lists the newest first', async () => {
      const settings = {
        ...defaultTenantSettings,
        retainPayloadsMs: 0,
        retryPolicy: 'hookrail',
        ingestRate: 2.5,
        maxEndpoints: 3,
        authorizedDomains: ['a.test', 'b.test'],
      }
      const id = await aTenant({ uid: 'acme', name: 'Acme Inc.', metadata: { plan: 'pro' }, settings })
      const other = await aTenant()
      const kept = await scene.store.getTenant(id)
      expect(kept).toEqual({
        id,
        uid: 'acme',
        name: 'Acme Inc.',
        metadata: { plan: 'pro' },
        settings,
        createdAt: scene.now(),
        updatedAt: scene.now(),
        deletedAt: null,
        removed: null,
        removal: null,
        version: expect.stringMatching(/^[a-zA-Z0-9_-]+$/),
      })
      expect(await scene.store.getTenantByUid('acme')).toEqual(kept)
      const first = await scene.store.listTenants({ limit: 2, cursor: null })
      expect(first.items.map((tenant) => tenant.id)).toEqual([other, id])
      const second = await scene.store.listTenants({ limit: 2, cursor: first.nextCursor })
      expect(second).toMatchObject({ items: [{ id: defaultTenantId, uid: 'default' }], nextCursor: '' })
    })

    it('changes what is given and leaves the rest, settings too, and raises the routing version', async () => {
      const settings = { ...defaultTenantSettings, ingestRate: 5, maxEndpoints: 3 }
      const id = await aTenant({ uid: 'acme', name: 'Acme', settings })
      const { version } = await scene.store.loadRouting(id)
      await scene.advance(10)
      const result = await scene.store.updateTenant(id, { settings: { maxEndpoints: null, ingestRate: 4 } })
      const changed = { ...settings, maxEndpoints: null, ingestRate: 4 }
      expect(result).toMatchObject({
        kind: 'updated',
        tenant: { uid: 'acme', name: 'Acme', settings: changed, updatedAt: scene.now() },
      })
      const routing = await scene.store.loadRouting(id)
      expect(routing.tenant).toEqual({ settings: changed, deleted: false })
      expect(routing.version).toBeGreaterThan(version)
    })

    it('gives a uid to one tenant only, and finds nothing where there is nothing', async () => {
      const { store, ids } = scene
      const first = await aTenant({ uid: 'acme' })
      const second = await aTenant({ uid: 'other' })
      const conflict = { kind: 'uid_exists', tenantId: first }
      const third = { id: ids.next('ten'), uid: 'acme', name: '', metadata: null }
      expect(await store.insertTenant({ ...third, settings: defaultTenantSettings })).toEqual(conflict)
      expect(await store.updateTenant(second, { uid: 'acme' })).toEqual(conflict)
      expect(await store.updateTenant(second, { uid: 'other' })).toMatchObject({ kind: 'updated' })
      for (const id of [third.id, 'ten_x', 'acme', 'ep_00000000000000000000000000']) {
        expect(await store.getTenant(id)).toBeNull()
        expect(await store.updateTenant(id, { name: 'x' })).toBeNull()
      }
      expect(await store.getTenantByUid('nobody')).toBeNull()
    })

    it('knows whose an object is by its id alone, wherever a delivery stands', async () => {
      const { store, ids } = scene
      const tenantId = await aTenant()
      const route = await scene.anEndpoint({ tenantId })
      const waiting = await scene.publish({ routes: [route] })
      const handedOff = await scene.publish({ routes: [route], handOff: true })
      const finished = await scene.publish({ routes: [await scene.anEndpoint()] })
      const { deliveries } = await scene.claim()
      const done = deliveries.find(({ id }) => id === finished.deliveryId)
      const again = deliveries.find(({ id }) => id === waiting.deliveryId)
      if (done === undefined || again === undefined) throw new Error('not claimed')
      await scene.record(anOutcome(done), anOutcome(again, { next: retryIn(1000) }))
      const key = aKey(ids, { tenantId })
      await store.insertApiKey({ key, hash: Uint8Array.of(1) })
      const token = aKey(ids, { kind: 'admin', tenantId })
      await store.insertApiKey({ key: token, hash: Uint8Array.of(2) })
      const ofAll = aKey(ids, { kind: 'admin', tenantId: null })
      await store.insertApiKey({ key: ofAll, hash: Uint8Array.of(3) })
      const owners = {
        [route.endpointId]: tenantId,
        [route.subscriptionId]: tenantId,
        [key.id]: tenantId,
        [token.id]: tenantId,
        [waiting.event.id]: tenantId,
        [waiting.deliveryId]: tenantId,
        [handedOff.deliveryId]: tenantId,
        [finished.event.id]: defaultTenantId,
        [finished.deliveryId]: defaultTenantId,
      }
      for (const [id, owner] of Object.entries(owners)) {
        expect([id, await store.findTenantOf(id)]).toEqual([id, owner])
      }
      const unknown = (['ep', 'sub', 'key', 'adm', 'evt', 'dlv', 'ten', 'sec'] as const).map(ids.next)
      for (const id of [ofAll.id, ...unknown, 'evt_x', 'x', '']) {
        expect([id, await store.findTenantOf(id)]).toEqual([id, null])
      }
    })

    it('lets no tenant have more endpoints than its settings allow, whoever adds them at once', async () => {
      const { store, ids } = scene
      const tenantId = await aTenant({ settings: { ...defaultTenantSettings, maxEndpoints: 3 } })
      const first = await scene.anEndpoint({ tenantId })
      const add = (uid: string | null = null) => {
        const id = ids.next('ep')
        const endpoint = {
          id,
          tenantId,
          uid,
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
        return store.insertEndpoint({ endpoint, secret, subscription: null })
      }
      const kinds = (await Promise.all(['a', 'b', 'c', 'd', 'e'].map(add))).map(({ kind }) => kind)
      expect(kinds.toSorted()).toEqual(['inserted', 'inserted', 'too_many', 'too_many', 'too_many'])
      expect(await add()).toEqual({ kind: 'too_many', maxEndpoints: 3 })
      expect((await store.listEndpoints(tenantId, { limit: 10, cursor: null })).items).toHaveLength(3)
      await store.deleteEndpoint(tenantId, first.endpointId)
      expect(await add()).toMatchObject({ kind: 'inserted' })
      await store.updateTenant(tenantId, { settings: { maxEndpoints: null } })
      expect(await add()).toMatchObject({ kind: 'inserted' })
    })

    /** An event of the tenant that was delivered at its second attempt. */
    const aDelivered = async (tenantId: string) => {
      const route = await scene.anEndpoint({ tenantId })
      const { event, deliveryId } = await scene.publish({ routes: [route] })
      await scene.record(anOutcome(await scene.claimOne(), { next: retryIn(0), startedAt: scene.now() }))
      await scene.record(anOutcome(await scene.claimOne(), { startedAt: scene.now() }))
      return {
        async left() {
          const { store } = scene
          const [payload, event_, delivery, attempts] = await Promise.all([
            store.getPayload(tenantId, event.id),
            store.getEvent(tenantId, event.id),
            store.getDelivery(tenantId, deliveryId),
            store.listAttempts([deliveryId], { withCapture: false }),
          ])
          return [
            payload && 'payload',
            event_ && 'event',
            delivery && 'delivery',
            ...attempts.map(() => 'attempt'),
          ]
            .filter((each) => each !== null)
            .join(' ')
        },
      }
    }

    it('keeps what is a tenant’s for as long as its settings say, shorter and longer than others', async () => {
      const own = (given: Partial<TenantSettings>) =>
        aTenant({ settings: { ...defaultTenantSettings, ...given } })
      const brief = await own({
        retainPayloadsMs: dayMs,
        retainAttemptsMs: 2 * dayMs,
        retainEventsMs: 3 * dayMs,
      })
      const long = await own({
        retainPayloadsMs: 0,
        retainEventsMs: 200 * dayMs,
        retainAttemptsMs: 200 * dayMs,
      })
      const asServer = await aDelivered(defaultTenantId)
      const ofBrief = await aDelivered(brief)
      const ofLong = await aDelivered(long)
      const left = async () => [await asServer.left(), await ofBrief.left(), await ofLong.left()]
      const all = 'payload event delivery attempt attempt'
      await scene.advance(dayMs)
      await removeAll(scene)
      expect(await left()).toEqual([all, 'event delivery attempt attempt', all])
      await scene.advance(dayMs)
      await removeAll(scene)
      expect(await left()).toEqual([all, 'event delivery', all])
      await scene.advance(dayMs)
      await removeAll(scene)
      expect(await left()).toEqual([all, '', all])
      await scene.advance(27 * dayMs)
      await removeAll(scene)
      expect(await left()).toEqual(['event delivery', '', all])
    })

    it('removes what a change of the settings has made too old, and keeps what it has made young', async () => {
      const tenantId = await aTenant()
      const delivered = await aDelivered(tenantId)
      await scene.advance(10 * dayMs)
      await removeAll(scene)
      await scene.store.updateTenant(tenantId, { settings: { retainPayloadsMs: dayMs } })
      expect((await removeAll(scene)).payloads).toBe(1)
      expect(await delivered.left()).toBe('event delivery attempt attempt')
      await scene.store.updateTenant(tenantId, { settings: { retainPayloadsMs: null, retainEventsMs: 0 } })
      await scene.advance(200 * dayMs)
      await removeAll(scene)
      expect(await delivered.left()).toBe('event delivery')
      await scene.store.updateTenant(tenantId, { settings: { retainEventsMs: null } })
      await removeAll(scene)
      expect(await delivered.left()).toBe('')
    })
  })
}
