/** What `outhook migrate` and `outhook doctor` do to a store that they open themselves. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { makeDirectory } from './config/make-directory.ts'
import type { Config } from './config/schema.ts'
import { createSystemClock } from './core/clock.ts'
import { OuthookError } from './core/errors.ts'
import { createKeyring } from './core/keyring.ts'
import type { Logger } from './core/logger.ts'
import { parseMasterKey } from './core/secret-box.ts'
import type { Examination, Finding } from './store/finding.ts'
import type { SchemaChange } from './store/migrations.ts'

import { tryWithPatience } from './wait-for-postgres.ts'

export type { CheckProgress, Finding } from './store/finding.ts'
export type { SchemaChange } from './store/migrations.ts'

export interface MigrateOptions {
  readonly dryRun: boolean
  /** Hears that PostgreSQL is waited for. */
  readonly logger?: Logger
}

/** Brings the schema up to date, or only says what that would do. Errors: those of opening the store. */
export async function migrateSchema(
  { store, newStore, storeWaitMs }: Config,
  { dryRun, logger }: MigrateOptions,
): Promise<SchemaChange> {
  switch (store.kind) {
    case 'memory':
      throw nothingThere()
    case 'postgres': {
      const { migratePostgresStore, planPostgresStore } = await import(
        './store/postgres/connection/migrate.ts'
      )
      return tryWithPatience({ url: store.url, waitMs: storeWaitMs, logger }, () =>
        dryRun ? planPostgresStore(store) : migratePostgresStore(store),
      )
    }
    case 'sqlite': {
      const { migrateSqliteFile, planSqliteFile } = await import('./store/sqlite/connection/migrate.ts')
      if (dryRun) return planSqliteFile(store.path)
      makeDirectory(dirname(store.path))
      return migrateSqliteFile(store.path, { now: createSystemClock().now(), replaceLost: newStore })
    }
  }
}

export interface ExamineOptions extends Pick<Examination, 'onProgress'> {
  /** Leaves out what takes long with a large store. */
  readonly quick: boolean
}

/** Only reads. A store that cannot be reached is a finding, and is not waited for. */
export async function examineStore(
  config: Config,
  options: ExamineOptions = { quick: false },
): Promise<readonly Finding[]> {
  const { store, processes } = config
  const { now } = createSystemClock()
  const examination: Examination = { masterKey: readMasterKey(config), processes, now, ...options }
  switch (store.kind) {
    case 'memory':
      throw nothingThere()
    case 'postgres': {
      const { examinePostgres } = await import('./store/postgres/upkeep/doctor.ts')
      return examinePostgres({ ...examination, url: store.url, schema: store.schema })
    }
    case 'sqlite': {
      const { examineSqlite } = await import('./store/sqlite/upkeep/doctor.ts')
      return examineSqlite({ ...examination, path: store.path })
    }
  }
}

function readMasterKey({ store, masterKey, masterKeyOld }: Config): Examination['masterKey'] {
  const file = store.kind === 'sqlite' ? `${store.path}.key` : null
  const text = masterKey ?? (file !== null && existsSync(file) ? readFileSync(file, 'utf8') : null)
  const texts = [text, masterKeyOld].filter((each) => each !== null)
  return texts.length === 0 ? null : createKeyring(texts.map(parseMasterKey), randomBytes)
}

function nothingThere(): OuthookError {
  return new OuthookError(
    'invalid_config',
    'a memory: store lives in its process alone; give a sqlite: or postgres:// one',
  )
}
