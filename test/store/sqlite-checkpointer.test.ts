import { copyFileSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { Checkpointer } from '../../src/store/sqlite/connection/checkpointer.ts'
import type { Copied } from '../../src/store/sqlite/connection/database.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { leaseMs, openScene, type Scene } from './contract/scene.ts'
import { openFileHarness, type SqliteHarness } from './sqlite-harness.ts'

function aCheckpointer() {
  const clock = createManualClock()
  const done: string[] = []
  const next: { copied: Copied | null; error: Error | null } = {
    copied: { log: 100, isWhole: true },
    error: null,
  }
  const checkpointer = new Checkpointer({
    clock,
    async copy() {
      done.push(`copy ${clock.elapsed()}`)
      if (next.error !== null) throw next.error
      return next.copied
    },
    async finish() {
      done.push('finish')
    },
  })
  /** A commit every millisecond for so long. */
  let changes = 0
  const commitFor = async (ms: number, rows = 1): Promise<readonly string[]> => {
    for (let at = 0; at < ms; at++) {
      await clock.advance(1)
      changes += rows
      checkpointer.runIfDue(changes)
    }
    await checkpointer.idle()
    return done.splice(0)
  }
  return { clock, next, commitFor }
}

describe('the checkpointer', () => {
  it('works once a second, and only after commits', async () => {
    const { clock, commitFor } = aCheckpointer()
    expect(await commitFor(999)).toEqual([])
    expect(await commitFor(1001)).toEqual(['copy 1000', 'finish', 'copy 2000', 'finish'])
    await clock.advance(10_000)
    expect(await commitFor(1)).toEqual(['copy 12001', 'finish'])
  })

  it('is not woken by commits that changed nothing, as those of an idle process', async () => {
    const { next, commitFor } = aCheckpointer()
    expect(await commitFor(1000)).toEqual(['copy 1000', 'finish'])
    expect(await commitFor(5000, 0)).toEqual([])
    next.copied = { log: 100, isWhole: false }
    await commitFor(1)
    expect(await commitFor(1000, 0)).toEqual(['copy 7001'])
  })

  it('works more often while the log grows fast', async () => {
    const { next, commitFor } = aCheckpointer()
    next.copied = { log: 16_000, isWhole: true }
    expect(await commitFor(1750)).toEqual([
      'copy 1000',
      'finish',
      'copy 1500',
      'finish',
      'copy 1750',
      'finish',
    ])
    next.copied = { log: 1_000_000, isWhole: true }
    expect(await commitFor(325)).toEqual([
      'copy 1875',
      'finish',
      'copy 1975',
      'finish',
      'copy 2075',
      'finish',
    ])
  })

  it('leaves the writer alone while a snapshot holds pages back, or the copy failed', async () => {
    const { next, commitFor } = aCheckpointer()
    next.copied = { log: 100, isWhole: false }
    expect(await commitFor(1000)).toEqual(['copy 1000'])
    next.copied = null
    expect(await commitFor(1000)).toEqual(['copy 2000'])
    next.error = new Error('the thread is gone')
    expect(await commitFor(1000)).toEqual(['copy 3000'])
  })
})

describe('a store on a file', () => {
  const cleanups: (() => Promise<void> | void)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  async function openFile(): Promise<{ readonly scene: Scene; readonly harness: SqliteHarness }> {
    const harness = await openFileHarness()
    cleanups.push(() => harness.close())
    return { harness, scene: await openScene(async () => harness) }
  }

  async function publishSome(scene: Scene): Promise<void> {
    const payload = new Uint8Array(40_000)
    const events = await Promise.all(Array.from({ length: 100 }, () => scene.anEvent({ payload })))
    await Promise.all(events.map((event) => scene.store.publish([event], { leaseMs })))
  }

  /** Without its log, as it is on the disk. */
  function eventsIn(path: string): number {
    copyFileSync(path, `${path}.alone`)
    const database = new DatabaseSync(`${path}.alone`)
    cleanups.push(() => database.close())
    const isThere = database.prepare(`select 1 from sqlite_schema where name = 'events'`).get() !== undefined
    return isThere ? (database.prepare('select count(*) as n from events').get()?.n as number) : 0
  }

  it('moves its log into the database beside the writer, and then uses it again from the start', async () => {
    const { harness, scene } = await openFile()
    await publishSome(scene)
    const fromStart = statSync(`${harness.path}-wal`).size
    for (let round = 1; round <= 5; round++) {
      await harness.advance(1000)
      // The commit after which the checkpoint begins.
      await scene.store.foldCounts({ limit: 1 })
      await expect.poll(() => eventsIn(harness.path)).toBe(round * 100)
      await publishSome(scene)
    }
    expect(statSync(`${harness.path}-wal`).size).toBeLessThan(fromStart * 2)
  })

  it('goes on while somebody holds a snapshot, and catches up after it', async () => {
    const { harness, scene } = await openFile()
    await publishSome(scene)
    const snapshot = new DatabaseSync(harness.path, { readOnly: true })
    snapshot.exec('begin')
    expect(snapshot.prepare('select count(*) as n from events').get()?.n).toBe(100)
    await publishSome(scene)
    await harness.advance(1000)
    await scene.store.foldCounts({ limit: 1 })
    // The reader answers after the checkpoint that it was asked for before.
    await scene.store.ping()
    expect(eventsIn(harness.path)).toBeLessThan(200)
    expect(snapshot.prepare('select count(*) as n from events').get()?.n).toBe(100)
    snapshot.close()
    await harness.advance(1000)
    await scene.store.foldCounts({ limit: 1 })
    await expect.poll(() => eventsIn(harness.path)).toBe(200)
  })
})
