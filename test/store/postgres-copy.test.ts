/** A SQLite store that is copied into PostgreSQL: what comes along, and in which form. */
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { copiedTables, skippedTables } from '../../src/store/copied-tables.ts'
import { type CopyProgress, maxBatchBytes } from '../../src/store/copy.ts'
import type { NewEvent } from '../../src/store/port.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createCopyViews, placeColumn } from '../../src/store/sqlite/copy/copy-views.ts'
import {
  aSchema,
  aSource,
  beside,
  clock,
  copy,
  fillVaried,
  openTarget,
  rowsOfPostgres,
  rowsOfSqlite,
  server,
  sql,
  withStore,
} from './a-copy.ts'
import { aSend } from './contract/direct.ts'
import { anOutcome, retryIn } from './contract/scene.ts'
import { foldStats, readFigures } from './read-figures.ts'

interface Column {
  readonly name: string
  readonly type: string
}

/** What the migrations make, by table. */
async function schemas() {
  const path = await aSource()
  const schema = aSchema()
  await (await openPostgresStore({ url: server.url, schema })).close()
  const database = new DatabaseSync(path)
  const tables = `select name from sqlite_schema where type = 'table'`
  createCopyViews(database)
  // A view of the copy may stand for a table that only PostgreSQL has.
  const names = database
    .prepare(`${tables} union select name from sqlite_temp_schema where type = 'view'`)
    .all()
  const sqlite = new Map(
    names.map(({ name }) => {
      const columns = database.prepare(`select name, type from pragma_table_info('${name}')`).all()
      const copied = columns.filter((column) => column.name !== placeColumn)
      return [name as string, copied as unknown as readonly Column[]]
    }),
  )
  database.close()
  const rows = await sql<Column & { readonly table: string }>(
    schema,
    `select table_name::text as "table", column_name::text as name, udt_name::text as type
     from information_schema.columns where table_schema = '${schema}'`,
  )
  return { sqlite, postgres: Map.groupBy(rows, ({ table }) => table) }
}

describe('the tables of a copy', { timeout: 300_000 }, () => {
  it('are all that the migrations of both databases make, or left out with a reason', async () => {
    const { sqlite, postgres } = await schemas()
    const known = [...copiedTables.map(({ name }) => name), ...Object.keys(skippedTables)]
    const made = new Set([...sqlite.keys(), ...postgres.keys()])
    expect(Array.from(made).filter((name) => !known.includes(name))).toEqual([])
    expect(known.filter((name) => !made.has(name))).toEqual([])
  })

  it('have the same columns in both, as a copy reads them', async () => {
    const { sqlite, postgres } = await schemas()
    for (const { name } of copiedTables) {
      const columns = sqlite.get(name) ?? []
      expect(columns.length, name).toBeGreaterThan(0)
      expect((postgres.get(name) ?? []).map((column) => column.name).sort(), name).toEqual(
        columns.map((column) => column.name).sort(),
      )
    }
  })
})

describe('a copy', { timeout: 300_000 }, () => {
  it('brings every row of every table along, value by value', async () => {
    const path = await aSource(fillVaried)
    const schema = aSchema()
    const report = await copy(path, schema)
    expect(report).toMatchObject({ isNew: true, agree: true })
    const source = rowsOfSqlite(path)
    for (const { name } of copiedTables) {
      // Each state of the schema stands in the source, or the comparison would say little.
      expect(source[name]?.length, name).toBeGreaterThan(0)
    }
    expect(await rowsOfPostgres(schema)).toEqual(source)
    expect(await sql(schema, `select value from meta where name = 'master_key_check'`)).toEqual([
      { value: 'abcd1234.check' },
    ])
  })

  it('changes nothing in the source but to name the copy, once the leases are over and the figures folded, as after any start', async () => {
    const path = await aSource(fillVaried)
    await withStore(path, async ({ store }) => {
      await foldStats(store)
    })
    const before = rowsOfSqlite(path)
    await copy(path, aSchema())
    expect(rowsOfSqlite(path)).toEqual(before)
  })

  it('brings the figures over time along, folded or not', async () => {
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      await scene.publishMany(3, { routes: [route] })
      await scene.store.foldStats({ limit: 1000 })
      const { deliveries } = await scene.claim()
      await scene.record(...deliveries.map((each) => anOutcome(each)))
    })
    const schema = aSchema()
    expect(await copy(path, schema)).toMatchObject({ agree: true })
    const store = await openTarget(schema)
    const { events, deliveries } = await readFigures(store, { span: 60 })
    expect([events, deliveries.succeeded]).toEqual([3, 3])
  })

  it('makes the deliveries that an event for many still lacks, and brings them all along', async () => {
    let eventId = ''
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      const { event } = await scene.publish({ receivers: Array.from({ length: 250 }, () => route) })
      await scene.fanOutSlice(40)
      eventId = event.id
    })
    const schema = aSchema()
    expect(await copy(path, schema)).toMatchObject({ agree: true })
    const store = await openTarget(schema)
    expect(await store.getEvent(defaultTenantId, eventId)).toMatchObject({ state: 'fanned_out' })
    const page = { limit: 1000, cursor: null }
    const { items } = await store.listDeliveriesOfEvent(defaultTenantId, eventId, page)
    expect(new Set(items.map(({ id }) => id)).size).toBe(250)
    const claim = { limit: 500, maxBytes: 1e6, leaseMs: 1000, slots: new Map<string, number>() }
    expect((await store.claim(claim)).deliveries).toHaveLength(250)
  })

  it('takes payloads of any size, byte for byte, in batches that are bounded by bytes', async () => {
    const big = Uint8Array.from({ length: 262_144 }, (_, index) => (index * 7) % 256)
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      await scene.publishMany(40, { routes: [route], payload: big })
      await scene.publishMany(3, { routes: [route], payload: new Uint8Array(0) })
    })
    const schema = aSchema()
    const batches: { readonly rows: number; readonly bytes: number }[] = []
    const report = await copy(path, schema, {
      wrap: (target) => ({
        ...target,
        write(batch, step) {
          if (step.to.table === 'events') batches.push({ rows: batch.rows, bytes: batch.bytes.byteLength })
          return target.write(batch, step)
        },
      }),
    })
    expect(report.agree).toBe(true)
    expect(batches.length).toBeGreaterThan(1)
    for (const { bytes } of batches) expect(bytes).toBeLessThanOrEqual(maxBatchBytes)
    const payloads = await sql<{ readonly payload: Buffer }>(schema, 'select payload from events order by id')
    expect(payloads.slice(0, 40).every(({ payload }) => payload.equals(big))).toBe(true)
    expect(payloads.slice(40).map(({ payload }) => payload.byteLength)).toEqual([0, 0, 0])
  })

  it('lists the deliveries of an event with it, also of one for many', async () => {
    let eventIds: readonly string[] = []
    const path = await aSource(async (scene) => {
      const routes = [await scene.anEndpoint(), await scene.anEndpoint()]
      const few = await scene.publish({ routes })
      const many = await scene.publish({ receivers: Array.from({ length: 30 }, () => routes).flat() })
      while ((await scene.fanOutSlice(7)).more);
      const { deliveries } = await scene.claim({ limit: 5 })
      await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
      eventIds = [few.event.id, many.event.id]
    })
    const schema = aSchema()
    expect((await copy(path, schema)).agree).toBe(true)
    const store = await openTarget(schema)
    const page = { limit: 1000, cursor: null }
    const found = await Promise.all(
      eventIds.map((id) => store.listDeliveriesOfEvent(defaultTenantId, id, page)),
    )
    expect(found.map(({ items }) => items.length)).toEqual([2, 60])
    expect(found[1]?.items.map(({ eventId }) => eventId)).toEqual(found[1]?.items.map(() => eventIds[1]))
  })

  it('brings direct sends along, which are claimed there with the request that was frozen', async () => {
    let events: readonly NewEvent[] = []
    const path = await aSource(async (scene) => {
      const to = await scene.anEndpoint()
      events = [await aSend(scene), await aSend(scene, { to })]
      await scene.store.publish(events, { leaseMs: 30_000 })
    })
    const schema = aSchema()
    expect((await copy(path, schema)).agree).toBe(true)
    const store = await openTarget(schema)
    const { deliveries } = await store.claim({ limit: 9, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() })
    const claimed = deliveries.map(({ id, targetId, topic, request }) => ({ id, targetId, topic, request }))
    const expected = events.map(({ deliveries: [delivery], request }) => ({
      id: delivery?.id,
      targetId: delivery?.targetId,
      topic: null,
      request,
    }))
    expect(claimed).toHaveLength(2)
    expect(claimed).toEqual(expect.arrayContaining(expected))
  })

  it('takes what only SQLite can hold in a form that PostgreSQL can', async () => {
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
    })
    beside(path, `update live_deliveries set last_error = ?`, 'half\0whole')
    // Of direct sends, which have no endpoint.
    const tenant = new Uint8Array(16)
    beside(path, `insert into delivery_counts values (?, ?, 'succeeded', 0, 3)`, tenant, new Uint8Array(0))
    const schema = aSchema()
    expect((await copy(path, schema)).agree).toBe(true)
    expect(await sql(schema, 'select last_error from live_deliveries')).toEqual([
      { last_error: 'half\uFFFDwhole' },
    ])
    expect(
      await sql(
        schema,
        `select tenant_id = endpoint_id as own, delta::int from delivery_counts where delta = 3`,
      ),
    ).toEqual([{ own: true, delta: 3 }])
  })

  it('of a store that nothing was ever done with is an empty store', async () => {
    const schema = aSchema()
    expect(await copy(await aSource(), schema)).toMatchObject({ agree: true, written: 1 })
    const store = await openTarget(schema)
    expect((await store.counts()).deliveries.pending).toBe(0)
  })

  it('tells how far it has got', async () => {
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      await scene.publishMany(2500, { routes: [route] })
    })
    const seen: CopyProgress[] = []
    const { written } = await copy(path, aSchema(), { onProgress: (progress) => seen.push(progress) })
    const events = seen.filter(({ table }) => table === 'events')
    expect(events.map(({ rows, ofRows }) => [rows, ofRows])).toEqual([
      [1000, 2500],
      [2000, 2500],
      [2500, 2500],
    ])
    const last = seen.at(-1)
    expect(last).toMatchObject({ totalRows: written, ofTotalRows: written, written })
  })
})

describe('leases of the source', { timeout: 300_000 }, () => {
  it('are over: the delivery is due at once, and the claim counts as lost once', async () => {
    let deliveryId = ''
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      ;({ deliveryId } = await scene.publish({ routes: [route] }))
      await scene.claim({ leaseMs: 3_600_000 })
    })
    const schema = aSchema()
    await copy(path, schema)
    const store = await openTarget(schema)
    const { deliveries } = await store.claim({ limit: 9, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() })
    expect(deliveries).toMatchObject([{ id: deliveryId, lostClaims: 1, attemptCount: 0, claimVersion: 2 }])
  })

  it('do not hold up an endpoint that was just being probed', async () => {
    const path = await aSource(async (scene) => {
      const route = await scene.anEndpoint()
      await scene.publish({ routes: [route] })
    })
    beside(
      path,
      `insert into endpoint_state (target_id, consecutive_failures, paused_until, pause_ms, probe_delivery_id, probe_until)
       select n.id, 5, ?, 30000, d.id, ? from live_deliveries d join names n on n.n = d.target`,
      clock.now() - 1000,
      clock.now() + 3_600_000,
    )
    const schema = aSchema()
    await copy(path, schema)
    const store = await openTarget(schema)
    const { deliveries } = await store.claim({ limit: 9, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() })
    expect(deliveries).toHaveLength(1)
  })

  it('and pauses are kept: claims wait for the end, and what is due later for its time', async () => {
    const path = await aSource(async (scene) => {
      const later = await scene.anEndpoint()
      await scene.publish({ routes: [later] })
      const [claimed] = (await scene.claim()).deliveries
      if (claimed === undefined) throw new Error('nothing claimed')
      await scene.record(anOutcome(claimed, { next: retryIn(3_600_000) }))
      const paused = await scene.anEndpoint()
      await scene.publish({ routes: [paused] })
    })
    beside(
      path,
      `insert into endpoint_state (target_id, consecutive_failures, paused_until, pause_ms)
       select n.id, 5, ?, 30000 from live_deliveries d join names n on n.n = d.target where d.state = 0`,
      clock.now() + 1_800_000,
    )
    const schema = aSchema()
    await copy(path, schema)
    const waits = await sql<{ readonly ms: number }>(
      schema,
      'select (next_at - line_ms())::float8 as ms from ready_endpoints order by next_at',
    )
    expect(waits.map(({ ms }) => Math.round(ms / 600_000))).toEqual([3, 6])
    const store = await openTarget(schema)
    const claim = await store.claim({ limit: 9, maxBytes: 1e6, leaseMs: 30_000, slots: new Map() })
    expect(claim.deliveries).toEqual([])
  })
})
