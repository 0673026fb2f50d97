import type { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, it } from 'vitest'
import { openWriterScene } from './a-writer.ts'
import { retention } from './contract/retention.ts'
import { anOutcome, aTransportFailure, deadLetter, retryIn } from './contract/scene.ts'

/**
 * The cost of claims and outcomes must not follow the backlog, so no statement of theirs may walk a large table.
 * Every statement that the hot path prepares is put before the planner.
 */
const statements = new Set<string>()
let database: DatabaseSync

beforeAll(async () => {
  const scene = await openWriterScene((sql, statement) => {
    statements.add(sql)
    return statement
  })
  database = scene.database
  const { store } = scene
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
  await scene.record(...rest.map((delivery) => aTransportFailure(delivery, scene.now())))
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
      const readsLast = / order by k desc limit 1$/.test(sql)
      const walksReady = /^SCAN ready_endpoints/.test(detail) && !/limit 1\s*$/.test(sql)
      if ((walks && !readsLast) || walksReady || detail.includes('TEMP B-TREE FOR ORDER BY'))
        bad.push(`${detail}: ${sql}`)
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
      /^SEARCH d USING INDEX live_deliveries_due \(target=\? AND due_at>\? AND due_at<\?\)/,
    )
  }
})
