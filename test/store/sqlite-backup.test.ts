import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { backupSqlite } from '../../src/store/sqlite/copy/backup.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { openScene, type Scene } from './contract/scene.ts'
import { makeDirectory, openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

let harness: SqliteHarness
let scene: Scene
let directory: ReturnType<typeof makeDirectory>
beforeEach(async () => {
  directory = makeDirectory()
  harness = await openFileHarness()
  scene = await openScene(async () => harness)
})
afterEach(async () => {
  await harness.close()
  directory.remove()
})

it('copies one snapshot while the owner goes on writing', async () => {
  const route = await scene.anEndpoint()
  const before = await scene.publishMany(200, { routes: [route] })
  const target = join(directory.path, 'backup.db')
  let isDone = false
  const backup = backupSqlite(harness.path, target).finally(() => {
    isDone = true
  })
  let during = 0
  while (!isDone) during += (await scene.publishMany(5, { routes: [route] })).length
  await backup

  const copy = await openSqliteStore({ path: target, clock: createManualClock(), inProcess: true })
  for (const event of before) expect(await copy.getEvent(defaultTenantId, event.id)).not.toBeNull()
  const { pending } = (await copy.counts()).deliveries
  await copy.close()
  expect(during).toBeGreaterThan(0)
  expect(pending).toBeGreaterThanOrEqual(200)
  expect((await scene.store.counts()).deliveries.pending).toBe(200 + during)
})

it.skipIf(process.platform === 'win32')('is for its owner only', async () => {
  const target = join(directory.path, 'backup.db')
  await backupSqlite(harness.path, target)
  expect(statSync(target).mode & 0o777).toBe(0o600)
})

it('overwrites nothing', async () => {
  const target = join(directory.path, 'backup.db')
  writeFileSync(target, 'precious')
  await expect(backupSqlite(harness.path, target)).rejects.toMatchObject({ code: 'conflict' })
})

it('leaves nothing behind when it fails', async () => {
  const nowhere = join(directory.path, 'no', 'backup.db')
  await expect(backupSqlite(harness.path, nowhere)).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringMatching(/no.backup\.db.*\(ENOENT\)/),
  })
  await expect(
    backupSqlite(join(directory.path, 'none.db'), join(directory.path, 'b.db')),
  ).rejects.toMatchObject({
    code: 'not_found',
  })
  expect(readdirSync(directory.path)).toEqual([])
})
