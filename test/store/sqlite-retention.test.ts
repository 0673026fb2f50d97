import { expect, test } from 'vitest'
import { dayMs, removeAll, retention } from './contract/retention.ts'
import { openScene } from './contract/scene.ts'
import { openMemoryHarness } from './sqlite-harness.ts'

test('publishes wait for no more than 8 MiB of payloads to be freed', async () => {
  const scene = await openScene(openMemoryHarness)
  try {
    await scene.publishMany(40, { payload: new Uint8Array(262_144) })
    await scene.advance(30 * dayMs)
    expect(await scene.store.removeExpired({ retention, limit: 1000 })).toMatchObject({
      removed: { payloads: 32 },
      more: true,
    })
    expect(await removeAll(scene)).toMatchObject({ payloads: 8 })
  } finally {
    await scene.close()
  }
})
