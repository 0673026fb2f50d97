import { renameSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { chdir, cwd } from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { makeDirectory, openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

let harness: SqliteHarness
beforeEach(async () => {
  harness = await openFileHarness()
})
afterEach(() => harness.close())

const isRefused = (store: SqliteStore) =>
  store.setMetaOnce('any', 'thing').then(
    () => false,
    (error: { readonly fault?: string }) => error.fault === 'moved',
  )

/** The look itself takes real time; the one after it is not needed. */
async function becomesRefusedAfter(ms: number): Promise<void> {
  await harness.clock.advance(ms)
  await expect.poll(() => isRefused(harness.store)).toBe(true)
}

it('notices within a second, and refuses every write but what belongs into a rescue', async () => {
  rmSync(harness.path)
  expect(await isRefused(harness.store)).toBe(false)
  await becomesRefusedAfter(1000)
  const moved = { code: 'store_unavailable', fault: 'moved' }
  await expect(harness.store.ping()).rejects.toMatchObject(moved)
  await expect(harness.store.publish([], { leaseMs: 1000 })).rejects.toMatchObject(moved)
  const breaker = { failureThreshold: 5, pauseMs: 1, maxPauseMs: 1, disableAfterMs: 0 }
  await harness.store.recordOutcomes([], breaker)
  await harness.store.release([])
})

it('a relative path stays the one that it was, whatever directory the program changes to', async () => {
  const before = cwd()
  const directory = makeDirectory()
  const clock = createManualClock()
  chdir(directory.path)
  const store = await openSqliteStore({ path: 'hooks.db', clock })
  chdir(dirname(directory.path))
  try {
    await clock.advance(1000)
    for (let turns = 0; turns < 50; turns++) await turn()
    expect(await isRefused(store)).toBe(false)
    renameSync(`${basename(directory.path)}/hooks.db`, `${basename(directory.path)}/other.db`)
    const refusedNow = async (): Promise<boolean> => {
      await clock.advance(1000)
      return isRefused(store)
    }
    await expect.poll(refusedNow).toBe(true)
  } finally {
    chdir(before)
    await store.close()
    directory.remove()
  }
})
