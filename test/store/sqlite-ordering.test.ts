/** Lines of ordered deliveries after their process has died: the copy of a file is what kill -9 leaves of it. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { aLine, keysOf } from './contract/ordering.ts'
import { anOutcome, deadLetter, openScene } from './contract/scene.ts'
import { makeDirectory, openFileHarness } from './sqlite-harness.ts'

test('the head that was in flight goes first again, what is blocked stays so, and nobody is overtaken', async () => {
  const harness = await openFileHarness()
  const scene = await openScene(async () => harness)
  onTestFinished(() => harness.close())
  const route = await scene.anEndpoint({ ordered: true })
  const [dead, next] = await aLine(scene, route, 2, 'blocked')
  await scene.record(anOutcome(await scene.claimOne(), { next: deadLetter }))
  const ids = await aLine(scene, route, 3, 'moving')
  await scene.record(anOutcome(await scene.claimOne()))
  const inFlight = await scene.claimOne()
  expect(inFlight.id).toBe(ids[1])

  const directory = makeDirectory()
  onTestFinished(() => directory.remove())
  const path = join(directory.path, 'hooks.db')
  for (const suffix of ['', '-wal']) copyFileSync(`${harness.path}${suffix}`, `${path}${suffix}`)
  const store = await openSqliteStore({ path, clock: harness.clock })
  onTestFinished(() => store.close())
  const after = await openScene(async () => ({ ...harness, store, close: () => store.close() }))
  const again = await after.claimOne()
  expect(again).toMatchObject({ id: ids[1], lostClaims: 1 })
  await after.record(anOutcome(again))
  expect((await after.claim()).deliveries.map(({ id }) => id)).toEqual([ids[2]])
  expect(await keysOf({ store }, { blocked: true })).toMatchObject([{ headDeliveryId: dead, length: 2 }])
  expect(await store.skipDelivery(route.tenantId, dead ?? '', 'skipped')).toMatchObject({
    nextHeadDeliveryId: next,
  })
  expect((await after.claim()).deliveries.map(({ id }) => id)).toEqual([next])
})
