/** Producer keys and admin tokens. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { KeyOwner, NewApiKey } from '../../../src/store/port.ts'
import { aKey, type OpenHarness, openScene, type Scene } from './scene.ts'

const producers: KeyOwner = { kind: 'producer', tenantId: defaultTenantId }
const allAdmins: KeyOwner = { kind: 'admin', tenantId: null }
const page = { limit: 10, cursor: null }

export function describeKeys(open: OpenHarness): void {
  let scene: Scene
  let lastHash = 0
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const aHash = () => new Uint8Array(32).fill(++lastHash)
  const find = async (hash: Uint8Array) => (await scene.store.findApiKeys([hash]))[0] ?? null
  const insert = async (given: Partial<NewApiKey['key']> = {}, maxActive?: number) => {
    const input = { key: aKey(scene.ids, given), hash: aHash() }
    const made = await scene.store.insertApiKey(input, maxActive === undefined ? {} : { maxActive })
    return { ...input, made }
  }
  const admin = { kind: 'admin', tenantId: null } as const

  describe('keys', () => {
    it('keeps a key as it was given, and finds it by its hash until it is revoked', async () => {
      const given = { rateLimitRps: 0.5, abilities: ['publish', 'read'] as const, scopes: ['a.*', 'b'] }
      const { key, hash, made } = await insert(given)
      const kept = {
        ...key,
        createdAt: scene.now(),
        lastUsedAt: null,
        revokedAt: null,
        version: made?.version,
      }
      expect(made).toEqual(kept)
      expect(kept.version).toMatch(/^[a-zA-Z0-9_-]+$/)
      expect(await find(hash)).toEqual({ key: kept, until: null })
      expect(await scene.store.getApiKey(producers, key.id)).toEqual(kept)
      expect(await scene.store.revokeApiKey(producers, key.id)).toBe('revoked')
      const revokedAt = scene.now()
      await scene.advance(1000)
      expect(await scene.store.revokeApiKey(producers, key.id)).toBe('revoked')
      expect(await find(hash)).toBeNull()
      const revoked = await scene.store.getApiKey(producers, key.id)
      expect(revoked).toEqual({ ...kept, revokedAt, version: revoked?.version })
      expect(revoked?.version).not.toBe(kept.version)
    })

    it('has no key for another tenant, another kind or another id', async () => {
      const { store, ids } = scene
      const { key } = await insert()
      const others: readonly (readonly [KeyOwner, string])[] = [
        [{ kind: 'producer', tenantId: ids.next('ten') }, key.id],
        [allAdmins, key.id],
        [producers, ids.next('key')],
        [producers, 'key_nonsense'],
      ]
      for (const [owner, id] of others) {
        expect(await store.getApiKey(owner, id)).toBeNull()
        expect(await store.updateApiKey(owner, id, { name: 'mine' })).toBeNull()
        expect(await store.rotateApiKey(owner, id, { hash: aHash(), graceMs: 0 })).toBeNull()
        expect(await store.revokeApiKey(owner, id)).toBe('not_found')
      }
      expect(await store.getApiKey(producers, key.id)).toMatchObject({ name: 'ci', revokedAt: null })
    })

    it('refuses a key from its time of expiry on, and says until when it is good', async () => {
      const expiresAt = scene.now() + 5000
      const { key, hash } = await insert({ expiresAt })
      expect(await find(hash)).toMatchObject({ key: { id: key.id, expiresAt }, until: expiresAt })
      await scene.advance(4999)
      expect(await find(hash)).not.toBeNull()
      await scene.advance(1)
      expect(await find(hash)).toBeNull()
    })

    it('changes what is given of a key and nothing else', async () => {
      const { key } = await insert({ expiresAt: scene.now() + 5000, rateLimitRps: 3 })
      const change = { scopes: ['x'], rateLimitRps: null, expiresAt: null }
      expect(await scene.store.updateApiKey(producers, key.id, change)).toMatchObject({ ...key, ...change })
      expect(await scene.store.getApiKey(producers, key.id)).toMatchObject({ ...key, ...change })
    })

    it('takes all texts of a rotated key until the grace of each is over', async () => {
      const { store } = scene
      const { key, hash } = await insert()
      const [second, third] = [aHash(), aHash()]
      expect(await store.rotateApiKey(producers, key.id, { hash: second, graceMs: 10_000 })).toMatchObject(
        key,
      )
      expect(await find(hash)).toMatchObject({ key: { id: key.id }, until: scene.now() + 10_000 })
      expect(await find(second)).toMatchObject({ key: { id: key.id }, until: null })
      await scene.advance(4000)
      // A longer grace gives the first text no more time than it had.
      await store.rotateApiKey(producers, key.id, { hash: third, graceMs: 60_000 })
      await scene.advance(6000)
      expect(await find(hash)).toBeNull()
      expect(await find(second)).toMatchObject({ key: { id: key.id } })
      await store.rotateApiKey(producers, key.id, { hash: aHash(), graceMs: 0 })
      expect([await find(second), await find(third)]).toEqual([null, null])
    })

    it('rotates no revoked key', async () => {
      const { key } = await insert()
      await scene.store.revokeApiKey(producers, key.id)
      const hash = aHash()
      expect(await scene.store.rotateApiKey(producers, key.id, { hash, graceMs: 0 })).toBeNull()
      expect(await find(hash)).toBeNull()
    })

    it('finds many at once, in the order of the hashes', async () => {
      const [one, two] = [await insert(), await insert()]
      const found = await scene.store.findApiKeys([two.hash, aHash(), one.hash, two.hash])
      expect(found.map((each) => each?.key.id ?? null)).toEqual([two.key.id, null, one.key.id, two.key.id])
      expect(await scene.store.findApiKeys([])).toEqual([])
    })

    it('keeps when a key was used last, and never an earlier time', async () => {
      const [one, two] = [await insert(), await insert()]
      const at = scene.now()
      await scene.store.noteKeyUse([
        { id: one.key.id, at },
        { id: two.key.id, at: at + 1 },
      ])
      await scene.store.noteKeyUse([{ id: one.key.id, at: at - 5 }])
      const used = async (id: string) => (await scene.store.getApiKey(producers, id))?.lastUsedAt
      expect([await used(one.key.id), await used(two.key.id)]).toEqual([at, at + 1])
    })

    it('lists producer keys newest first and admin tokens oldest first, page by page', async () => {
      const keys = [await insert(), await insert(), await insert()].map(({ key }) => key.id)
      await insert({ tenantId: scene.ids.next('ten') })
      const bound = { kind: 'admin', tenantId: scene.ids.next('ten') } as const
      const tokens = [await insert(admin), await insert(bound), await insert(admin)].map(({ key }) => key.id)
      const list = async (owner: KeyOwner) => {
        const first = await scene.store.listApiKeys(owner, { limit: 2, cursor: null })
        const next = await scene.store.listApiKeys(owner, { limit: 2, cursor: first.nextCursor })
        return [...first.items, ...(first.nextCursor === '' ? [] : next.items)].map(({ id }) => id)
      }
      expect(await list(producers)).toEqual(keys.toReversed())
      expect(await list(allAdmins)).toEqual(tokens)
      expect(await list(bound)).toEqual([tokens[1]])
    })

    it('makes the first key of a kind once, however many ask, and not after it was revoked', async () => {
      const { store, ids } = scene
      await insert()
      const tries = Array.from({ length: 5 }, () => ({ key: aKey(ids, admin), hash: aHash() }))
      const made = await Promise.all(tries.map((one) => store.insertFirstApiKey(one)))
      const [only, ...more] = made.filter((key) => key !== null)
      expect(more).toEqual([])
      expect((await store.listApiKeys(allAdmins, page)).items).toEqual([only])
      await store.revokeApiKey(allAdmins, only?.id ?? '')
      expect(await store.insertFirstApiKey({ key: aKey(ids, admin), hash: aHash() })).toBeNull()
      const other = aKey(ids, { kind: 'admin', tenantId: ids.next('ten') })
      expect(await store.insertFirstApiKey({ key: other, hash: aHash() })).toMatchObject(other)
    })

    it('makes no more than so many active ones of a tenant, however many ask at once', async () => {
      const other = { kind: 'admin', tenantId: scene.ids.next('ten') } as const
      await insert(other, 2)
      const made = await Promise.all(Array.from({ length: 4 }, () => insert(admin, 2)))
      const kept = made.filter((each) => each.made !== null)
      expect(kept).toHaveLength(2)
      await scene.store.revokeApiKey(allAdmins, kept[0]?.key.id ?? '')
      expect((await insert({ ...admin, expiresAt: scene.now() + 10 }, 2)).made).not.toBeNull()
      expect((await insert(admin, 2)).made).toBeNull()
      await scene.advance(10)
      expect((await insert(admin, 2)).made).not.toBeNull()
    })

    it('keeps the last admin token of all tenants that never expires, when it is asked to', async () => {
      const { store, ids } = scene
      const last = await insert(admin)
      const expiring = await insert({ ...admin, expiresAt: scene.now() + 1000 })
      const others = [
        await insert({ ...admin, role: 'operator' }),
        await insert({ kind: 'admin', tenantId: ids.next('ten') }),
        expiring,
      ]
      const keep = { keepLastAdmin: true }
      expect(await store.revokeApiKey(allAdmins, last.key.id, keep)).toBe('last')
      expect(await find(last.hash)).not.toBeNull()
      for (const { key } of others) expect(await store.revokeApiKey(allAdmins, key.id, keep)).toBe('revoked')
      const another = await insert(admin)
      const both = [last.key.id, another.key.id]
      const results = await Promise.all(both.map((id) => store.revokeApiKey(allAdmins, id, keep)))
      expect(results.sort()).toEqual(['last', 'revoked'])
      for (const id of both) expect(await store.revokeApiKey(allAdmins, id)).toBe('revoked')
    })
  })
}
