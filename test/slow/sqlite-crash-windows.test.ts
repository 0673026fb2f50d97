/** What a process leaves that is killed with leases in its memory, window by window, and what the next one makes of it. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { anOutcome, breaker, leaseMs } from '../store/contract/scene.ts'
import { makeDirectory } from '../store/sqlite-harness.ts'
import { pause } from './api-calls.ts'
import { type ChildStore, startChildStore } from './child-store.ts'

let directory: ReturnType<typeof makeDirectory>
let child: ChildStore | null = null
let store: SqliteStore | null = null
beforeEach(() => {
  directory = makeDirectory()
})
afterEach(async () => {
  await store?.close()
  await child?.kill()
  store = null
  child = null
  directory.remove()
})
const path = () => join(directory.path, 'hooks.db')

/** Lives so long, and is killed; what it told. */
async function live<Told>(life: string): Promise<Told> {
  child = startChildStore(path(), life, 'sqlite-life-child')
  await child.waitForLines(2)
  await child.kill()
  return JSON.parse(child.lines[1] ?? 'null') as Told
}

async function open(): Promise<SqliteStore> {
  store = await openSqliteStore({ path: path(), clock: createSystemClock() })
  return store
}

async function claimAll(from: SqliteStore) {
  const { deliveries } = await from.claim({ limit: 1000, maxBytes: 1e9, leaseMs, slots: new Map() })
  return deliveries
}

function rowsOfHandoffs(): number {
  const database = new DatabaseSync(path(), { readOnly: true })
  try {
    return database.prepare('select count(*) as n from handoffs').get()?.n as number
  } finally {
    database.close()
  }
}

test('killed between the commit and the first attempt: everything is due, with one lost claim', async () => {
  const ids = await live<string[]>('hand off')
  expect(rowsOfHandoffs()).toBe(1)
  const next = await open()
  expect(rowsOfHandoffs()).toBe(0)
  const claimed = await claimAll(next)
  expect(claimed.map(({ id }) => id)).toEqual(ids)
  for (const each of claimed) expect(each).toMatchObject({ claimVersion: 2, lostClaims: 1, attemptCount: 0 })
})

test('killed between the attempt and its record: the outcome of the lost lease counts no more', async () => {
  const [id = ''] = await live<string[]>('hand off')
  const next = await open()
  const late = anOutcome({ id, claimVersion: 1, attemptCount: 0 })
  expect(await next.recordOutcomes([late], breaker)).toMatchObject({ recorded: [false] })
  const again = (await claimAll(next)).find((claimed) => claimed.id === id)
  expect(again).toMatchObject({ claimVersion: 2 })
  expect(await next.recordOutcomes([late], breaker)).toMatchObject({ recorded: [false] })
  const outcome = anOutcome({ id, claimVersion: 2, attemptCount: 0 })
  expect(await next.recordOutcomes([outcome], breaker)).toMatchObject({ recorded: [true] })
  expect(await next.listAttempts([id], { withCapture: false })).toMatchObject([{ claimVersion: 2 }])
})

test('killed between a record and the end of the commit’s row: what is recorded stays as it is', async () => {
  const [first = '', second = '', third = ''] = await live<string[]>('record two of three')
  expect(rowsOfHandoffs()).toBe(1)
  const next = await open()
  const read = (id: string) => next.getDelivery(defaultTenantId, id)
  expect(await read(first)).toMatchObject({ state: 'succeeded', claimVersion: 1 })
  expect(await read(second)).toMatchObject({ state: 'retry_scheduled', attemptCount: 1 })
  expect(await read(third)).toMatchObject({ state: 'pending', attemptCount: 0 })
  expect((await next.counts()).deliveries).toMatchObject({
    succeeded: 1,
    retry_scheduled: 1,
    pending: 1,
    in_flight: 0,
  })
  const lost = new Map((await claimAll(next)).map(({ id, lostClaims }) => [id, lostClaims]))
  expect(lost).toEqual(
    new Map([
      [second, 0],
      [third, 1],
    ]),
  )
})

test('killed after the last record: nothing is left to recover', async () => {
  const ids = await live<string[]>('record all')
  expect(rowsOfHandoffs()).toBe(0)
  const next = await open()
  expect(await claimAll(next)).toEqual([])
  expect((await next.counts()).deliveries).toMatchObject({ succeeded: ids.length, pending: 0, in_flight: 0 })
})

test('killed twice in a row, as handed off and as claimed: two lost claims', async () => {
  const ids = await live<string[]>('hand off')
  expect((await live<string[]>('claim')).length).toBe(ids.length)
  const claimed = await claimAll(await open())
  expect(claimed.map(({ id }) => id)).toEqual(ids)
  for (const each of claimed) expect(each).toMatchObject({ claimVersion: 3, lostClaims: 2 })
})

test('killed while recovering, again and again: every lease is lost once', async () => {
  const count = await live<number>('hand off many')
  let early = 0
  for (let no = 0; no < 12; no++) {
    child = startChildStore(path(), 'recover', 'sqlite-life-child')
    await child.waitForLines(1)
    // The chaos itself; nothing is awaited with it.
    await pause(40 + 20 * no)
    await child.kill()
    if (child.lines.length === 1) early += 1
  }
  expect(early, 'kills before the store was open').toBeGreaterThan(0)
  const next = await open()
  expect((await next.counts()).deliveries).toMatchObject({ pending: count, in_flight: 0 })
  const seen = new Set<string>()
  for (let claimed = await claimAll(next); claimed.length > 0; claimed = await claimAll(next)) {
    for (const { id, lostClaims } of claimed) {
      expect(lostClaims, id).toBe(1)
      seen.add(id)
    }
  }
  expect(seen.size).toBe(count)
}, 120_000)
