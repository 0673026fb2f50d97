import pg from 'pg'
import type { Store } from '../../src/store/port.ts'
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import type { StoreHarness } from './contract/scene.ts'

export interface PostgresHarness extends StoreHarness {
  readonly schema: string
  /** Another node on the same schema and clock. */
  openNode(): Promise<Store>
  /** Statements beside the store, in its schema. */
  sql<Row extends object>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>
}

let schemas = 0

/** A store in a schema of its own, whose clock stands still until it is told to move. */
export async function openPostgresHarness(server: PostgresServer): Promise<PostgresHarness> {
  const schema = `outhook_test_${process.pid}_${++schemas}`
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
    const node = await openPostgresStore({ url: server.url, schema, shiftMs: () => clock.now() })
    nodes.push(node)
    return node
  }
  const store = await openNode()
  const beside = await connectBeside()
  // The server's clock stands still at zero, so what is added to it is the time.
  await beside.query(
    'create or replace function now_ms(shift bigint) returns bigint language sql stable parallel safe as $$ select shift $$',
  )
  return {
    store,
    schema,
    openNode,
    sql: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
      (await beside.query<Row>(text, [...values])).rows,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    async close() {
      await Promise.all(nodes.map((node) => node.close()))
      await beside.end()
      const last = await connectBeside()
      await last.query(`drop schema ${schema} cascade`)
      await last.end()
    },
  }
}
