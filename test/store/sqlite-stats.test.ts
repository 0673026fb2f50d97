/** Figures over time on a file: what a crash leaves of them is what it leaves of the deliveries. */
import { copyFileSync, existsSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { anOutcome, deadLetter, openScene, type Scene } from './contract/scene.ts'
import { foldStats, readFigures } from './read-figures.ts'
import { openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

let harness: SqliteHarness
let scene: Scene
beforeEach(async () => {
  harness = await openFileHarness({ inProcess: true })
  scene = await openScene(async () => harness)
})
afterEach(() => harness.close())

test('the figures of a file as a crash leaves it, between folds or not, are those of its deliveries', async () => {
  const route = await scene.anEndpoint()
  for (let round = 0; round < 4; round++) {
    await scene.publishMany(3, { routes: [route] })
    const { deliveries } = await scene.claim()
    await scene.record(
      ...deliveries.map((each, index) => anOutcome(each, index === 0 ? { next: deadLetter } : {})),
    )
    if (round % 2 === 1) await foldStats(scene.store, 1)
    const path = `${harness.path}.crash-${round}`
    for (const suffix of ['', '-wal']) {
      if (existsSync(harness.path + suffix)) copyFileSync(harness.path + suffix, path + suffix)
    }
    const store = await openSqliteStore({ path, clock: harness.clock, inProcess: true })
    try {
      for (const fold of [false, true]) {
        if (fold) await foldStats(store)
        const figures = await readFigures(store)
        const { succeeded, dead_lettered } = (await store.counts()).deliveries
        expect(figures.events).toBe(3 * (round + 1))
        expect(figures.deliveries).toMatchObject({ succeeded, dead_lettered })
        expect(succeeded).toBe(2 * (round + 1))
      }
    } finally {
      await store.close()
    }
  }
})
