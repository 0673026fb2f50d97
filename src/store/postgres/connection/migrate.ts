/** The schema of a PostgreSQL store, for a command. */
import type { SchemaChange } from '../../migrations.ts'
import { migratePostgres, planPostgres } from './schema.ts'
import { type SingleConnectionOptions, withConnection } from './single-connection.ts'
import { toStoreError } from './store-error.ts'

/** What opening the store would do to its schema. Only reads. Errors: `store_incompatible`, `store_unavailable`. */
export function planPostgresStore(options: SingleConnectionOptions): Promise<SchemaChange> {
  return withConnection(options, (client) => planPostgres(client, options.schema)).catch(rethrow)
}

/** Safe beside running nodes and other migrations. Errors: `store_incompatible`, `store_unavailable`. */
export function migratePostgresStore(options: SingleConnectionOptions): Promise<SchemaChange> {
  return withConnection(options, (client) => migratePostgres(client, options.schema)).catch(rethrow)
}

function rethrow(error: unknown): never {
  throw toStoreError(error)
}
