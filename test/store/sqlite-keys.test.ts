/** The integers that key the large tables of SQLite. */
import type { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { bytesToId, createIdFactory, idPrefixes, idToBytes } from '../../src/core/ids.ts'
import { openDatabase } from '../../src/store/sqlite/connection/database.ts'
import { migrateSqlite } from '../../src/store/sqlite/connection/schema.ts'
import { StatementCache } from '../../src/store/sqlite/connection/statement-cache.ts'
import { findKey, KeySpace, keyAt } from '../../src/store/sqlite/rows/key-space.ts'

let database: DatabaseSync
beforeEach(() => {
  database = openDatabase(':memory:')
  migrateSqlite(database, 0)
})
afterEach(() => database.close())

const start = 1_800_000_000_000
const nothing = { has: () => false, entries: () => [] }

/** As after a start: it knows what is in the table. */
function aKeySpace(): KeySpace {
  const toId = (bytes: Uint8Array) => bytesToId(idPrefixes.event, bytes)
  return new KeySpace(new StatementCache(database), { tables: ['events'], unwritten: nothing, toId })
}

function insert(space: KeySpace, id: string): number {
  const key = space.next(id)
  database
    .prepare(
      'insert into events (k, id, tenant, created_at, fan_out, payload_bytes) values (?, ?, 1, 0, ?, 0)',
    )
    .run(key, idToBytes(id), new Uint8Array(0))
  return key
}

const find = (id: string) => findKey(new StatementCache(database), 'events', id)

test('sort like the ids, across milliseconds and starts', () => {
  let now = start
  const ids = createIdFactory(() => now)
  const keys: number[] = []
  for (let life = 0; life < 3; life++) {
    const space = aKeySpace()
    for (let no = 0; no < 50; no++) {
      now += no % 7 === 0 ? 1 : 0
      keys.push(insert(space, ids.next('evt')))
    }
  }
  expect(keys).toEqual([...keys].sort((a, b) => a - b))
  expect(new Set(keys).size).toBe(keys.length)
})

test('of more ids than a millisecond has room for run over, and every one is found', () => {
  const ids = createIdFactory(() => start)
  const later = createIdFactory(() => start + 1)
  const space = aKeySpace()
  const made = Array.from({ length: 10_000 }, () => ids.next('evt'))
  const keys = new Map(made.map((id) => [id, insert(space, id)]))
  const next = later.next('evt')
  keys.set(next, insert(space, next))
  expect(keys.get(next)).toBeGreaterThan(keyAt(start + 2))
  for (const id of [made[0], made[4095], made[4096], made[7777], made[9999], next]) {
    expect(find(id as string), id).toBe(keys.get(id as string))
  }
  expect(find(ids.next('evt'))).toBeNull()
  expect(find(createIdFactory(() => start - 1).next('evt'))).toBeNull()
})

test('are found for ids in any order, from clocks that were set back, and a used id is refused', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), fc.boolean()), { minLength: 1, maxLength: 60 }), (made) => {
      database.exec('delete from events')
      let space = aKeySpace()
      const keys = new Map<string, number>()
      for (const [ms, starts] of made) {
        if (starts) space = aKeySpace()
        const id = createIdFactory(() => start + ms).next('evt')
        keys.set(id, insert(space, id))
      }
      expect(new Set(keys.values()).size).toBe(keys.size)
      for (const [id, key] of keys) {
        expect(find(id)).toBe(key)
        expect(() => space.next(id)).toThrow('already')
      }
    }),
    { numRuns: 300 },
  )
})

test('are exact until 2090, and an id beyond takes the last ones', () => {
  for (const year of [1970, 2021, 2026, 2089, 9999]) {
    const id = createIdFactory(() => Date.UTC(year, 5)).next('evt')
    const key = insert(aKeySpace(), id)
    expect(Number.isSafeInteger(key)).toBe(true)
    expect(find(id)).toBe(key)
  }
})
