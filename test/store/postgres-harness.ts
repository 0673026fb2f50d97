import pg from 'pg'
import type { Store } from '../../src/store/port.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { acting } from './acting.ts'
import type { StoreHarness } from './contract/scene.ts'

export interface PostgresHarness extends StoreHarness {
  readonly schema: string
  /** The server's, and the scale of all nodes. */
  readonly clock: ManualClock
  /** Another node on the same schema and clock. */
  openNode(): Promise<Store>
  /** Statements beside the store, in its schema. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

let schemas = 0
/** Schemas of tests that are over, emptied: making one takes longer than most tests. */
const emptied = new Map<string, string[]>()

/**
 * A store in a schema that no other test uses meanwhile, whose clock stands still until it is told to move. `fresh`:
 * the test changes the schema itself, so it gets a new one and nobody gets it afterwards.
 */
export async function openPostgresHarness(
  server: PostgresServer,
  options: { readonly fresh?: boolean } = {},
): Promise<PostgresHarness> {
  const spare = emptied.get(server.url) ?? []
  emptied.set(server.url, spare)
  const reused = options.fresh === true ? undefined : spare.pop()
  const schema = reused ?? `outhook_test_${process.pid}_${++schemas}`
  const clock = createManualClock()
  const connectBeside = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url })
    // Some tests end the server.
    client.on('error', () => {})
    await client.connect()
    await client.query(`set search_path to ${schema}`)
    return client
  }
  const nodes: Store[] = []
  const openNode = async (): Promise<Store> => {
    const node = await openPostgresStore({
      url: server.url,
      schema,
      shiftMs: clock.now,
      elapsed: clock.elapsed,
      actorOf: () => acting.actor,
    })
    nodes.push(node)
    return node
  }
  const store = await openNode()
  const beside = await connectBeside()
  return {
    store,
    schema,
    clock,
    openNode,
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await beside.query<Row>(text, [...values])).rows,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
      await beside.end()
      const last = await connectBeside()
      const isOurs = process.env.OUTHOOK_TEST_POSTGRES_URL === undefined
      if (options.fresh === true || !isOurs) await last.query(`drop schema ${schema} cascade`)
      else {
        await last.query(emptyAll)
        spare.push(schema)
      }
      await last.end()
    },
  }
}

/** Every table as the migrations leave it. */
const emptyAll = `
do $$ declare emptied text; begin
  for emptied in select tablename from pg_tables
    where schemaname = current_schema() and tablename not in ('schema_migrations', 'tenants')
  loop execute format('delete from %I', emptied); end loop;
  delete from tenants where id <> '00000000-0000-0000-0000-000000000000';
  update tenants set routing_version = 1, uid = 'default', name = 'default', metadata = null, settings = '{}';
end $$`
