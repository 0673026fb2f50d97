/** Credentials, and whose turn it is to fetch a token. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { NewCredential } from '../../../src/store/port.ts'
import { type OpenHarness, openScene, type Scene } from './scene.ts'

const page = { limit: 10, cursor: null }
const sealed = Uint8Array.of(1, 2, 3)

export function describeStoredCredentials(open: OpenHarness): void {
  let scene: Scene
  let made = 0
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const aCredential = (given: Partial<NewCredential['credential']> = {}): NewCredential => ({
    credential: {
      id: scene.ids.next('crd'),
      tenantId: defaultTenantId,
      name: `credential-${++made}`,
      description: '',
      kind: 'bearer',
      settings: {},
      authorizedHosts: null,
      secretHint: null,
      active: true,
      ...given,
    },
    sealed,
  })
  const insert = async (given: Partial<NewCredential['credential']> = {}) => {
    const result = await scene.store.insertCredential(aCredential(given))
    if (result.kind !== 'inserted') throw new Error(result.kind)
    return result.credential
  }
  const ask = (version: string, holder: string, instead: number | null = null) => ({
    version,
    holder,
    instead,
    leaseMs: 15_000,
  })

  describe('credentials', () => {
    it('keeps a credential as it was given, and shows it by id, by name and in the list', async () => {
      const { store } = scene
      const credential = await insert({ settings: { headerName: 'X-A' }, secretHint: 'abcd', active: false })
      expect(credential).toMatchObject({ settings: { headerName: 'X-A' }, secretHint: 'abcd', active: false })
      expect(credential).toMatchObject({ createdAt: scene.now(), lastUsedAt: null })
      expect(await store.getCredential(defaultTenantId, credential.id)).toEqual(credential)
      expect(await store.getCredentialByName(defaultTenantId, credential.name)).toEqual(credential)
      expect(await store.findTenantOf(credential.id)).toBe(defaultTenantId)
      expect((await store.listCredentials(defaultTenantId, page)).items).toEqual([credential])
      expect(await store.getCredential(scene.ids.next('ten'), credential.id)).toBeNull()
      expect(await store.getCredential(defaultTenantId, 'crd_nonsense')).toBeNull()
    })

    it('a change raises the routing version, whose routing has what the credential is now', async () => {
      const { store } = scene
      const { id, name } = await insert({ settings: { username: 'a' } })
      const before = await store.loadRouting(defaultTenantId)
      const result = await store.updateCredential(defaultTenantId, id, {
        settings: { scope: 'b' },
        sealed: Uint8Array.of(9),
        active: false,
      })
      expect(result).toMatchObject({ kind: 'updated', credential: { name, active: false } })
      const after = await store.loadRouting(defaultTenantId)
      expect(after.version).toBeGreaterThan(before.version)
      expect(after.credentials).toMatchObject([
        { id, settings: { username: 'a', scope: 'b' }, sealed: Uint8Array.of(9), active: false },
      ])
    })

    it('keeps its authorized hosts through other changes, routes them, and takes them away', async () => {
      const { store } = scene
      const authorizedHosts = ['partner.example', 'xn--bcher-kva.example']
      const { id } = await insert({ settings: { username: 'a' }, authorizedHosts })
      const routed = async () => (await store.loadRouting(defaultTenantId)).credentials
      await store.updateCredential(defaultTenantId, id, { settings: { scope: 'b' }, active: false })
      const kept = { settings: { username: 'a', scope: 'b' }, authorizedHosts }
      expect(await store.getCredential(defaultTenantId, id)).toMatchObject(kept)
      expect(await routed()).toMatchObject([kept])
      await store.updateCredential(defaultTenantId, id, { authorizedHosts: ['other.example'] })
      expect(await routed()).toMatchObject([{ ...kept, authorizedHosts: ['other.example'] }])
      await store.updateCredential(defaultTenantId, id, { authorizedHosts: null })
      expect(await routed()).toMatchObject([{ ...kept, authorizedHosts: null }])
      expect(Object.keys((await store.getCredential(defaultTenantId, id))?.settings ?? {}).sort()).toEqual([
        'scope',
        'username',
      ])
    })

    it('keeps a notice that its certificate runs out once for all who bring it, until it is removed', async () => {
      const { store } = scene
      const credential = await insert({ kind: 'client_certificate' })
      const { id, name, version } = credential
      const aNotice = (withinDays: 1 | 7 | 30, fingerprint = 'aa') => ({
        part: 'certificate' as const,
        fingerprint,
        withinDays,
        expiresAt: 4_000_000,
        noticedAt: 3_000_000,
      })
      const pending = async () => (await store.listExpiryNotices(10)).map(({ notice }) => notice)
      expect(await pending()).toEqual([])
      const noted = await Promise.all([1, 2, 3].map(() => store.noteExpiry(id, aNotice(30))))
      expect(noted.filter((isNew) => isNew)).toHaveLength(1)
      expect(await store.listExpiryNotices(10)).toEqual([
        { credentialId: id, tenantId: defaultTenantId, name, notice: aNotice(30) },
      ])
      await store.removeExpiryNotice(id, aNotice(30))
      expect(await pending()).toEqual([])
      expect(await store.noteExpiry(id, aNotice(30))).toBe(false)
      expect(await store.noteExpiry(id, aNotice(1))).toBe(true)
      // A clock that is behind, and whoever published what was there before.
      expect(await store.noteExpiry(id, aNotice(7))).toBe(false)
      await store.removeExpiryNotice(id, aNotice(30))
      expect(await pending()).toEqual([aNotice(1)])
      // Another certificate in its place.
      expect(await store.noteExpiry(id, aNotice(30, 'bb'))).toBe(true)
      expect(await pending()).toEqual([aNotice(30, 'bb')])
      expect(await store.getCredential(defaultTenantId, id)).toMatchObject({ version })
      await store.deleteCredential(defaultTenantId, id)
      expect(await pending()).toEqual([])
      expect(await store.noteExpiry(id, aNotice(1, 'bb'))).toBe(false)
    })

    it('a name belongs to one credential of a tenant', async () => {
      const { store } = scene
      const [one, two] = [await insert(), await insert()]
      const taken = { kind: 'name_exists', credentialId: one.id }
      expect(await store.insertCredential(aCredential({ name: one.name }))).toEqual(taken)
      expect(await store.updateCredential(defaultTenantId, two.id, { name: one.name })).toEqual(taken)
      const many = await Promise.all(
        [1, 2, 3].map(() => store.insertCredential(aCredential({ name: 'same' }))),
      )
      expect(many.filter(({ kind }) => kind === 'inserted')).toHaveLength(1)
    })

    it('a client certificate of an endpoint is kept beside its credential, and is in use like that', async () => {
      const { store } = scene
      const [certificate, header] = [await insert({ kind: 'client_certificate' }), await insert()]
      const used = { credentialId: header.id, clientCertificateId: certificate.id }
      const { endpointId } = await scene.anEndpoint(used)
      expect((await store.loadRouting(defaultTenantId)).endpoints).toMatchObject([used])
      for (const { id } of [certificate, header]) {
        expect(await store.deleteCredential(defaultTenantId, id)).toEqual({
          kind: 'in_use',
          endpointIds: [endpointId],
          count: 1,
        })
      }
      // Named twice it is one endpoint.
      await store.updateEndpoint(defaultTenantId, endpointId, { credentialId: certificate.id })
      expect(await store.deleteCredential(defaultTenantId, certificate.id)).toMatchObject({ count: 1 })
      const none = { credentialId: null, clientCertificateId: null }
      await store.updateEndpoint(defaultTenantId, endpointId, none)
      expect(await store.deleteCredential(defaultTenantId, certificate.id)).toEqual({ kind: 'deleted' })
      const change = { clientCertificateId: certificate.id }
      expect(await store.updateEndpoint(defaultTenantId, endpointId, change)).toEqual({
        kind: 'credential_missing',
        credentialId: certificate.id,
      })
      expect(await store.getEndpoint(defaultTenantId, endpointId)).toMatchObject(none)
    })

    it('one that an endpoint names is not deleted, and an endpoint cannot name one that there is not', async () => {
      const { store } = scene
      const { id } = await insert()
      const { endpointId } = await scene.anEndpoint({ credentialId: id })
      expect(await store.deleteCredential(defaultTenantId, id)).toEqual({
        kind: 'in_use',
        endpointIds: [endpointId],
        count: 1,
      })
      await store.updateEndpoint(defaultTenantId, endpointId, { credentialId: null })
      expect(await store.deleteCredential(defaultTenantId, id)).toEqual({ kind: 'deleted' })
      expect(await store.deleteCredential(defaultTenantId, id)).toEqual({ kind: 'not_found' })
      const missing = { kind: 'credential_missing', credentialId: id }
      expect(await store.updateEndpoint(defaultTenantId, endpointId, { credentialId: id })).toEqual(missing)
      expect((await store.loadRouting(defaultTenantId)).endpoints).toMatchObject([{ credentialId: null }])
    })

    it('a deletion and an endpoint that names the credential at the same moment: one of them is refused', async () => {
      const { store } = scene
      for (let round = 0; round < 5; round++) {
        const { id } = await insert()
        const { endpointId } = await scene.anEndpoint()
        const [deleted, updated] = await Promise.all([
          store.deleteCredential(defaultTenantId, id),
          store.updateEndpoint(defaultTenantId, endpointId, { credentialId: id }),
        ])
        expect([deleted.kind, updated?.kind]).toSatisfy(
          ([gone, named]) =>
            (gone === 'deleted' && named === 'credential_missing') ||
            (gone === 'in_use' && named === 'updated'),
        )
      }
    })

    it('is used last when it was', async () => {
      const { store } = scene
      const { id, version } = await insert()
      await store.noteCredentialUse([{ id, at: 7_000 }])
      await store.noteCredentialUse([{ id, at: 5_000 }])
      expect(await store.getCredential(defaultTenantId, id)).toMatchObject({ lastUsedAt: 7_000, version })
    })
  })

  describe('tokens of credentials', () => {
    it('of many who ask at once one is granted the turn, and the others get what it kept', async () => {
      const { store } = scene
      const { id, version } = await insert()
      const holders = Array.from({ length: 10 }, (_, index) => `node-${index}`)
      const turns = await Promise.all(holders.map((holder) => store.takeTokenTurn(id, ask(version, holder))))
      expect(turns.filter(({ kind }) => kind === 'granted')).toEqual([{ kind: 'granted', failures: 0 }])
      expect(turns.filter(({ kind }) => kind === 'held')).toHaveLength(9)
      const holder = holders[turns.findIndex(({ kind }) => kind === 'granted')] as string
      const other = holder === 'node-0' ? 'node-1' : 'node-0'
      const given = { sealed, lifeMs: 60_000 }
      expect(await store.keepToken(id, other, given), 'whose turn it is not').toBeNull()
      const kept = await store.keepToken(id, holder, given)
      expect(kept).toEqual({ generation: 1, sealed, lifeMs: 60_000, leftMs: 60_000 })
      await scene.advance(10_000)
      const token = { ...kept, leftMs: 50_000 }
      expect(await store.takeTokenTurn(id, ask(version, other))).toEqual({ kind: 'token', token })
      expect(await store.takeTokenTurn(id, ask(version, other, 1))).toEqual({ kind: 'granted', failures: 0 })
      await store.keepToken(id, other, given)
      expect(await store.takeTokenTurn(id, ask(version, holder, 1))).toMatchObject({
        kind: 'token',
        token: { generation: 2 },
      })
      await scene.advance(60_000)
      expect(await store.takeTokenTurn(id, ask(version, holder)), 'it has ended').toMatchObject({
        kind: 'granted',
      })
    })

    it('the turn of a process that died is over with its lease', async () => {
      const { store } = scene
      const { id, version } = await insert()
      await store.takeTokenTurn(id, ask(version, 'dead'))
      await scene.advance(14_000)
      expect(await store.takeTokenTurn(id, ask(version, 'alive'))).toEqual({ kind: 'held' })
      await scene.advance(1_000)
      expect(await store.takeTokenTurn(id, ask(version, 'alive'))).toEqual({ kind: 'granted', failures: 0 })
    })

    it('after a failure nobody is granted a turn for a while, and failures are counted until a token is kept', async () => {
      const { store } = scene
      const { id, version } = await insert()
      await store.takeTokenTurn(id, ask(version, 'one'))
      await store.failToken(id, 'one', { error: 'it answered HTTP 500', retryMs: 1000 })
      expect(await store.takeTokenTurn(id, ask(version, 'two'))).toEqual({
        kind: 'failed',
        error: 'it answered HTTP 500',
        waitMs: 1000,
      })
      await scene.advance(1000)
      expect(await store.takeTokenTurn(id, ask(version, 'two'))).toEqual({ kind: 'granted', failures: 1 })
      await store.keepToken(id, 'two', { sealed, lifeMs: 1000 })
      await scene.advance(2000)
      expect(await store.takeTokenTurn(id, ask(version, 'one'))).toEqual({ kind: 'granted', failures: 0 })
    })

    it('a change of what tokens are got with drops the token and the turn; whoever knows the old one is told', async () => {
      const { store } = scene
      const { id, version } = await insert()
      await store.takeTokenTurn(id, ask(version, 'one'))
      const changed = await store.updateCredential(defaultTenantId, id, { sealed: Uint8Array.of(4) })
      expect(await store.keepToken(id, 'one', { sealed, lifeMs: 60_000 })).toBeNull()
      expect(await store.takeTokenTurn(id, ask(version, 'one'))).toEqual({ kind: 'outdated' })
      const now = changed?.kind === 'updated' ? changed.credential.version : ''
      expect(await store.takeTokenTurn(id, ask(now, 'one'))).toEqual({ kind: 'granted', failures: 0 })
      await store.keepToken(id, 'one', { sealed, lifeMs: 60_000 })
      await store.deleteCredential(defaultTenantId, id)
      expect(await store.takeTokenTurn(id, ask(now, 'one'))).toEqual({ kind: 'outdated' })
    })
  })
}
