import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../../src/core/model.ts'
import type { KeptWrite, NewKeptRequest } from '../../../src/store/port.ts'
import { aKey, type OpenHarness, openScene, type Scene } from './scene.ts'

const ttlMs = 60_000

function aRequest(name: string): NewKeptRequest {
  return { id: Buffer.from(name.padEnd(32)), hash: new Uint8Array(32).fill(1), seed: Uint8Array.of(7), ttlMs }
}

export function describeRequests(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const aWrite = (): KeptWrite => ({
    name: 'insertApiKey',
    args: [{ key: aKey(scene.ids), hash: new Uint8Array(32).fill(Math.random() * 256) }],
  })
  const countKeys = async (): Promise<number> => {
    const owner = { kind: 'producer', tenantId: defaultTenantId } as const
    return (await scene.store.listApiKeys(owner, { limit: 100, cursor: null })).items.length
  }

  describe('kept requests', () => {
    it('writes once under an id, with the result and then the answer', async () => {
      const { store } = scene
      const request = aRequest('a')
      expect(await store.getRequest(request.id)).toBeNull()
      const written = await store.writeOnce(request, aWrite())
      expect(written).toMatchObject({ kind: 'done', result: { name: 'ci' } })
      const kept = { hash: request.hash, seed: request.seed, answer: null }
      const result = written.kind === 'done' ? written.result : null
      expect(await store.getRequest(request.id)).toEqual({ ...kept, write: { name: 'insertApiKey', result } })
      expect(await store.writeOnce(request, aWrite())).toEqual({ kind: 'taken' })
      expect(await countKeys()).toBe(1)
      await store.keepAnswer(request, Uint8Array.of(1, 2))
      expect((await store.getRequest(request.id))?.answer).toEqual(Uint8Array.of(1, 2))
    })

    it('writes once of twenty at one moment', async () => {
      const request = aRequest('b')
      const written = await Promise.all(
        Array.from({ length: 20 }, () => scene.store.writeOnce(request, aWrite())),
      )
      expect(written.filter(({ kind }) => kind === 'done')).toHaveLength(1)
      expect(await countKeys()).toBe(1)
    })

    it('keeps nothing of what is refused or fails, and the answer of what writes nothing', async () => {
      const { store } = scene
      const request = aRequest('c')
      const refused = { name: 'replay', args: [defaultTenantId, scene.ids.next('dlv')] } as const
      expect(await store.writeOnce(request, refused)).toEqual({ kind: 'done', result: { kind: 'not_found' } })
      expect(await store.getRequest(request.id)).toBeNull()
      const write = aWrite()
      await store.writeOnce(aRequest('d'), write)
      await expect(store.writeOnce(request, write)).rejects.toMatchObject({ code: 'store_refused' })
      expect(await store.getRequest(request.id)).toBeNull()
      await store.keepAnswer(request, Uint8Array.of(3))
      expect(await store.getRequest(request.id)).toMatchObject({ write: null, answer: Uint8Array.of(3) })
    })

    it('forgets it after its time, as an idempotency key, and removes it', async () => {
      const { store } = scene
      const request = aRequest('e')
      await store.writeOnce(request, aWrite())
      await scene.advance(ttlMs)
      expect(await store.getRequest(request.id)).toBeNull()
      expect(await store.writeOnce(request, aWrite())).toMatchObject({ kind: 'done' })
      await store.keepAnswer(aRequest('f'), Uint8Array.of(1))
      await scene.advance(ttlMs)
      expect(await store.deleteExpiredIdempotencyKeys({ limit: 1 })).toEqual({ more: true })
      while ((await store.deleteExpiredIdempotencyKeys({ limit: 1 })).more);
      // Nothing is left to be replaced.
      expect(await store.getRequest(request.id)).toBeNull()
    })
  })
}
