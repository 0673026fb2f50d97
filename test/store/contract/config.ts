import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import { retryProfiles } from '../../../src/core/retry-policy.ts'
import { defaultTenantSettings } from '../../../src/core/tenant.ts'
import { type OpenHarness, openScene, type Scene } from './scene.ts'

export function describeConfig(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())
  const page = { limit: 10, cursor: null }
  const applyAll = async (): Promise<void> => {
    while ((await scene.store.applyConfigChanges({ limit: 500 })).more);
  }

  describe('configuration', () => {
    it('counts the retry profiles that live tenants, endpoints and subscriptions name', async () => {
      const { store, ids } = scene
      expect(await store.countRetryProfiles()).toEqual([])
      const [one, two, gone] = [await scene.anEndpoint(), await scene.anEndpoint(), await scene.anEndpoint()]
      const { tenantId } = one
      for (const { endpointId } of [one, two, gone]) {
        await store.updateEndpoint(tenantId, endpointId, { retryPolicy: 'gentle' })
      }
      await store.deleteEndpoint(tenantId, gone.endpointId)
      await store.updateSubscription(tenantId, one.subscriptionId, { retryPolicy: 'gentle' })
      const own = { ...retryProfiles.standard, maxAttempts: 3 }
      await store.updateSubscription(tenantId, two.subscriptionId, { retryPolicy: own })
      const settings = { ...defaultTenantSettings, retryPolicy: 'dograh' }
      const id = ids.next('ten')
      await store.insertTenant({ id, uid: null, name: '', metadata: null, settings })
      expect(await store.countRetryProfiles()).toEqual([
        { name: 'dograh', tenants: 1, endpoints: 0, subscriptions: 0 },
        { name: 'gentle', tenants: 0, endpoints: 2, subscriptions: 1 },
      ])
    })

    it('raises the routing version with every change, and loads one snapshot', async () => {
      const { store } = scene
      const versions = [(await store.loadRouting(defaultTenantId)).version]
      const route = await scene.anEndpoint()
      versions.push((await store.loadRouting(defaultTenantId)).version)
      await store.updateEndpoint(defaultTenantId, route.endpointId, { description: 'new' })
      versions.push((await store.loadRouting(defaultTenantId)).version)
      await store.updateSubscription(defaultTenantId, route.subscriptionId, { topicPatterns: ['a.*'] })
      versions.push((await store.loadRouting(defaultTenantId)).version)
      await store.rotateSecret(
        defaultTenantId,
        route.endpointId,
        { id: scene.ids.next('sec'), sealed: Uint8Array.of(9) },
        1000,
      )
      const routing = await store.loadRouting(defaultTenantId)
      versions.push(routing.version)
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b))
      expect(versions).toHaveLength(5)
      expect(routing.endpoints.map((endpoint) => endpoint.id)).toEqual([route.endpointId])
      expect(routing.subscriptions[0]).toMatchObject({
        id: route.subscriptionId,
        topicPatterns: ['a.*'],
        filter: null,
        headers: {},
        own: true,
      })
      expect(routing.secrets.map((secret) => secret.sealed)).toEqual([
        Uint8Array.of(9),
        Uint8Array.of(1, 2, 3),
      ])
    })

    it('keeps tenants apart', async () => {
      const tenantId = scene.ids.next('ten')
      const other = await scene.anEndpoint({ tenantId })
      expect((await scene.store.loadRouting(defaultTenantId)).endpoints).toEqual([])
      expect(await scene.store.getEndpoint(defaultTenantId, other.endpointId)).toBeNull()
      expect(await scene.store.deleteEndpoint(defaultTenantId, other.endpointId)).toBe(false)
      expect((await scene.store.loadRouting(tenantId)).endpoints).toHaveLength(1)
    })

    it('lets earlier secrets sign until the grace ends', async () => {
      const route = await scene.anEndpoint()
      await scene.store.rotateSecret(
        defaultTenantId,
        route.endpointId,
        { id: scene.ids.next('sec'), sealed: Uint8Array.of(9) },
        5000,
      )
      await scene.advance(5000)
      const { secrets } = await scene.store.loadRouting(defaultTenantId)
      expect(secrets.map((secret) => secret.sealed)).toEqual([Uint8Array.of(9)])
    })

    it('updates the members that are given and leaves the others', async () => {
      const route = await scene.anEndpoint({ uid: 'billing', headers: { 'x-a': '1' } })
      await scene.advance(10)
      const result = await scene.store.updateEndpoint(defaultTenantId, route.endpointId, {
        url: 'https://b.example/',
        uid: null,
      })
      expect(result).toMatchObject({
        kind: 'updated',
        endpoint: {
          url: 'https://b.example/',
          uid: null,
          method: 'POST',
          headers: { 'x-a': '1' },
          contentType: null,
          timeoutMs: null,
          updatedAt: scene.now(),
          createdAt: scene.now() - 10,
        },
      })
    })

    it('keeps what requests to an endpoint and of a subscription are like', async () => {
      const own = {
        method: 'PUT',
        contentType: 'a/b; c=d',
        timeoutMs: 60_000,
        moreUrls: ['https://b.example/', 'https://c.example/'],
        failOver: true,
      } as const
      const { endpointId, subscriptionId } = await scene.anEndpoint(own)
      const headers = { 'x-a': '1', 'x-b': 'z~' }
      await scene.store.updateSubscription(defaultTenantId, subscriptionId, { headers })
      const routing = await scene.store.loadRouting(defaultTenantId)
      expect(routing).toMatchObject({ endpoints: [own], subscriptions: [{ headers }] })
      const other = {
        method: 'GET',
        contentType: null,
        timeoutMs: null,
        moreUrls: [],
        failOver: false,
      } as const
      await scene.store.updateEndpoint(defaultTenantId, endpointId, other)
      await scene.store.updateEndpoint(defaultTenantId, endpointId, {
        ownSubscription: { id: scene.ids.next('sub'), topicPatterns: ['x'] },
      })
      expect(await scene.store.getEndpoint(defaultTenantId, endpointId)).toMatchObject(other)
      expect(await scene.store.getSubscription(defaultTenantId, subscriptionId)).toMatchObject({ headers })
      await scene.store.updateSubscription(defaultTenantId, subscriptionId, { headers: {} })
      expect((await scene.store.getSubscription(defaultTenantId, subscriptionId))?.headers).toEqual({})
    })

    it('finds an endpoint by its uid and refuses the same uid twice, until the first is deleted', async () => {
      const first = await scene.anEndpoint({ uid: 'billing' })
      const second = await scene.anEndpoint()
      expect((await scene.store.getEndpointByUid(defaultTenantId, 'billing'))?.id).toBe(first.endpointId)
      const conflict = { kind: 'uid_exists', endpointId: first.endpointId }
      expect(
        await scene.store.updateEndpoint(defaultTenantId, second.endpointId, { uid: 'billing' }),
      ).toEqual(conflict)
      await scene.store.deleteEndpoint(defaultTenantId, first.endpointId)
      expect(
        await scene.store.updateEndpoint(defaultTenantId, second.endpointId, { uid: 'billing' }),
      ).toMatchObject({ kind: 'updated' })
    })

    it('replaces the patterns of the own subscription, its policy only when given, and touches no other', async () => {
      const route = await scene.anEndpoint()
      const other = scene.ids.next('sub')
      await scene.store.insertSubscription({
        id: other,
        tenantId: defaultTenantId,
        endpointId: route.endpointId,
        topicPatterns: ['b'],
        filter: null,
        headers: { 'x-a': '1' },
        retryPolicy: 'hookrail',
        ordered: false,
        active: true,
        own: false,
      })
      const own = { id: scene.ids.next('sub'), topicPatterns: ['c.*'] }
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, {
        ownSubscription: { ...own, retryPolicy: 'dograh' },
      })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, {
        ownSubscription: { ...own, topicPatterns: ['d'] },
      })
      const { items } = await scene.store.listSubscriptions(defaultTenantId, page)
      expect(items.map(({ id, topicPatterns, retryPolicy }) => [id, topicPatterns, retryPolicy])).toEqual([
        [other, ['b'], 'hookrail'],
        [route.subscriptionId, ['d'], 'dograh'],
      ])
    })

    it('makes the own subscription when there is none', async () => {
      const route = await scene.anEndpoint()
      await scene.store.deleteSubscription(defaultTenantId, route.subscriptionId)
      const id = scene.ids.next('sub')
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, {
        ownSubscription: { id, topicPatterns: ['x'] },
      })
      expect(await scene.store.getSubscription(defaultTenantId, id)).toMatchObject({
        own: true,
        ordered: false,
        active: true,
        topicPatterns: ['x'],
        filter: null,
        headers: {},
      })
    })

    it('subscribes no deleted endpoint', async () => {
      const route = await scene.anEndpoint()
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      const result = await scene.store.insertSubscription({
        id: scene.ids.next('sub'),
        tenantId: defaultTenantId,
        endpointId: route.endpointId,
        topicPatterns: ['*'],
        filter: null,
        headers: {},
        retryPolicy: null,
        ordered: false,
        active: true,
        own: false,
      })
      expect(result).toEqual({ kind: 'endpoint_not_available' })
    })

    it('sets a meta value once', async () => {
      expect(await scene.store.setMetaOnce('check', 'a')).toBe('a')
      expect(await scene.store.setMetaOnce('check', 'b')).toBe('a')
    })
  })

  describe('deleting, disabling, enabling', () => {
    it('hides a deleted endpoint and its subscriptions unless asked', async () => {
      const route = await scene.anEndpoint()
      expect(await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)).toBe(true)
      expect(await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)).toBe(false)
      expect(await scene.store.getEndpoint(defaultTenantId, route.endpointId)).toBeNull()
      expect(
        await scene.store.getEndpoint(defaultTenantId, route.endpointId, { includeDeleted: true }),
      ).toMatchObject({ deletedAt: scene.now() })
      expect((await scene.store.listEndpoints(defaultTenantId, page)).items).toEqual([])
      expect(
        (await scene.store.listEndpoints(defaultTenantId, { ...page, includeDeleted: true })).items,
      ).toHaveLength(1)
      expect(await scene.store.getSubscription(defaultTenantId, route.subscriptionId)).toBeNull()
    })

    it('cancels what waits for a deleted endpoint', async () => {
      const route = await scene.anEndpoint()
      const { deliveryId } = await scene.publish({ routes: [route] })
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      expect(await scene.delivery(deliveryId)).toMatchObject({ state: 'cancelled', nextAttemptAt: null })
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: null })
    })

    it('lets nothing of a deleted endpoint be claimed while the rest is being cancelled', async () => {
      const route = await scene.anEndpoint()
      await scene.publishMany(1500, { routes: [route] })
      await scene.store.deleteEndpoint(defaultTenantId, route.endpointId)
      expect((await scene.store.counts()).deliveries).toMatchObject({ cancelled: 1000, pending: 500 })
      expect((await scene.claim()).deliveries).toEqual([])
      await applyAll()
      expect((await scene.store.counts()).deliveries).toMatchObject({ cancelled: 1500, pending: 0 })
      expect((await scene.claim()).nextDueMs).toBeNull()
    })

    it('cancels the deliveries of a deleted subscription and no other of its endpoint', async () => {
      const route = await scene.anEndpoint()
      const subscriptionId = scene.ids.next('sub')
      await scene.store.insertSubscription({
        id: subscriptionId,
        tenantId: defaultTenantId,
        endpointId: route.endpointId,
        topicPatterns: ['*'],
        filter: null,
        headers: {},
        retryPolicy: null,
        ordered: false,
        active: true,
        own: false,
      })
      await scene.publishMany(700, { routes: [route, { ...route, subscriptionId }] })
      await scene.store.deleteSubscription(defaultTenantId, subscriptionId)
      const { deliveries } = await scene.claim({ limit: 1000 })
      expect(deliveries.filter((delivery) => delivery.subscriptionId === subscriptionId)).toEqual([])
      await applyAll()
      expect((await scene.store.counts()).deliveries).toMatchObject({ cancelled: 700 })
      expect(deliveries.length + (await scene.claim({ limit: 1000 })).deliveries.length).toBe(700)
    })

    it('parks all that waits for a disabled endpoint, and makes it due when it is enabled', async () => {
      const route = await scene.anEndpoint()
      await scene.publishMany(1500, { routes: [route] })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      expect((await scene.claim()).deliveries).toEqual([])
      await applyAll()
      expect(await scene.claim()).toMatchObject({ deliveries: [], nextDueMs: null })
      const parked = await scene.store.listDeliveries(defaultTenantId, {}, page)
      expect(parked.items[0]).toMatchObject({
        state: 'pending',
        reason: 'endpoint_disabled',
        nextAttemptAt: null,
      })

      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: null })
      await applyAll()
      expect((await scene.claim({ limit: 2000, leaseMs: 60_000 })).deliveries).toHaveLength(1000)
    })

    it('goes by what the endpoint is last when it changes to and fro', async () => {
      const route = await scene.anEndpoint()
      await scene.publishMany(1500, { routes: [route] })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: null })
      await scene.store.updateEndpoint(defaultTenantId, route.endpointId, { disabledReason: 'operator' })
      await applyAll()
      const { deliveries } = await scene.claim({ limit: 2000 })
      expect(deliveries).toEqual([])
    })
  })
}
