import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, expect, it } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { anOutcome, leaseMs, openScene, type Scene } from './contract/scene.ts'
import { makeDirectory, openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

const cleanups: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function openFile(): Promise<{ readonly scene: Scene; readonly harness: SqliteHarness }> {
  const harness = await openFileHarness()
  cleanups.push(() => harness.close())
  return { harness, scene: await openScene(async () => harness) }
}

it('runs with the settings that durability rests on', async () => {
  const { harness } = await openFile()
  const { store } = harness
  expect(await store.readPragma('journal_mode')).toBe('wal')
  expect(await store.readPragma('synchronous')).toBe(2)
  expect(await store.readPragma('wal_autocheckpoint')).toBe(16_000)
  if (process.platform === 'darwin') expect(await store.readPragma('fullfsync')).toBe(1)
})

it('commits concurrent publishes together', async () => {
  const { scene, harness } = await openFile()
  const before = harness.store.commits
  const events = await Promise.all(Array.from({ length: 300 }, () => scene.anEvent({ routingVersion: 1 })))
  await Promise.all(events.map((event) => scene.store.publish([event], { leaseMs })))
  expect(harness.store.commits - before).toBe(1)
})

it('lets no tick take more than a thousand deliveries of publishes', async () => {
  const { scene, harness } = await openFile()
  const before = harness.store.commits
  const events = await Promise.all(Array.from({ length: 2500 }, () => scene.anEvent({ routingVersion: 1 })))
  await Promise.all(events.map((event) => scene.store.publish([event], { leaseMs })))
  expect(harness.store.commits - before).toBe(3)
})

it('rejects as unavailable on a full disk, loses nothing, goes on reading, and works again with room', async () => {
  const { scene, harness } = await openFile()
  const route = await scene.anEndpoint()
  const kept = await scene.publish({ routes: [route], handOff: true })
  await harness.store.setMaxPageCount(1)
  const payload = new Uint8Array(100_000)
  const refused = [
    await scene.anEvent({ routes: [route], payload }),
    await scene.anEvent({ routes: [route], payload }),
  ]
  const results = await Promise.allSettled(refused.map((event) => scene.store.publish([event], { leaseMs })))
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } })
  }
  expect(await scene.store.getEvent(defaultTenantId, kept.event.id)).not.toBeNull()
  expect(await scene.store.getEvent(defaultTenantId, refused[0]?.id ?? '')).toBeNull()

  await harness.store.setMaxPageCount(1_000_000)
  expect(await scene.store.publish(refused, { leaseMs })).toHaveLength(2)
  const claimed = { id: kept.deliveryId, claimVersion: 1, attemptCount: 0 }
  expect((await scene.record(anOutcome(claimed))).recorded).toEqual([true])
  expect((await scene.store.counts()).deliveries).toMatchObject({ succeeded: 1, pending: 2 })
})

it('remembers when it is opened again what of a rate was spent, and by how much time has made up for it', async () => {
  const directory = makeDirectory()
  cleanups.push(() => directory.remove())
  const clock = createManualClock()
  const path = join(directory.path, 'hooks.db')
  const openAgain = async () => {
    const store = await openSqliteStore({ path, clock })
    const harness = { store, now: () => clock.now(), advance: clock.advance, close: () => store.close() }
    return openScene(async () => harness)
  }
  const first = await openAgain()
  const route = await first.anEndpoint({ rateLimitRps: 2 })
  await first.publishMany(10, { routes: [route] })
  expect((await first.claim()).deliveries).toHaveLength(4)
  await first.close()
  const second = await openAgain()
  // The leases of the process before are void; its tokens stay spent.
  expect((await second.claim()).deliveries).toEqual([])
  await clock.advance(1500)
  expect((await second.claim()).deliveries).toHaveLength(3)
  await second.close()
})

it('takes every lease back when it is opened again', async () => {
  const directory = makeDirectory()
  cleanups.push(() => directory.remove())
  const path = join(directory.path, 'hooks.db')
  const clock = createManualClock()
  const open = async () => ({
    store: await openSqliteStore({ path, clock, inProcess: true }),
    now: () => clock.now(),
    advance: (ms: number) => clock.advance(ms),
    close: async () => {},
  })
  const before = await openScene(open)
  const route = await before.anEndpoint()
  const { deliveryId } = await before.publish({ routes: [route], handOff: true })
  await before.store.close()

  const after = await openScene(open)
  cleanups.push(() => after.store.close())
  expect(await after.claimOne()).toMatchObject({ id: deliveryId, claimVersion: 2, lostClaims: 1 })
})

it('refuses a database that a newer Outhook has changed, and one of something else', async () => {
  const directory = makeDirectory()
  cleanups.push(() => directory.remove())
  const clock = createManualClock()
  const newer = join(directory.path, 'newer.db')
  await (await openSqliteStore({ path: newer, clock, inProcess: true })).close()
  const database = new DatabaseSync(newer)
  database.exec(
    `insert into schema_migrations (version, name, applied_at, oldest_compatible) values (99, 'later', 0, 98)`,
  )
  database.close()
  await expect(openSqliteStore({ path: newer, clock })).rejects.toMatchObject({ code: 'store_incompatible' })

  const foreign = join(directory.path, 'foreign.db')
  const other = new DatabaseSync(foreign)
  other.exec('create table something_else (id integer)')
  other.close()
  await expect(openSqliteStore({ path: foreign, clock })).rejects.toMatchObject({
    code: 'store_incompatible',
  })
})

it('opens a database whose newer schema this binary still understands', async () => {
  const directory = makeDirectory()
  cleanups.push(() => directory.remove())
  const clock = createManualClock()
  const path = join(directory.path, 'hooks.db')
  await (await openSqliteStore({ path, clock, inProcess: true })).close()
  const database = new DatabaseSync(path)
  database.exec(
    `insert into schema_migrations (version, name, applied_at, oldest_compatible) values (99, 'later', 0, 1)`,
  )
  database.close()
  const store = await openSqliteStore({ path, clock, inProcess: true })
  await store.ping()
  await store.close()
})

it('says why a database cannot be opened', async () => {
  const path = join(makeDirectoryForTest(), 'missing', 'hooks.db')
  await expect(openSqliteStore({ path, clock: createManualClock() })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('hooks.db cannot be made or written (ENOENT)'),
  })
})

function makeDirectoryForTest(): string {
  const directory = makeDirectory()
  cleanups.push(() => directory.remove())
  return directory.path
}
