import type { DatabaseSync } from 'node:sqlite'
import { beforeAll, expect, it } from 'vitest'
import { openWriterScene } from './a-writer.ts'
import { retention } from './contract/retention.ts'
import { anOutcome, aTransportFailure, deadLetter, type Route, retryIn } from './contract/scene.ts'

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
  const page = { limit: 10, cursor: null }
  const tenantId = a.tenantId
  const { endpointId, subscriptionId } = routes[0] as Route
  const errorClass = 'http_500' as const
  const [topic, since, until, eventId] = ['orders.created', 1, scene.now(), a.eventId]
  for (const filter of [{}, { topic }, { since, until }]) await store.listEvents(tenantId, filter, page)
  for (const state of [
    undefined,
    'pending',
    'in_flight',
    'succeeded',
    'dead_lettered',
    'cancelled',
  ] as const) {
    for (const filter of [
      {},
      { endpointId },
      { subscriptionId },
      { eventId },
      { topic },
      { since, until },
      { errorClass },
      { errorClass, endpointId, subscriptionId, topic, since, until },
      { errorClass, eventId },
    ]) {
      await store.listDeliveries(tenantId, state === undefined ? filter : { ...filter, state }, page)
    }
  }
  for (const filter of [
    {},
    { endpointId },
    { topic },
    { since, until },
    { errorClass },
    { errorClass, endpointId },
  ]) {
    await store.listDeadLetters(tenantId, filter, page)
  }
  await store.getEvent(tenantId, eventId)
  await store.getPayload(tenantId, eventId)
  await store.getDelivery(tenantId, a.id)
  await store.listDeliveriesOfEvent(tenantId, eventId, page)
  await store.listAttempts([a.id, b.id], { withCapture: true })
})

it('covers the statements of the hot path and of listings', () => {
  expect(statements.size).toBeGreaterThan(20)
})

it('never walks a large table, nor sorts one, neither at work nor for a listing', () => {
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
      const readsLast = /^select max\(k\) as k from \w+$/.test(sql)
      const walksReady = /^SCAN ready_endpoints/.test(detail) && !/limit 1\s*$/.test(sql)
      if ((walks && !readsLast) || walksReady || detail.includes('TEMP B-TREE FOR ORDER BY'))
        bad.push(`${detail}: ${sql}`)
    }
  }
  expect(bad).toEqual([])
})

it('lists deliveries and dead letters of an error class through its index', () => {
  const listings = [...statements].filter((sql) => sql.includes('indexed by deliveries_error'))
  expect(listings.length).toBeGreaterThan(3)
  for (const sql of listings) {
    const plan = database.prepare(`explain query plan ${sql}`).all()
    expect(String(plan[0]?.detail)).toMatch(
      /^SEARCH d USING .*INDEX deliveries_error \(tenant=\? AND error_class=\?/,
    )
  }
})

it('finds due deliveries through the index of due times', () => {
  const claims = [...statements].filter((sql) => sql.includes('from live_deliveries d indexed by'))
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
