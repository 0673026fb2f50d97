/**
 * What a delivery costs PostgreSQL, counted from the schema and the statements: rows that are written, entries of indexes
 * that are added, and bytes of write-ahead log. A new index or statement changes a number here that somebody has to look
 * at.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { anOutcome, leaseMs, openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

/** As many as a busy process writes at once. */
const batch = 64
const payload = new Uint8Array(500).fill(97)
/** Written once for a batch, however many deliveries it has. */
const perBatch = /^(handoffs|nodes|delivery_counts|stats_deltas|ready_endpoints|pg_toast)/

type Counts = Readonly<Record<string, number>>

describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)('what PostgreSQL writes', () => {
  let server: PostgresServer
  let harness: PostgresHarness
  let scene: Scene
  beforeAll(async () => {
    server = await startPostgres('18')
  }, 60_000)
  afterAll(() => server?.stop(), 60_000)
  beforeEach(async () => {
    // Of its own: what others left would be reused, and pruned.
    harness = await openPostgresHarness(server, { fresh: true })
    scene = await openScene(async () => harness)
    await harness.sql('create extension if not exists pageinspect')
    await harness.sql('create extension if not exists pg_walinspect')
    // Whole pages, which the first change after a checkpoint writes, belong to the checkpoint.
    await harness.sql('alter system set full_page_writes = off')
    await harness.sql('alter system set autovacuum = off')
    await harness.sql('select pg_reload_conf()')
  })
  afterEach(() => harness.close())

  /** From the write-ahead log, which has a record for each row and each entry of an index. */
  async function written(
    work: () => Promise<void>,
  ): Promise<{ rows: Counts; entries: Counts; bytes: number }> {
    const position = async () =>
      (await harness.sql<{ lsn: string }>('select pg_current_wal_insert_lsn() as lsn'))[0]?.lsn ?? ''
    const from = await position()
    await work()
    const to = await position()
    const records = await harness.sql<{ name: string; manager: string; count: number }>(
      `select c.relname::text as name, r.resource_manager as manager, count(*)::integer as count
       from pg_get_wal_records_info($1, $2) r
       cross join lateral regexp_match(r.block_ref, 'rel \\d+/\\d+/(\\d+)') m
       join pg_class c on c.relfilenode = m[1]::oid
       where (r.resource_manager = 'Btree' and r.record_type like 'INSERT_LEAF%')
          or (r.resource_manager = 'Btree' and r.record_type like 'SPLIT%')
          or (r.resource_manager = 'Heap' and r.record_type ~ '^(INSERT|UPDATE|HOT_UPDATE|DELETE)')
       group by 1, 2`,
      [from, to],
    )
    const multi = await harness.sql<{ name: string; count: number }>(
      `select c.relname::text as name, sum(substring(r.description from 'ntuples: (\\d+)')::integer)::integer as count
       from pg_get_wal_records_info($1, $2) r
       cross join lateral regexp_match(r.block_ref, 'rel \\d+/\\d+/(\\d+)') m
       join pg_class c on c.relfilenode = m[1]::oid
       where r.record_type like 'MULTI_INSERT%' group by 1`,
      [from, to],
    )
    const [size] = await harness.sql<{ bytes: number }>(
      'select pg_wal_lsn_diff($2::pg_lsn, $1::pg_lsn)::integer as bytes',
      [from, to],
    )
    const of = (manager: string) => records.filter((record) => record.manager === manager)
    return {
      rows: each([...of('Heap'), ...multi]),
      entries: each(of('Btree')),
      bytes: (size?.bytes ?? 0) / batch,
    }
  }

  function each(records: readonly { readonly name: string; readonly count: number }[]): Counts {
    const counts: Record<string, number> = {}
    for (const { name, count } of records) {
      if (!perBatch.test(name)) counts[name] = (counts[name] ?? 0) + count / batch
    }
    return counts
  }

  const sum = (counts: Counts) => Object.values(counts).reduce((total, count) => total + count, 0)

  /** Statements are prepared and caches are warm. */
  async function warmUp(deliver: () => Promise<void>): Promise<void> {
    for (let round = 0; round < 3; round++) await deliver()
    await harness.sql('checkpoint')
  }

  it('for a delivery that is handed off and succeeds: two rows, four index entries, at most 1.6 kB', async () => {
    const route = await scene.anEndpoint()
    const deliver = async () => {
      const events = []
      for (let made = 0; made < batch; made++)
        events.push(await scene.anEvent({ routes: [route], handOff: true, payload }))
      await scene.store.publish(events, { leaseMs })
      await scene.record(
        ...events.map(({ deliveries: [first] }) =>
          anOutcome({ id: first?.id ?? '', claimVersion: 1, attemptCount: 0 }),
        ),
      )
    }
    await warmUp(deliver)
    const { rows, entries, bytes } = await written(deliver)
    expect(rows).toEqual({ deliveries: 1, events: 1 })
    expect(entries).toEqual({
      deliveries_endpoint: 1,
      deliveries_pkey: 1,
      events_pkey: 1,
      events_topic: 1,
    })
    expect(sum(entries)).toBe(4)
    process.stdout.write(`handed off: ${Math.round(bytes)} bytes of WAL\n`)
    expect(bytes).toBeLessThan(1600)
  })

  it('for a delivery that waits, is claimed and succeeds: seven index entries, at most 2.5 kB', async () => {
    const route = await scene.anEndpoint()
    const deliver = async () => {
      await scene.publishMany(batch, { routes: [route], payload })
      const { deliveries } = await scene.claim({ limit: batch })
      expect(deliveries).toHaveLength(batch)
      await scene.record(...deliveries.map((claimed) => anOutcome(claimed)))
    }
    await warmUp(deliver)
    const { rows, entries, bytes } = await written(deliver)
    expect(rows).toEqual({ deliveries: 1, events: 1, live_deliveries: 3 })
    expect(entries).toEqual({
      deliveries_endpoint: 1,
      deliveries_pkey: 1,
      events_pkey: 1,
      events_topic: 1,
      live_deliveries_due: 1,
      live_deliveries_pkey: 2,
    })
    expect(sum(entries)).toBe(7)
    process.stdout.write(`claimed: ${Math.round(bytes)} bytes of WAL\n`)
    expect(bytes).toBeLessThan(2500)
  })
})
