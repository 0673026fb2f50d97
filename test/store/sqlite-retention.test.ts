import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayMs, removeAll, retention } from './contract/retention.ts'
import { checkHistory, histories } from './contract/retention-histories.ts'
import { openScene } from './contract/scene.ts'
import { openMemoryHarness } from './sqlite-harness.ts'

// The contract runs two of them on every store.
test('through many random histories nothing that is live or can be replayed loses its payload', async () => {
  await fc.assert(
    fc.asyncProperty(histories, (steps) => checkHistory(openMemoryHarness, steps)),
    { numRuns: 100 },
  )
}, 120_000)

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
