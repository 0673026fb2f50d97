/** Browsers that are signed in, and codes that sign one in. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type OpenHarness, openScene, type Scene } from './scene.ts'

const lifeMs = 12 * 3_600_000

export function describeSignIns(open: OpenHarness): void {
  let scene: Scene
  beforeEach(async () => {
    scene = await openScene(open)
  })
  afterEach(() => scene.close())

  const hashOf = (text: string) => new Uint8Array(createHash('sha256').update(text).digest())
  const insert = (text: string, life = lifeMs) =>
    scene.store.insertSignIn({ hash: hashOf(text), tokenHash: hashOf(`token of ${text}`), lifeMs: life })

  describe('sign-ins', () => {
    it('are found until they end by the clock of the store, each in its place', async () => {
      const until = await insert('one')
      expect(until).toBe(scene.now() + lifeMs)
      await insert('two', 1_000)
      const hashes = ['none', 'two', 'one'].map(hashOf)
      const one = { tokenHash: hashOf('token of one'), until }
      expect((await scene.store.findSignIns(hashes)).map((found) => found !== null)).toEqual([
        false,
        true,
        true,
      ])
      await scene.advance(1_000)
      expect(await scene.store.findSignIns(hashes)).toEqual([null, null, one])
      await scene.advance(lifeMs - 1_001)
      expect(await scene.store.findSignIns(hashes)).toEqual([null, null, one])
      await scene.advance(1)
      expect(await scene.store.findSignIns(hashes)).toEqual([null, null, null])
    })

    it('are taken once, by one of all who ask', async () => {
      const until = await insert('code')
      const { store } = scene
      const taken = await Promise.all(Array.from({ length: 8 }, () => store.takeSignIn(hashOf('code'))))
      const found = { tokenHash: hashOf('token of code'), until }
      expect(taken.filter((one) => one !== null)).toEqual([found])
      expect(await store.findSignIns([hashOf('code')])).toEqual([null])
      expect(await store.takeSignIn(hashOf('code'))).toBeNull()
    })

    it('are taken by nobody after their end', async () => {
      await insert('late', 60_000)
      await scene.advance(60_000)
      expect(await scene.store.takeSignIn(hashOf('late'))).toBeNull()
    })
  })
}
