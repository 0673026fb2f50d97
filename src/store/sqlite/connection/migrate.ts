/** The schema of a database file, for a command. */
import { existsSync } from 'node:fs'
import { planChange, type SchemaChange } from '../../migrations.ts'
import { openDatabase } from './database.ts'
import { openOwned } from './open-writer.ts'
import { planSqlite, sqliteMigrations } from './schema.ts'
import { refuseUnusedLink } from './second-name.ts'

/** What opening the file would do to its schema. Only reads; the owner may go on running. */
export function planSqliteFile(path: string): SchemaChange {
  if (!existsSync(path)) return planChange(sqliteMigrations, [])
  refuseUnusedLink(path)
  const database = openDatabase(path, { readOnly: true })
  try {
    return planSqlite(database)
  } finally {
    database.close()
  }
}

/** As the file's owner. Errors: `store_locked`, `store_missing`, `store_incompatible`. Blocks. */
export function migrateSqliteFile(
  path: string,
  { now, replaceLost }: { readonly now: number; readonly replaceLost: boolean },
): SchemaChange {
  const { migrated, close } = openOwned({ path, now, lockWaitMs: 0, maxPageCount: null, replaceLost })
  close()
  return migrated
}
