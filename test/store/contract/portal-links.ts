/** Links to the portal. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endedPortalLinkMs } from '../../../src/core/portal.ts'
import { defaultTenantSettings } from '../../../src/core/tenant.ts'
import type { NewPortalLink } from '../../../src/store/port.ts'
import { type OpenHarness, openScene, type Scene } from './scene.ts'

const hour = 3_600_000

export function describePortalLinks(open: OpenHarness): void {
  let scene: Scene
  let tenantId: string
  let lastHash = 0
  beforeEach(async () => {
    scene = await openScene(open)
    tenantId = await aTenant()
  })
  afterEach(() => scene.close())

  const aTenant = async () => {
    const id = scene.ids.next('ten')
    await scene.store.insertTenant({ id, uid: id, name: '', metadata: null, settings: defaultTenantSettings })
    return id
  }
  const insert = async (given: Partial<NewPortalLink> = {}) => {
    const hash = new Uint8Array(32).fill(++lastHash)
    const link = { id: scene.ids.next('plk'), tenantId, abilities: ['view'] as const, label: null }
    const made = await scene.store.insertPortalLink({ ...link, hash, lifeMs: hour, ...given })
    return { made, hash }
  }
  const find = async (hash: Uint8Array) => (await scene.store.findPortalLinks([hash]))[0] ?? null
  const list = async (limit: number, cursor: string | null = null, of = tenantId) =>
    scene.store.listPortalLinks(of, { limit, cursor })

  describe('links to the portal', () => {
    it('are kept as they were given, and found by the hash of their token before and after their end', async () => {
      const abilities = ['view', 'resend', 'reveal_secret'] as const
      const { made, hash } = await insert({ abilities, label: 'Ada, of Acme' })
      const kept = {
        id: made.id,
        tenantId,
        abilities,
        label: 'Ada, of Acme',
        createdAt: scene.now(),
        expiresAt: scene.now() + hour,
        revokedAt: null,
      }
      expect(made).toEqual(kept)
      const other = await insert()
      const unknown = new Uint8Array(32).fill(255)
      expect(await scene.store.findPortalLinks([other.hash, unknown, hash])).toEqual([other.made, null, kept])
      await scene.advance(2 * hour)
      expect(await find(hash)).toEqual(kept)
    })

    it('are revoked once, by their own tenant alone', async () => {
      const { made, hash } = await insert()
      const other = await aTenant()
      for (const [of, id] of [
        [other, made.id],
        [tenantId, scene.ids.next('plk')],
        [tenantId, 'nonsense'],
      ] as const) {
        expect(await scene.store.revokePortalLink(of, id)).toBe(false)
      }
      expect((await find(hash))?.revokedAt).toBeNull()
      const revokedAt = scene.now()
      expect(await scene.store.revokePortalLink(tenantId, made.id)).toBe(true)
      await scene.advance(1000)
      expect(await scene.store.revokePortalLink(tenantId, made.id)).toBe(true)
      expect(await find(hash)).toEqual({ ...made, revokedAt })
    })

    it('are listed by tenant in pages, newest first', async () => {
      const made = []
      for (let count = 0; count < 3; count++) made.unshift((await insert()).made)
      const first = await list(2)
      expect(first.items).toEqual(made.slice(0, 2))
      expect(await list(2, first.nextCursor)).toEqual({ items: made.slice(2), nextCursor: '' })
      expect((await list(2, null, await aTenant())).items).toEqual([])
    })

    it('are removed a week after their end, however many there are', async () => {
      const gone = [await insert(), await insert({ lifeMs: hour + 1 })]
      await scene.advance(hour + endedPortalLinkMs)
      const late = await insert()
      while ((await scene.store.deleteExpiredIdempotencyKeys({ limit: 1 })).more);
      expect(await find(gone[0]?.hash as Uint8Array)).toBeNull()
      expect(await find(gone[1]?.hash as Uint8Array)).not.toBeNull()
      await scene.advance(1)
      while ((await scene.store.deleteExpiredIdempotencyKeys({ limit: 1 })).more);
      expect((await list(10)).items).toEqual([late.made])
    })

    it('go with their tenant at once', async () => {
      const { hash } = await insert()
      await scene.store.deleteTenant(tenantId)
      expect(await find(hash)).toBeNull()
    })

    it('say whose they are', async () => {
      const { made } = await insert()
      expect(await scene.store.findTenantOf(made.id)).toBe(tenantId)
    })
  })
}
