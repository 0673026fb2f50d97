import type { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, it } from 'vitest'
import type { Store } from '../../src/store/port.ts'
import { openDatabase } from '../../src/store/sqlite/database.ts'
import { BytePacker } from '../../src/store/sqlite/packed-bytes.ts'
import { migrateSqlite } from '../../src/store/sqlite/schema.ts'
import { type Call, packCall } from '../../src/store/sqlite/tick.ts'
import { Writer } from '../../src/store/sqlite/writer.ts'
import { retention } from './contract/retention.ts'
import { anOutcome, aTransportFailure, deadLetter, openScene, retryIn } from './contract/scene.ts'

/**
 * The cost of claims and outcomes must not follow the backlog, so no statement of theirs may walk a large table.
 * Every statement that the hot path prepares is put before the planner.
 */
const statements = new Set<string>()
let database: DatabaseSync

beforeAll(async () => {
  database = openDatabase(':memory:')
  migrateSqlite(database, 0)
  const recording = new Proxy(database, {
    get(target, name) {
      if (name === 'prepare') {
        return (sql: string) => {
          statements.add(sql)
          return target.prepare(sql)
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  const writer = new Writer(recording)
  let now = 1_800_000_000_000
  const call = async (name: string, ...args: readonly unknown[]): Promise<unknown> => {
    const packer = new BytePacker()
    const kind = name === 'loadRouting' || name === 'loadHealth' ? 'read' : 'write'
    const packed = packCall({ kind, name, args } as Call, packer)
    const [result] = writer.run({ now, calls: [packed], bytes: packer.pack() }).results
    if (result === undefined || !result.ok) throw new Error(JSON.stringify(result))
    return result.value
  }
  const store = new Proxy(
    {},
    {
      get:
        (_, name) =>
        (...args: readonly unknown[]) =>
          call(String(name), ...args),
    },
  ) as Store
  const scene = await openScene(async () => ({
    store,
    now: () => now,
    advance: async (ms) => {
      now += ms
    },
    close: async () => {},
  }))

  const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
  statements.clear()
  const idempotency = { scope: '', key: 'k', hash: new Uint8Array(32), ttlMs: 1000 }
  await scene.publish({ routes, handOff: true, idempotency })
  await scene.publish({ routes, handOff: true, idempotency })
  await scene.publishMany(20, { routes })
  const { deliveries } = await scene.claim()
  const [a, b, c, d, ...rest] = deliveries
  if (a === undefined || b === undefined || c === undefined || d === undefined)
    throw new Error('nothing claimed')
  await scene.record(anOutcome(a), anOutcome(b, { next: retryIn(1) }), anOutcome(c, { next: deadLetter }))
  await store.release([{ deliveryId: d.id, claimVersion: 1, delayMs: 0 }])
  await store.replay(a.tenantId, c.id)
  await scene.record(...rest.map((delivery) => aTransportFailure(delivery, now)))
  await scene.advance(60_000)
  await scene.claim()
  await store.reconcileReady({ limit: 10 })
  await store.removeExpired({ retention, limit: 10 })
})

it('covers the statements of the hot path', () => {
  expect(statements.size).toBeGreaterThan(20)
})

it('never walks a large table, nor sorts one', () => {
  const bad: string[] = []
  for (const sql of statements) {
    // Routing is loaded once per change of the configuration, and is small.
    if (sql.includes('endpoint_secrets')) continue
    for (const row of database.prepare(`explain query plan ${sql}`).all()) {
      const detail = String(row.detail)
      const walks =
        /^SCAN (d|e|p|events|event_payloads|live_deliveries|deliveries|attempts|idempotency_keys)\b/.test(
          detail,
        )
      const walksReady = /^SCAN ready_endpoints/.test(detail) && !/limit 1\s*$/.test(sql)
      if (walks || walksReady || detail.includes('TEMP B-TREE FOR ORDER BY')) bad.push(`${detail}: ${sql}`)
    }
  }
  expect(bad).toEqual([])
})

it('finds due deliveries through the index of due times', () => {
  const claims = [...statements].filter((sql) => sql.includes('from live_deliveries d'))
  expect(claims.length).toBeGreaterThan(0)
  for (const sql of claims) {
    const plan = database
      .prepare(`explain query plan ${sql}`)
      .all()
      .map((row) => String(row.detail))
    expect(plan[0]).toMatch(
      /^SEARCH d USING INDEX live_deliveries_due \(target_id=\? AND \(due_at,id\)>\(\?,\?\) AND due_at<\?\)/,
    )
  }
})
