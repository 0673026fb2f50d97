import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { beforeAll, expect, it } from 'vitest'
import { idToBytes } from '../../src/core/ids.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { maxLookedAt } from '../../src/store/page-reading.ts'
import type { DeliveryFilter } from '../../src/store/port.ts'
import { openWriterScene } from './a-writer.ts'
import { listEverything, workOnMany } from './contract/every-read.ts'
import { retention } from './contract/retention.ts'
import { anOutcome, aTransportFailure, deadLetter, type Route, retryIn } from './contract/scene.ts'

/**
 * The cost of claims and outcomes must not follow the backlog, so no statement of theirs may walk a large table.
 * Every statement that the hot path prepares is put before the planner.
 */
const statements = new Set<string>()
let database: DatabaseSync

beforeAll(async () => {
  const note = (sql: string, statement: StatementSync) => {
    statements.add(sql)
    return statement
  }
  const scene = await openWriterScene(note)
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
  const tenantId = a.tenantId
  const eventId = a.eventId
  const { endpointId, subscriptionId } = routes[0] as Route
  await listEverything(scene, {
    endpointId,
    subscriptionId,
    eventId,
    topic: 'orders.created',
    since: 1,
    until: scene.now(),
  })
  await store.getEvent(tenantId, eventId)
  await store.getPayload(tenantId, eventId)
  await store.getDelivery(tenantId, a.id)
  await store.listAttempts([a.id, b.id], { withCapture: true })
  await workOnMany(await openWriterScene(note))
})

/** Everything that grows with the traffic or the tenants, under the names and aliases that statements give it. */
const walked =
  /^SCAN (d|e|p|o|events|event_payloads|live_deliveries|deliveries|attempts|idempotency_keys|ordered_keys|api_keys|api_key_hashes|k|h|jobs|subscriptions|endpoints|audit_log)\b/
/** Partial indexes in which nothing stands but what is still to be done. */
const toDo = /USING (COVERING )?INDEX (jobs_open|endpoints_cleanup|subscriptions_cleanup)$/

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
      const walks = walked.test(detail) && !toDo.test(detail)
      const readsLast = /^select max\(k\) as k from \w+$/.test(sql)
      const walksReady = /^SCAN ready_endpoints/.test(detail) && !/limit 1\s*$/.test(sql)
      if ((walks && !readsLast) || walksReady || detail.includes('TEMP B-TREE FOR ORDER BY'))
        bad.push(`${detail}: ${sql}`)
    }
  }
  expect(bad).toEqual([])
})

it('lists deliveries, dead letters and events through an index that begins with the tenant, whatever the filters', () => {
  const listings = [...statements].filter((sql) =>
    /^select d\.k, \(.* as wanted\s+from (deliveries|events) d\b(?! where d\.k)/s.test(sql),
  )
  expect(listings.length).toBeGreaterThan(100)
  for (const sql of listings) {
    const [plan] = database.prepare(`explain query plan ${sql}`).all()
    expect(String(plan?.detail), sql).toMatch(
      /^SEARCH d USING (COVERING )?INDEX (deliveries_\w+|events_topic) \(tenant=\?/,
    )
  }
})

it('looks for deliveries of a subscription among those of its endpoint alone', async () => {
  const prepared: string[] = []
  const scene = await openWriterScene((sql, statement) => {
    prepared.push(sql)
    return statement
  })
  const [route, other] = [await scene.anEndpoint(), await scene.anEndpoint()]
  const { deliveryId } = await scene.publish({ routes: [route] })
  await scene.publish({ routes: [other] })
  await scene.record(...(await scene.claim()).deliveries.map((claimed) => anOutcome(claimed)))
  const list = (filter: DeliveryFilter) =>
    scene.store.listDeliveries(defaultTenantId, filter, { limit: 10, cursor: null })
  const { items } = await list({ subscriptionId: route.subscriptionId })
  expect(items.map(({ id }) => id)).toEqual([deliveryId])
  const overEndpoints = /^select endpoint as n from deliveries/
  expect(prepared.filter((sql) => overEndpoints.test(sql))).toEqual([])
  expect((await list({})).items).toHaveLength(2)
  expect(prepared.filter((sql) => overEndpoints.test(sql))).toHaveLength(1)
})

it('finds an ordering key by a seek for each subscription', () => {
  const listings = [...statements].filter((sql) =>
    /from ordered_keys o\s.*and o.ordering_key = \? /s.test(sql),
  )
  expect(listings.length).toBeGreaterThan(4)
  for (const sql of listings) {
    const plan = database.prepare(`explain query plan ${sql}`).all()
    expect(plan.map(({ detail }) => detail).join('\n')).toMatch(
      /^SEARCH o USING INDEX ordered_keys_\w+ \(tenant_id=\? AND subscription_id=\? AND ordering_key=\?/m,
    )
  }
})

it('covers the walks of jobs, of retention and of the removal of a tenant, keys and ordered keys', () => {
  const all = [...statements].join('\n')
  for (const text of [
    'd.tenant = ? and d.state = 4 and d.k > ? order by d.k', // a replay
    'from live_deliveries d\n       left join names', // a cancel
    'where e.k > ? and e.k < ? order by e.k limit', // a back-fill
    't.retention from names', // retention of a tenant's own
    'delete from events where k = ?',
    'select k, target from deliveries where tenant = ? limit', // the removal of a tenant
    'from api_keys where kind = ?1',
    'from ordered_keys o',
    'and o.blocked_at is not null',
  ]) {
    expect(all).toContain(text)
  }
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

it('finds due deliveries through the index of due times, which is read up to the present: nothing scheduled for later is', () => {
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

it('reads so many lines of the audit log for a page, and goes on behind them with the next', async () => {
  const scene = await openWriterScene((_sql, statement) => statement)
  const insert = scene.database.prepare(
    `insert into audit_log (id, created_at, actor_kind, action, object_kind) values (?, ?, 'system', ?, 'key')`,
  )
  const count = 2 * maxLookedAt + 10
  for (let at = 0; at < count; at++) {
    insert.run(idToBytes(scene.ids.next('aud')), scene.now(), at === 0 ? 'key.rotated' : 'key.created')
  }
  const found: string[] = []
  let [pages, cursor] = [0, '']
  do {
    const page = await scene.store.listAuditLines(null, { action: 'key.rotated' }, { limit: 10, cursor })
    found.push(...page.items.map(({ action }) => action))
    cursor = page.nextCursor
    pages += 1
  } while (cursor !== '')
  expect(found).toEqual(['key.rotated'])
  expect(pages).toBe(3)
})
