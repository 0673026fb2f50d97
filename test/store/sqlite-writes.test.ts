/**
 * What a delivery costs the writer, counted from the schema and the statements: entries of b-trees that are added, taken
 * away or changed, and the bytes that stay. A new index or statement changes a number here that somebody has to look at.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openWriterScene, type WriterScene } from './a-writer.ts'
import { anOutcome } from './contract/scene.ts'

const deliveries = 8

interface Tree {
  readonly name: string
  /** All its entries, by what identifies them. */
  readonly sql: string
}

/** Every table and every index, with the rows that are in it. */
function treesOf(database: DatabaseSync): readonly Tree[] {
  const tables = database.prepare(`select name, sql from sqlite_schema where type = 'table'`).all()
  const indexes = database.prepare(`select name, tbl_name, sql from sqlite_schema where type = 'index'`).all()
  const isCounted = ({ name }: { name?: unknown }) =>
    !/^(sqlite_|delivery_counts|stats_deltas)/.test(String(name))
  return [
    ...tables.filter(isCounted).map(({ name }) => ({ name: String(name), sql: `select * from ${name}` })),
    ...indexes.filter(isCounted).map(({ name, tbl_name, sql }) => {
      const table = String(tbl_name)
      const columns = database
        .prepare(`select name from pragma_index_xinfo('${name}')`)
        .all()
        .map((column) => (column.name ?? rowidOf(table)) as string)
      const condition = / where (.*)$/is.exec(String(sql))?.[1] ?? 'true'
      return { name: String(name), sql: `select ${columns.join(', ')} from ${table} where ${condition}` }
    }),
  ]
}

const rowidOf = (table: string) => (table === 'attempts' ? 'delivery_k' : 'rowid')

const entriesOf = (database: DatabaseSync, { sql }: Tree): ReadonlySet<string> =>
  new Set(
    database
      .prepare(sql)
      .all()
      .map((row) =>
        JSON.stringify(
          Object.values(row).map((value) =>
            value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
          ),
        ),
      ),
  )

/** A row that only changes counts once in its table, and an entry that moves twice in its index. */
function changesOf(before: ReadonlySet<string>, after: ReadonlySet<string>, isTable: boolean): number {
  const gone = [...before].filter((entry) => !after.has(entry)).length
  const added = [...after].filter((entry) => !before.has(entry)).length
  return isTable ? Math.max(gone, added) : gone + added
}

/** A scene whose b-tree changes are counted, by tree, from the call of `count` on. */
async function aCountedScene() {
  let scene: WriterScene | null = null
  let changes: Map<string, number> | null = null
  const snapshot = () => {
    const { database } = scene as WriterScene
    return treesOf(database).map((tree) => ({ tree, entries: entriesOf(database, tree) }))
  }
  const counted = (_: string, statement: StatementSync): StatementSync =>
    new Proxy(statement, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        return (...args: unknown[]) => {
          if (changes === null || name === 'iterate') return value.apply(target, args)
          const before = snapshot()
          const result: unknown = value.apply(target, args)
          for (const [index, { tree, entries }] of snapshot().entries()) {
            const was = before[index]?.entries ?? new Set()
            const by = changesOf(was, entries, !tree.sql.includes(' where '))
            if (by > 0) changes.set(tree.name, (changes.get(tree.name) ?? 0) + by)
          }
          return result
        }
      },
    })
  scene = await openWriterScene(counted)
  const count = () => {
    changes = new Map()
    return changes
  }
  return { scene, count }
}

/** Per delivery; what is written once for a batch is given as such. */
function perDelivery(changes: ReadonlyMap<string, number>, batches: readonly string[]) {
  const sorted = [...changes].sort(([a], [b]) => (a < b ? -1 : 1))
  const ofDeliveries = sorted.filter(([name]) => !batches.includes(name))
  return {
    each: Object.fromEntries(ofDeliveries.map(([name, number]) => [name, number / deliveries])),
    total: ofDeliveries.reduce((sum, [, number]) => sum + number, 0) / deliveries,
    perBatch: Object.fromEntries(sorted.filter(([name]) => batches.includes(name))),
  }
}

const perBatch = ['handoffs', 'ready_endpoints', 'ready_endpoints_next', 'ready_endpoints_tenant']

test('a delivery that is handed off and succeeds changes 4 entries of b-trees, and 2 a batch', async () => {
  const { scene, count } = await aCountedScene()
  const route = await scene.anEndpoint()
  await scene.publish({ routes: [route], handOff: true })
  const events = []
  for (let each = 0; each < deliveries; each++)
    events.push(await scene.anEvent({ routes: [route], handOff: true }))
  const changes = count()
  await scene.store.publish(events, { leaseMs: 30_000 })
  const leased = events.map(({ deliveries: [first] }) => ({
    id: first?.id ?? '',
    claimVersion: 1,
    attemptCount: 0,
  }))
  await scene.record(...leased.map((delivery) => anOutcome(delivery)))
  expect(perDelivery(changes, perBatch)).toEqual({
    each: { deliveries: 1, deliveries_endpoint: 1, events: 1, events_topic: 1 },
    total: 4,
    perBatch: { handoffs: 2 },
  })
})

test('a delivery that waits, is claimed and succeeds changes 9, and a few a batch', async () => {
  const { scene, count } = await aCountedScene()
  const route = await scene.anEndpoint()
  await scene.publish({ routes: [route], handOff: true })
  const changes = count()
  await scene.publishMany(deliveries, { routes: [route] })
  const { deliveries: claimed } = await scene.claim()
  await scene.record(...claimed.map((delivery) => anOutcome(delivery)))
  const counted = perDelivery(changes, perBatch)
  expect(counted.each).toEqual({
    deliveries: 1,
    deliveries_endpoint: 1,
    events: 1,
    events_topic: 1,
    live_deliveries: 3,
    live_deliveries_due: 2,
  })
  expect(counted.total).toBe(9)
})

test('of an event of 500 bytes and its delivery stay 700 bytes, the answer of the receiver among them', async () => {
  const scene = await openWriterScene((_, statement) => statement)
  const route = await scene.anEndpoint()
  const bytes = () => {
    const row = scene.database.prepare('select sum(payload) as bytes from dbstat').get()
    return row?.bytes as number
  }
  const payload = new Uint8Array(500)
  const body = new Uint8Array(0)
  const deliver = async (count: number) => {
    const events = await scene.publishMany(count, { routes: [route], handOff: true, payload })
    const leased = events.map(({ deliveries: [first] }) => ({
      id: first?.id ?? '',
      claimVersion: 1,
      attemptCount: 0,
    }))
    await scene.record(...leased.map((delivery) => anOutcome(delivery, { body })))
  }
  await deliver(100)
  const before = bytes()
  await deliver(1000)
  expect(Math.round((bytes() - before) / 1000)).toBe(700)
})
