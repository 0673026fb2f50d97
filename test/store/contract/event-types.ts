/** The catalogues of event types. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventTypeLimits, serverCatalogueId } from '../../../src/core/event-type.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { defaultTenantSettings } from '../../../src/core/tenant.ts'
import type { EventTypePut, NewEventType } from '../../../src/store/port.ts'
import { type OpenHarness, openScene, type Scene } from './scene.ts'
import { removeTenants } from './tenant-removal.ts'

const page = { limit: 10, cursor: null }
const anEventType = (given: Partial<NewEventType> = {}): NewEventType => ({
  name: 'orders.created',
  description: '',
  group: null,
  schema: null,
  example: null,
  deprecated: false,
  mode: 'off',
  ...given,
})

export function describeEventTypes(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const aTenant = async () => {
    const id = scene.ids.next('ten')
    await scene.store.insertTenant({ id, uid: id, name: '', metadata: null, settings: defaultTenantSettings })
    return id
  }
  const insert = async (catalogueId: string, given: Partial<NewEventType> = {}) => {
    const result = await scene.store.insertEventType(catalogueId, anEventType(given))
    if (result.kind !== 'inserted') throw new Error(result.kind)
    return result.eventType
  }
  const namesOf = async (...[catalogueId, filter, given]: Parameters<Scene['store']['listEventTypes']>) => {
    const { items, nextCursor } = await scene.store.listEventTypes(catalogueId, filter, given)
    return { names: items.map(({ name }) => name), nextCursor }
  }

  describe('event types', () => {
    it('keeps one of the server as it was given, and shows it to every tenant', async () => {
      const { store } = scene
      const given = {
        description: 'An order\nwas made',
        group: 'Orders',
        schema: '{"type":"object"}',
        example: '{"id":1}',
        deprecated: true,
        mode: 'warn',
      } as const
      const made = await insert(serverCatalogueId, given)
      expect(made).toMatchObject({ name: 'orders.created', tenantId: null, ...given, createdAt: scene.now() })
      const tenantId = await aTenant()
      expect(await store.getEventType(tenantId, 'orders.created')).toEqual(made)
      expect(await store.getEventType(serverCatalogueId, 'orders.created')).toEqual(made)
      expect(await store.getEventType(tenantId, 'orders.other')).toBeNull()
    })

    it('a type of a tenant holds in place of the server’s of that name, for that tenant alone, until it is deleted', async () => {
      const { store } = scene
      const ofServer = await insert(serverCatalogueId, { description: 'of all' })
      const tenantId = await aTenant()
      const own = await insert(tenantId, { description: 'own' })
      expect(own.tenantId).toBe(tenantId)
      expect(await store.getEventType(tenantId, 'orders.created')).toEqual(own)
      expect(await store.getEventType(defaultTenantId, 'orders.created')).toEqual(ofServer)
      expect((await store.listEventTypes(tenantId, {}, page)).items).toEqual([own])
      expect((await store.listEventTypes(serverCatalogueId, {}, page)).items).toEqual([ofServer])
      expect(await store.deleteEventType(tenantId, 'orders.created')).toBe(true)
      expect(await store.deleteEventType(tenantId, 'orders.created')).toBe(false)
      expect(await store.getEventType(tenantId, 'orders.created')).toEqual(ofServer)
    })

    it('lists by name in pages, and by group, by deprecation, and without the server’s', async () => {
      const tenantId = await aTenant()
      // The order is that of the bytes of UTF-8, whatever the language of the database.
      for (const name of ['b', 'a.ä', 'Z', 'a.b', '🎈']) await insert(serverCatalogueId, { name, group: 'G' })
      await insert(tenantId, { name: 'c', deprecated: true })
      const first = await namesOf(tenantId, {}, { limit: 4, cursor: null })
      expect(first.names).toEqual(['Z', 'a.b', 'a.ä', 'b'])
      const second = await namesOf(tenantId, {}, { limit: 4, cursor: first.nextCursor })
      expect(second).toEqual({ names: ['c', '🎈'], nextCursor: '' })
      expect((await namesOf(tenantId, { group: 'G' }, page)).names).toEqual(['Z', 'a.b', 'a.ä', 'b', '🎈'])
      expect((await namesOf(tenantId, { group: 'G', own: true }, page)).names).toEqual([])
      expect((await namesOf(tenantId, { own: true }, page)).names).toEqual(['c'])
      expect((await namesOf(tenantId, { deprecated: true }, page)).names).toEqual(['c'])
      expect((await namesOf(tenantId, { deprecated: false }, { limit: 1, cursor: null })).names).toEqual([
        'Z',
      ])
      await expect(namesOf(tenantId, {}, { limit: 1, cursor: '*' })).rejects.toMatchObject({
        code: 'bad_cursor',
      })
    })

    it('a change of a tenant’s type raises the tenant’s routing version, whose routing has what it is now', async () => {
      const { store } = scene
      const versionNow = async () => (await store.loadRouting(defaultTenantId)).version
      let version = await versionNow()
      const expectRaised = async () => {
        const now = await versionNow()
        expect(now).toBeGreaterThan(version)
        version = now
      }
      const { version: before } = await insert(defaultTenantId, { schema: 'true', mode: 'enforce' })
      await expectRaised()
      const types = [{ name: 'orders.created', mode: 'enforce', schema: 'true' }]
      expect((await store.loadRouting(defaultTenantId)).eventTypes).toEqual(types)
      const updated = await store.updateEventType(defaultTenantId, 'orders.created', { mode: 'off' })
      expect(updated).toMatchObject({ kind: 'updated', eventType: { mode: 'off', schema: 'true' } })
      await expectRaised()
      const off = [{ name: 'orders.created', mode: 'off', schema: null }]
      expect((await store.loadRouting(defaultTenantId)).eventTypes).toEqual(off)
      const stale = { ifMatch: before }
      const late = store.updateEventType(defaultTenantId, 'orders.created', { group: 'a' }, stale)
      await expect(late).rejects.toMatchObject({ code: 'version_conflict' })
      const lateDelete = store.deleteEventType(defaultTenantId, 'orders.created', stale)
      await expect(lateDelete).rejects.toMatchObject({ code: 'version_conflict' })
      expect(await versionNow()).toBe(version)
      await store.deleteEventType(defaultTenantId, 'orders.created')
      await expectRaised()
      expect((await store.loadRouting(defaultTenantId)).eventTypes).toEqual([])
    })

    it('a change of the server’s type raises the version of its catalogue and of no tenant’s routing', async () => {
      const { store } = scene
      const routed = (await store.loadRouting(defaultTenantId)).version
      const versions = [await store.serverEventTypesVersion()]
      await insert(serverCatalogueId, { schema: '{}', mode: 'warn' })
      versions.push((await store.loadServerEventTypes()).version)
      await store.updateEventType(serverCatalogueId, 'orders.created', { deprecated: true })
      versions.push(await store.serverEventTypesVersion())
      const types = [{ name: 'orders.created', mode: 'warn', schema: '{}' }]
      expect(await store.loadServerEventTypes()).toEqual({ version: versions[2], types })
      await store.deleteEventType(serverCatalogueId, 'orders.created')
      versions.push(await store.serverEventTypesVersion())
      expect(new Set(versions).size).toBe(4)
      expect((await store.loadRouting(defaultTenantId)).version).toBe(routed)
      expect((await store.listTenants(page)).items.map(({ id }) => id)).not.toContain(serverCatalogueId)
    })

    it('refuses a second one of a name, one of a deleted tenant, and a change of what is not there', async () => {
      const { store } = scene
      await insert(serverCatalogueId)
      expect(await store.insertEventType(serverCatalogueId, anEventType())).toEqual({ kind: 'name_exists' })
      const tenantId = await aTenant()
      expect(await store.updateEventType(tenantId, 'orders.created', { mode: 'off' })).toBeNull()
      await insert(tenantId)
      await store.deleteTenant(tenantId)
      expect(await store.insertEventType(tenantId, anEventType({ name: 'b' }))).toEqual({
        kind: 'tenant_deleted',
      })
      const options = { modeOfNew: 'off', dryRun: false } as const
      expect(await store.putEventTypes(tenantId, [{ name: 'b' }], options)).toEqual({
        kind: 'tenant_deleted',
      })
      await removeTenants(scene)
      expect((await store.listEventTypes(tenantId, { own: true }, page)).items).toEqual([])
      expect((await store.listEventTypes(serverCatalogueId, {}, page)).items).toHaveLength(1)
    })

    it('puts many at once: makes, changes and leaves them, says which, and with a dry run does nothing', async () => {
      const { store } = scene
      await insert(serverCatalogueId, { name: 'a', schema: '{}', mode: 'enforce', group: 'Mine' })
      await insert(serverCatalogueId, { name: 'b', description: 'as it is' })
      const puts: readonly EventTypePut[] = [
        { name: 'a', schema: '{"type":"object"}', deprecated: true },
        { name: 'b', description: 'as it is' },
        { name: 'c', schema: 'true', description: 'new' },
        { name: 'd', description: 'without a schema' },
      ]
      const options = { modeOfNew: 'warn', dryRun: true } as const
      const expected = { kind: 'put', results: ['changed', 'unchanged', 'created', 'created'] }
      const version = await store.serverEventTypesVersion()
      expect(await store.putEventTypes(serverCatalogueId, puts, options)).toEqual(expected)
      expect(await store.serverEventTypesVersion()).toBe(version)
      expect(await store.getEventType(serverCatalogueId, 'c')).toBeNull()
      const real = { ...options, dryRun: false }
      expect(await store.putEventTypes(serverCatalogueId, puts, real)).toEqual(expected)
      const { items } = await store.listEventTypes(serverCatalogueId, {}, page)
      expect(items).toMatchObject([
        { name: 'a', schema: '{"type":"object"}', deprecated: true, mode: 'enforce', group: 'Mine' },
        { name: 'b', description: 'as it is' },
        { name: 'c', schema: 'true', mode: 'warn' },
        { name: 'd', schema: null, mode: 'off' },
      ])
      const raised = await store.serverEventTypesVersion()
      const again = await store.putEventTypes(serverCatalogueId, puts, real)
      expect(again).toEqual({ kind: 'put', results: puts.map(() => 'unchanged') })
      expect(await store.serverEventTypesVersion()).toBe(raised)
    })

    it('bounds a catalogue by the number of its types and by the bytes of its schemas and examples, all or nothing', async () => {
      const { store } = scene
      const { maxTypes, maxCatalogueBytes } = eventTypeLimits
      const options = { modeOfNew: 'off', dryRun: false } as const
      const puts = Array.from({ length: maxTypes }, (_, index) => ({ name: `t${index}` }))
      const put = await store.putEventTypes(serverCatalogueId, [...puts, { name: 'more' }], options)
      expect(put).toEqual({ kind: 'too_many' })
      expect((await store.listEventTypes(serverCatalogueId, {}, page)).items).toEqual([])
      expect(await store.putEventTypes(serverCatalogueId, puts, options)).toMatchObject({ kind: 'put' })
      expect(await store.insertEventType(serverCatalogueId, anEventType())).toEqual({ kind: 'too_many' })
      const half = JSON.stringify('x'.repeat(maxCatalogueBytes / 2 - 2))
      const update = (name: string) => store.updateEventType(serverCatalogueId, name, { example: half })
      expect(await update('t0')).toMatchObject({ kind: 'updated' })
      expect(await update('t1')).toMatchObject({ kind: 'updated' })
      expect(await update('t2')).toEqual({ kind: 'too_large' })
      // Of a full one the others can still be changed.
      const changed = await store.updateEventType(serverCatalogueId, 't2', { deprecated: true })
      expect(changed).toMatchObject({ kind: 'updated' })
      const tenantId = await aTenant()
      expect(await store.insertEventType(tenantId, anEventType())).toMatchObject({ kind: 'inserted' })
    })
  })
}
