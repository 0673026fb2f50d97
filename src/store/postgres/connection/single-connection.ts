/** One connection outside of the lanes, for what is done once: changing the schema, and looking after the server. */
import pg from 'pg'
import { wireTypes } from '../rows/wire-types.ts'
import { quoteName } from './schema.ts'

const connectTimeoutMs = 5000

export interface SingleConnectionOptions {
  readonly url: string
  readonly schema: string
  /** Cuts the connection off, in the middle of a statement too, which is rejected. */
  readonly signal?: AbortSignal
}

/** Without time limits: a migration takes as long as it takes, and waits for the one of another node. */
export async function withConnection<T>(
  { url, schema, signal }: SingleConnectionOptions,
  work: (client: pg.ClientBase) => Promise<T>,
): Promise<T> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'outhook upkeep',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    types: wireTypes,
  })
  // Its statement is rejected too.
  client.on('error', () => {})
  // With a statement under way it does not wait for the server.
  const cutOff = () => void client.end().catch(() => {})
  signal?.addEventListener('abort', cutOff)
  try {
    signal?.throwIfAborted()
    await client.connect()
    await client.query(`set search_path to ${quoteName(schema)}`)
    await client.query('set statement_timeout to 0')
    await client.query('set lock_timeout to 0')
    return await work(client)
  } finally {
    signal?.removeEventListener('abort', cutOff)
    // A farewell to a server that is gone fails, and changes nothing.
    await client.end().catch(() => {})
  }
}
