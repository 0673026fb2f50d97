import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { openScene, type Scene } from './contract/scene.ts'
import { openPostgresHarness, type PostgresHarness } from './postgres-harness.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
let harness: PostgresHarness
let scene: Scene
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())
beforeEach(async () => {
  // Its own schema, because the test changes how a table is kept.
  harness = await openPostgresHarness(server, { fresh: true })
  scene = await openScene(async () => harness)
  // Four rows a page, so that a few thousand rows are a large table.
  await harness.sql('alter table live_deliveries set (fillfactor = 10, autovacuum_enabled = off)')
})
afterEach(() => harness.close())

const minuteMs = 60_000

/** Retries of one endpoint, of which every fourth is due within a minute and the others within an hour. */
async function addRetries(count: number): Promise<void> {
  await scene.publish({ routes: [await scene.anEndpoint()] })
  await harness.sql(
    `insert into live_deliveries
       select (jsonb_populate_record(l, jsonb_build_object('id', gen_random_uuid(), 'state', 'retry_scheduled',
         'due_at', $2::bigint + case when n % 4 = 0 then ${minuteMs / 2} else ${30 * minuteMs} end))).*
       from live_deliveries l, generate_series(1, $1::integer) n`,
    [count, scene.now()],
  )
  await harness.sql(
    `insert into delivery_counts select tenant_id, endpoint_id, 'retry_scheduled', 1, $1::bigint from live_deliveries limit 1`,
    [count],
  )
}

/** The pages that are read for the figures of the backlog. */
async function pagesOfBacklog(): Promise<number> {
  const query = vi.spyOn(pg.Client.prototype, 'query')
  await scene.store.readBacklog(null)
  const calls = query.mock.calls as unknown as [
    { readonly text?: string; readonly values?: readonly unknown[] },
  ][]
  const read = calls.filter(([{ text }]) => text?.includes('live_deliveries'))
  query.mockRestore()
  let pages = 0
  for (const [{ text, values }] of read) {
    const lines = await harness.sql<{ 'QUERY PLAN': string }>(`explain (analyze, buffers) ${text}`, values)
    // The first line of buffers is of the whole statement.
    const buffers = lines.map((line) => line['QUERY PLAN']).find((line) => line.includes('Buffers:')) ?? ''
    for (const [, count] of buffers.matchAll(/(?:hit|read)=(\d+)/g)) pages += Number(count)
  }
  expect(read.length).toBeGreaterThan(0)
  return pages
}

it('retries are counted without reading the room that a table took when more waited', async () => {
  await addRetries(12_000)
  await harness.sql(`delete from live_deliveries where ctid < '(2900,0)'`)
  const left = (await harness.sql('select from live_deliveries')).length
  await harness.sql(
    `insert into delivery_counts select tenant_id, endpoint_id, state, 2, -delta + $1 from delivery_counts
     where state = 'retry_scheduled'`,
    [left],
  )
  await harness.sql('vacuum live_deliveries')
  const { retries, isEstimate } = await scene.store.readBacklog(null)
  expect(isEstimate).toBe(false)
  expect(retries.reduce((sum, count) => sum + count, 0)).toBe(left)
  expect(await pagesOfBacklog()).toBeLessThan(1000)
})

it('of many retries some pages say when all are due', async () => {
  await addRetries(20_000)
  const { retries, isEstimate, deliveries } = await scene.store.readBacklog(null)
  expect(deliveries.retry_scheduled).toBe(20_000)
  expect(isEstimate).toBe(true)
  const [, soon = 0, , later = 0, ...others] = retries
  expect(soon / 20_000).toBeCloseTo(1 / 4, 1)
  expect(later / 20_000).toBeCloseTo(3 / 4, 1)
  expect(others).toEqual([0, 0, 0])
  expect(await pagesOfBacklog()).toBeLessThan(2500)
})
