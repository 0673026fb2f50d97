/** The audit log: each change leaves one line, in its own transaction. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Actor, AuditLine } from '../../../src/core/audit.ts'
import { serverCatalogueId } from '../../../src/core/event-type.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { defaultTenantSettings } from '../../../src/core/tenant.ts'
import { type AuditFilter, masterKeyCheck, type NewCredential } from '../../../src/store/port.ts'
import { acting } from '../acting.ts'
import { aKey, anOutcome, deadLetter, type OpenHarness, openScene, type Scene } from './scene.ts'

const dayMs = 86_400_000
const somebody: Actor = { kind: 'admin_token', id: 'adm_01h455vb4pex5vsknk084sn02q' }
const somebodyElse: Actor = { kind: 'portal_link', id: 'plk_01h455vb4pex5vsknk084sn02q' }

export function describeAudit(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
    acting.actor = somebody
  })
  afterEach(async () => {
    acting.actor = null
    await scene.close()
  })

  const list = async (filter: AuditFilter = {}, tenantId: string | null = null) =>
    (await scene.store.listAuditLines(tenantId, filter, { limit: 100, cursor: null })).items
  /** Newest first, what the calls since then have left. */
  let seen = 0
  beforeEach(() => {
    seen = 0
  })
  const fresh = async (): Promise<readonly AuditLine[]> => {
    const lines = await list()
    const left = lines.slice(0, lines.length - seen)
    seen = lines.length
    return left
  }
  const told = async () => (await fresh()).map(({ action, before, after }) => ({ action, before, after }))
  const hash = () => crypto.getRandomValues(new Uint8Array(32))
  const aCredential = (given: Partial<NewCredential['credential']> = {}): NewCredential => ({
    credential: {
      id: scene.ids.next('crd'),
      tenantId: defaultTenantId,
      name: 'receiver',
      description: '',
      kind: 'basic',
      settings: { username: 'ada' },
      authorizedHosts: null,
      secretHint: 'last',
      active: true,
      ...given,
    },
    sealed: new TextEncoder().encode('sealed secret'),
  })

  describe('the audit log', () => {
    it('says who changed what of an endpoint, with only what has changed', async () => {
      const { store } = scene
      const { endpointId: id, subscriptionId } = await scene.anEndpoint({ description: 'first' })
      const [made] = await fresh()
      expect(made).toEqual({
        id: expect.stringMatching(/^aud_/),
        createdAt: scene.now(),
        tenantId: defaultTenantId,
        actor: somebody,
        action: 'endpoint.created',
        objectKind: 'endpoint',
        objectId: id,
        before: null,
        after: expect.objectContaining({ url: 'https://receiver.example/hook', topics: ['*'] }),
      })
      expect(made?.after).not.toHaveProperty('uid')
      acting.actor = somebodyElse
      const own = { id: subscriptionId, topicPatterns: ['orders.*'] }
      await store.updateEndpoint(defaultTenantId, id, { description: 'second', ownSubscription: own })
      const [updated] = await fresh()
      expect(updated).toMatchObject({ actor: somebodyElse, action: 'endpoint.updated', objectId: id })
      expect([updated?.before, updated?.after]).toEqual([
        { description: 'first', topics: ['*'] },
        { description: 'second', topics: ['orders.*'] },
      ])
      await store.deleteEndpoint(defaultTenantId, id)
      expect(await fresh()).toMatchObject([
        { action: 'endpoint.deleted', before: { description: 'second' }, after: null },
      ])
    })

    it('calls pauses and endings of endpoints by their names', async () => {
      const { store } = scene
      const { endpointId: id } = await scene.anEndpoint()
      await fresh()
      const pause = { pausedReason: 'repair', pausedBy: 'adm' }
      const steps = [
        { disabledReason: 'paused', pause },
        { disabledReason: null },
        { disabledReason: 'operator' },
        { disabledReason: null },
      ] as const
      for (const patch of steps) await store.updateEndpoint(defaultTenantId, id, patch)
      expect((await told()).map(({ action }) => action)).toEqual([
        'endpoint.enabled',
        'endpoint.disabled',
        'endpoint.resumed',
        'endpoint.paused',
      ])
    })

    it('has no line of what changed nothing, was refused, or found nothing', async () => {
      const { store, ids } = scene
      const { endpointId: id } = await scene.anEndpoint({ uid: 'one', description: 'same' })
      await scene.anEndpoint({ uid: 'two' })
      await fresh()
      await store.updateEndpoint(defaultTenantId, id, { description: 'same' })
      await store.updateEndpoint(defaultTenantId, id, { uid: 'two' })
      await store.updateEndpoint(defaultTenantId, ids.next('ep'), { description: 'other' })
      await store.updateEndpoint(defaultTenantId, 'nonsense', { description: 'other' })
      await store.deleteEndpoint(ids.next('ten'), id)
      await store
        .updateEndpoint(defaultTenantId, id, { description: 'x' }, { ifMatch: 'other' })
        .catch(() => {})
      await store.replay(defaultTenantId, ids.next('dlv'))
      await store.revokeApiKey({ kind: 'producer', tenantId: defaultTenantId }, ids.next('key'))
      expect(await fresh()).toEqual([])
      acting.actor = null
      await store.updateEndpoint(defaultTenantId, id, { description: 'by nobody' })
      expect(await fresh()).toEqual([])
    })

    it('has no line of a change to what is there already, of whatever kind of object', async () => {
      const { store, ids } = scene
      const tenant = { id: ids.next('ten'), uid: 'acme', name: 'Acme', metadata: { plan: 'a' } }
      await store.insertTenant({ ...tenant, settings: defaultTenantSettings })
      const { endpointId: id, subscriptionId } = await scene.anEndpoint({ tenantId: tenant.id })
      const pause = { disabledReason: 'paused', pause: { pausedReason: 'repair', pausedBy: 'adm' } } as const
      await store.updateEndpoint(tenant.id, id, pause)
      const [first] = (await store.listSecrets(tenant.id, id)) ?? []
      const second = { id: ids.next('sec'), sealed: new TextEncoder().encode('sealed secret') }
      const credential = aCredential({ tenantId: tenant.id })
      await store.insertCredential(credential)
      const key = aKey(ids, { tenantId: tenant.id })
      const keys = { kind: 'producer', tenantId: tenant.id } as const
      await store.insertApiKey({ key, hash: hash() })
      const type = { name: 'orders.created', description: '', group: null, schema: null, example: null }
      await store.insertEventType(tenant.id, { ...type, deprecated: false, mode: 'off' })
      const job = { id: ids.next('job'), tenantId: tenant.id, kind: 'replay' as const, rate: null }
      await store.insertJob({ ...job, filter: { endpointId: id } })
      await store.pauseJob(tenant.id, job.id)
      await fresh()

      const { name, settings, authorizedHosts, active } = credential.credential
      await store.updateTenant(tenant.id, { name: 'Acme', metadata: { plan: 'a' }, settings: { weight: 1 } })
      await store.updateEndpoint(tenant.id, id, pause)
      const own = { id: subscriptionId, topicPatterns: ['*'] }
      await store.updateEndpoint(tenant.id, id, { headers: {}, description: '', ownSubscription: own })
      await store.updateSubscription(tenant.id, subscriptionId, { active: true, topicPatterns: ['*'] })
      await store.updateCredential(tenant.id, credential.credential.id, {
        name,
        settings,
        authorizedHosts,
        active,
      })
      await store.updateApiKey(keys, key.id, { name: key.name, scopes: key.scopes })
      await store.updateEventType(tenant.id, type.name, { description: '', mode: 'off', deprecated: false })
      await store.putEventTypes(tenant.id, [type], { modeOfNew: 'off', dryRun: false })
      await store.pauseJob(tenant.id, job.id)
      // The only one is the primary one without that anybody has made it so.
      await store.setPrimarySecret(tenant.id, id, first?.id ?? '')
      expect(await told()).toEqual([])

      await store.rotateSecret(tenant.id, id, second, 60_000)
      await store.setPrimarySecret(tenant.id, id, first?.id ?? '')
      await store.setPrimarySecret(tenant.id, id, second.id)
      const made = await told()
      expect(made.map(({ action }) => action)).toEqual([
        'endpoint.secret_made_primary',
        'endpoint.secret_rotated',
      ])
      const { version } = await store.loadRouting(tenant.id)
      expect(await store.setPrimarySecret(tenant.id, id, second.id)).toEqual({ kind: 'was_primary' })
      expect(await told()).toEqual([])
      expect((await store.loadRouting(tenant.id)).version).toBe(version)
    })

    it('tells of secrets that they were rotated, shown and made primary, and never what they are', async () => {
      const { store, ids } = scene
      const { endpointId: id } = await scene.anEndpoint()
      await fresh()
      const secret = { id: ids.next('sec'), sealed: new TextEncoder().encode('sealed secret') }
      await store.rotateSecret(defaultTenantId, id, secret, 60_000)
      await store.setPrimarySecret(defaultTenantId, id, secret.id)
      await store.noteReveal(defaultTenantId, id, secret.id, null)
      await store.noteReveal(defaultTenantId, id, ids.next('sec'), null)
      expect(await told()).toEqual([
        { action: 'endpoint.secret_revealed', before: null, after: { secret_id: secret.id } },
        { action: 'endpoint.secret_made_primary', before: null, after: { secret_id: secret.id } },
        {
          action: 'endpoint.secret_rotated',
          before: null,
          after: { secret_id: secret.id, grace_seconds: 60 },
        },
      ])
    })

    it('tells of a credential that its secret was replaced, and nothing of the secret', async () => {
      const { store } = scene
      const input = aCredential()
      const { id } = input.credential
      await store.insertCredential(input)
      await store.updateCredential(defaultTenantId, id, { settings: { username: 'bob' } })
      await store.updateCredential(defaultTenantId, id, { sealed: Uint8Array.of(9), secretHint: 'tail' })
      await store.deleteCredential(defaultTenantId, id)
      const lines = await told()
      expect(lines).toMatchObject([
        { action: 'credential.deleted', before: { username: 'bob' }, after: null },
        { action: 'credential.updated', before: null, after: { secret: 'replaced' } },
        { action: 'credential.updated', before: { username: 'ada' }, after: { username: 'bob' } },
        { action: 'credential.created', before: null, after: { name: 'receiver', kind: 'basic' } },
      ])
      expect(JSON.stringify(lines)).not.toMatch(/last|tail|sealed secret/)
    })

    it('tells of tenants, subscriptions, keys, tokens, links, event types and jobs', async () => {
      const { store, ids } = scene
      const tenant = { id: ids.next('ten'), uid: 'acme', name: 'Acme', metadata: { plan: 'a' } }
      await store.insertTenant({ ...tenant, settings: defaultTenantSettings })
      await store.updateTenant(tenant.id, { name: 'Acme Inc.', settings: { weight: 2 } })
      const { endpointId, subscriptionId } = await scene.anEndpoint({ tenantId: tenant.id })
      await fresh()
      await store.updateSubscription(tenant.id, subscriptionId, { active: false })
      const key = aKey(ids, { tenantId: tenant.id })
      const keys = { kind: 'producer', tenantId: tenant.id } as const
      await store.insertApiKey({ key, hash: hash() })
      await store.updateApiKey(keys, key.id, { scopes: ['refunds'] })
      await store.rotateApiKey(keys, key.id, { hash: hash(), graceMs: 1000 })
      await store.revokeApiKey(keys, key.id)
      await store.revokeApiKey(keys, key.id)
      const token = aKey(ids, { kind: 'admin', tenantId: tenant.id, role: 'viewer' })
      await store.insertFirstApiKey({ key: token, hash: hash() })
      await store.revokeApiKey({ kind: 'admin', tenantId: null }, token.id)
      const link = { id: ids.next('plk'), tenantId: tenant.id, abilities: ['view'] as const, label: 'Ada' }
      await store.insertPortalLink({ ...link, hash: hash(), lifeMs: 1000 })
      await store.revokePortalLink(tenant.id, link.id)
      await store.revokePortalLink(tenant.id, link.id)
      const type = { name: 'orders.created', description: '', group: null, schema: '{"type":"object"}' }
      const whole = { ...type, example: null, deprecated: false, mode: 'warn' as const }
      await store.insertEventType(tenant.id, whole)
      await store.updateEventType(tenant.id, type.name, { deprecated: true })
      await store.deleteEventType(tenant.id, type.name)
      await store.putEventTypes(serverCatalogueId, [type], { modeOfNew: 'warn', dryRun: true })
      await store.putEventTypes(serverCatalogueId, [type], { modeOfNew: 'warn', dryRun: false })
      const job = { id: ids.next('job'), tenantId: tenant.id, kind: 'replay' as const, rate: null }
      await store.insertJob({ ...job, filter: { endpointId } })
      await store.pauseJob(tenant.id, job.id)
      await store.resumeJob(tenant.id, job.id)
      await store.cancelJob(tenant.id, job.id)
      await store.cancelJob(tenant.id, job.id)
      await store.deleteSubscription(tenant.id, subscriptionId)
      await store.deleteTenant(tenant.id)
      const lines = await fresh()
      expect(lines.toReversed().map(({ action, objectId }) => [action, objectId])).toEqual([
        ['subscription.updated', subscriptionId],
        ['key.created', key.id],
        ['key.updated', key.id],
        ['key.rotated', key.id],
        ['key.revoked', key.id],
        ['admin_token.created', token.id],
        ['admin_token.revoked', token.id],
        ['portal_link.created', link.id],
        ['portal_link.revoked', link.id],
        ['event_type.created', type.name],
        ['event_type.updated', type.name],
        ['event_type.deleted', type.name],
        ['event_type.imported', null],
        ['job.begun', job.id],
        ['job.paused', job.id],
        ['job.resumed', job.id],
        ['job.cancelled', job.id],
        ['subscription.deleted', subscriptionId],
        ['tenant.deleted', tenant.id],
      ])
      const of = (action: string) => lines.find((line) => line.action === action)
      expect(of('key.updated')).toMatchObject({
        before: { scopes: key.scopes },
        after: { scopes: ['refunds'] },
      })
      expect(of('key.revoked')).toMatchObject({ before: { revoked: false }, after: { revoked: true } })
      expect(of('admin_token.revoked')).toMatchObject({ tenantId: tenant.id })
      expect(of('event_type.created')?.after).toEqual({
        schema: { type: 'object' },
        deprecated: false,
        mode: 'warn',
      })
      expect(of('event_type.imported')).toMatchObject({ tenantId: null, after: { created: [type.name] } })
      expect(of('job.paused')).toMatchObject({ before: { state: 'queued' }, after: { state: 'paused' } })
    })

    it('tells of deliveries that people repair, of payloads that they expunge and of the master key', async () => {
      const { store } = scene
      const route = await scene.anEndpoint({ ordered: true })
      const first = await scene.publish({ routes: [route], orderingKey: 'k' })
      const second = await scene.publish({ routes: [route] })
      await fresh()
      await scene.record(
        ...(await scene.claim()).deliveries.map((claimed) => anOutcome(claimed, { next: deadLetter })),
      )
      await store.replay(defaultTenantId, second.deliveryId)
      await store.cancelDelivery(defaultTenantId, second.deliveryId, 'not wanted')
      await store.skipDelivery(defaultTenantId, first.deliveryId, 'broken')
      await store.skipDelivery(defaultTenantId, first.deliveryId, 'broken')
      await store.resend(defaultTenantId, second.deliveryId)
      await store.expungePayload(defaultTenantId, first.event.id)
      await store.expungePayload(defaultTenantId, first.event.id)
      await store.replaceMeta([{ name: masterKeyCheck, from: null, to: 'print.check' }])
      await store.replaceMeta([{ name: 'other', from: null, to: 'value' }])
      const state = (before: string, after: string) => ({
        before: { state: before },
        after: { state: after },
      })
      expect((await told()).toReversed()).toEqual([
        { action: 'delivery.replayed', ...state('dead_lettered', 'pending') },
        { action: 'delivery.cancelled', ...state('pending', 'cancelled') },
        { action: 'delivery.skipped', ...state('dead_lettered', 'skipped') },
        { action: 'delivery.resent', ...state('cancelled', 'pending') },
        {
          action: 'event.payload_expunged',
          before: { payload_expunged: false },
          after: { payload_expunged: true },
        },
        { action: 'master_key.rotated', before: { fingerprint: null }, after: { fingerprint: 'print' } },
      ])
    })

    it('tells that an endpoint was disabled by the system, with why', async () => {
      acting.actor = null
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
      const claimed = await scene.claimOne()
      await scene.record(anOutcome(claimed, { next: deadLetter, disableEndpoint: 'gone' }))
      expect(await list({ objectId: route.endpointId })).toMatchObject([
        {
          actor: { kind: 'system', id: null },
          action: 'endpoint.disabled',
          before: { disabled_reason: null },
          after: { disabled_reason: 'gone' },
        },
      ])
    })

    it('is written with what is kept under an idempotency key, once', async () => {
      const { store, ids } = scene
      const request = { id: hash(), hash: hash(), seed: Uint8Array.of(7), ttlMs: 60_000 }
      const write = { name: 'insertApiKey', args: [{ key: aKey(ids), hash: hash() }] } as const
      await store.writeOnce(request, write)
      await store.writeOnce(request, write)
      expect(await told()).toMatchObject([{ action: 'key.created' }])
    })

    it('tells a long value by its length and digest', async () => {
      const { store } = scene
      const schema = JSON.stringify({ description: 'x'.repeat(5000) })
      const type = { name: 'a', description: '', group: null, schema, example: null }
      await store.insertEventType(serverCatalogueId, { ...type, deprecated: false, mode: 'off' })
      expect((await fresh())[0]?.after).toMatchObject({
        schema: { characters: schema.length, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
      })
    })

    it('is true when several change one object at the same moment: each begins where another has ended', async () => {
      const { store } = scene
      const { endpointId: id } = await scene.anEndpoint({ description: '0' })
      await fresh()
      await Promise.all(
        Array.from({ length: 10 }, (_, at) =>
          store.updateEndpoint(defaultTenantId, id, { description: `to ${at}` }),
        ),
      )
      const lines = await fresh()
      const [last] = lines
      expect(last?.after).toEqual({
        description: (await store.getEndpoint(defaultTenantId, id))?.description,
      })
      const befores = new Set(lines.map(({ before }) => before?.description))
      const afters = new Set(['0', ...lines.slice(1).map(({ after }) => after?.description)])
      expect(befores).toEqual(afters)
      expect(befores.size).toBe(10)
    })

    it('is listed newest first, in pages, by tenant, actor, action, object and time', async () => {
      const { store, ids } = scene
      const tenantId = ids.next('ten')
      await store.insertTenant({
        id: tenantId,
        uid: null,
        name: '',
        metadata: null,
        settings: defaultTenantSettings,
      })
      const { endpointId } = await scene.anEndpoint({ tenantId })
      await scene.advance(1000)
      const later = scene.now()
      acting.actor = somebodyElse
      await store.updateEndpoint(tenantId, endpointId, { description: 'b' })
      const other = await scene.anEndpoint()
      await scene.advance(1000)
      acting.actor = somebody
      await store.deleteEndpoint(tenantId, endpointId)
      const whole = await list()
      expect(whole.map(({ action }) => action)).toEqual([
        'endpoint.deleted',
        'endpoint.created',
        'endpoint.updated',
        'endpoint.created',
        'tenant.created',
      ])
      const pages: AuditLine[] = []
      let cursor: string | null = null
      do {
        const page: { items: readonly AuditLine[]; nextCursor: string } = await store.listAuditLines(
          null,
          {},
          { limit: 2, cursor },
        )
        pages.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== '')
      expect(pages).toEqual(whole)
      const places = async (filter: AuditFilter, of: string | null = null) =>
        (await list(filter, of)).map((line) => whole.findIndex(({ id }) => id === line.id))
      expect(await places({}, tenantId)).toEqual([0, 2, 3, 4])
      expect(await places({}, defaultTenantId)).toEqual([1])
      expect(await places({ actorId: somebodyElse.id as string })).toEqual([1, 2])
      expect(await places({ actorKind: 'portal_link' })).toEqual([1, 2])
      expect(await places({ action: 'endpoint.created' })).toEqual([1, 3])
      expect(await places({ action: 'endpoint.*' })).toEqual([0, 1, 2, 3])
      expect(await places({ action: 'tenant.*' }, tenantId)).toEqual([4])
      expect(await places({ action: 'end.*' })).toEqual([])
      expect(await places({ objectId: endpointId })).toEqual([0, 2, 3])
      expect(await places({ objectId: other.endpointId }, tenantId)).toEqual([])
      expect(await places({ objectKind: 'tenant' })).toEqual([4])
      expect(await places({ since: later })).toEqual([0, 1, 2])
      expect(await places({ until: later })).toEqual([3, 4])
      expect(await places({ since: later, until: later + 1 }, tenantId)).toEqual([2])
      expect(
        await places({ objectId: endpointId, actorId: somebody.id as string, action: 'endpoint.*' }),
      ).toEqual([0, 3])
    })

    it('stays when its tenant goes, and is removed when it is old, in slices', async () => {
      const { store } = scene
      for (let count = 0; count < 3; count++) await scene.anEndpoint()
      await scene.advance(dayMs)
      await scene.anEndpoint()
      expect(await store.removeAuditLines({ retainMs: 0, limit: 2 })).toEqual({ more: false })
      expect(await store.removeAuditLines({ retainMs: dayMs + 1, limit: 2 })).toEqual({ more: false })
      expect(await list()).toHaveLength(4)
      expect(await store.removeAuditLines({ retainMs: dayMs, limit: 2 })).toEqual({ more: true })
      expect(await store.removeAuditLines({ retainMs: dayMs, limit: 2 })).toEqual({ more: false })
      expect(await list()).toHaveLength(1)
    })
  })
}
