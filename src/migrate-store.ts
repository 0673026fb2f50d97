/** Moves a store from one database to another. */
import { randomBytes, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { StoreLocation } from './config/value-types.ts'
import { createSystemClock } from './core/clock.ts'
import { OuthookError } from './core/errors.ts'
import type { Logger } from './core/logger.ts'
import { checkMasterKey, createSecretBox, parseMasterKey } from './core/secret-box.ts'
import { type CopyProgress, type CopyReport, copyStore } from './store/copy.ts'
import { openSqliteCopySource } from './store/sqlite/copy/copy-source.ts'
import { waitForPostgres } from './wait-for-postgres.ts'

export type { CopyProgress } from './store/copy.ts'

export interface MigrateStoreRequest {
  readonly from: StoreLocation
  readonly to: StoreLocation
  /** Only compared with the source's check value: secrets are copied as they are, sealed. Null: not checked. */
  readonly masterKey: string | null
  /** For so long the target is waited for. Default: not at all. */
  readonly storeWaitMs?: number
  /** Hears that it is. */
  readonly logger?: Logger
}

export interface MigrateStoreReport extends CopyReport {
  /** Where the master key of the source stands, when it has a file of its own. */
  readonly keyFile: string | null
}

/** A restart under a supervisor may hold the file for a moment. */
const lockWaitMs = 5000

/**
 * Copies a SQLite store that nobody runs on into an empty PostgreSQL one, or goes on with a copy that was interrupted.
 *
 * Errors: `invalid_config` for any other direction; `not_found`: there is no such file; `store_locked`: a process runs
 * on the source; `conflict`: the target holds something else; `wrong_master_key`; those of opening the stores.
 */
export async function migrateStore(
  { from, to, masterKey, storeWaitMs = 0, logger }: MigrateStoreRequest,
  onProgress: (progress: CopyProgress) => void,
): Promise<MigrateStoreReport> {
  if (from.kind !== 'sqlite' || to.kind !== 'postgres') throw unknownDirection()
  const source = await openSqliteCopySource({
    path: from.path,
    now: createSystemClock().now(),
    lockWaitMs,
    newCopyId: randomUUID(),
  })
  try {
    checkKey(masterKey, source.meta.master_key_check)
    const { openPostgresCopyTarget } = await import('./store/postgres/copy/copy-target.ts')
    const target = await waitForPostgres({ url: to.url, waitMs: storeWaitMs, logger }, () =>
      openPostgresCopyTarget(to),
    )
    try {
      const report = await copyStore(source, target, onProgress)
      const keyFile = `${from.path}.key`
      return { ...report, keyFile: existsSync(keyFile) ? keyFile : null }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

function checkKey(masterKey: string | null, stored: string | undefined): void {
  if (masterKey === null || stored === undefined) return
  checkMasterKey(createSecretBox(parseMasterKey(masterKey), randomBytes), stored)
}

function unknownDirection(): OuthookError {
  return new OuthookError(
    'invalid_config',
    'migrate-store copies from sqlite:PATH to postgres://…; between two SQLite files use "outhook backup", between ' +
      'two PostgreSQL databases pg_dump',
  )
}
