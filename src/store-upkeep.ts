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
import { type Examination, type Finding, warning } from './store/finding.ts'
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

/** Of the schema that this program works with. */
export async function schemaVersionOf(kind: Config['store']['kind']): Promise<number> {
  const migrations =
    kind === 'postgres'
      ? (await import('./store/postgres/connection/schema.ts')).postgresMigrations
      : (await import('./store/sqlite/connection/schema.ts')).sqliteMigrations
  return migrations.at(-1)?.version ?? 0
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

/**
 * What an examination finds within moments, of the store that this process works on: beside that work, in a thread or on
 * a connection of its own, which it lets go of when `signal` says so. Never rejects for what it finds.
 */
export async function examineStoreInUse(config: Config, signal: AbortSignal): Promise<BriefExamination> {
  const { store, processes } = config
  switch (store.kind) {
    case 'memory': {
      const found = 'in memory: what is stored ends with the process'
      return { findings: [warning('store', found, 'give a sqlite: or postgres:// one')], lengthyChecks: [] }
    }
    case 'postgres': {
      const { examinePostgres, lengthyChecks } = await import('./store/postgres/upkeep/doctor.ts')
      const { now } = createSystemClock()
      const { url, schema } = store
      const examination = { masterKey: readMasterKey(config), processes, now, isBrief: true }
      return { findings: await examinePostgres({ ...examination, url, schema, signal }), lengthyChecks }
    }
    case 'sqlite': {
      const { examineSqliteInUse, lengthyChecks } = await import('./store/sqlite/upkeep/examine-in-use.ts')
      const { path } = store
      const examination = { path, processes, masterKeys: masterKeysOf(config) }
      return { findings: await examineSqliteInUse(examination, signal), lengthyChecks }
    }
  }
}

export interface BriefExamination {
  readonly findings: readonly Finding[]
  /** Checks that were left out, because they read whole tables. */
  readonly lengthyChecks: readonly string[]
}

function readMasterKey(config: Config): Examination['masterKey'] {
  const texts = masterKeysOf(config)
  return texts.length === 0 ? null : createKeyring(texts.map(parseMasterKey), randomBytes)
}

function masterKeysOf({ store, masterKey, masterKeyOld }: Config): readonly string[] {
  const file = store.kind === 'sqlite' ? `${store.path}.key` : null
  const text = masterKey ?? (file !== null && existsSync(file) ? readFileSync(file, 'utf8') : null)
  return [text, masterKeyOld].filter((each) => each !== null)
}

function nothingThere(): OuthookError {
  return new OuthookError(
    'invalid_config',
    'a memory: store lives in its process alone; give a sqlite: or postgres:// one',
  )
}
