/**
 * Numbered migrations, shared by both databases. `schema_migrations` keeps for each the oldest schema version
 * that a binary must know to run on the result: only older binaries are refused, so that rolling upgrades work.
 */
import { OuthookError } from '../core/errors.ts'

export interface Migration {
  /** Counts upwards without gaps; databases from before the first one that is known cannot be brought up to date. */
  readonly version: number
  readonly name: string
  /** A binary whose newest migration is older than this cannot run any more. */
  readonly oldestCompatible: number
  readonly sql: string
}

export interface AppliedMigration {
  readonly version: number
  readonly oldestCompatible: number
}

export interface SchemaChange {
  /** The newest that was applied before; 0: none. */
  readonly from: number
  /** What is still to be applied, in order, or was just now. */
  readonly steps: readonly Migration[]
}

/** Throws as `planMigrations`. */
export function planChange(known: readonly Migration[], applied: readonly AppliedMigration[]): SchemaChange {
  return { from: newestOf(applied), steps: planMigrations(known, applied) }
}

export function newestOf(migrations: readonly { readonly version: number }[]): number {
  return migrations.reduce((newest, { version }) => Math.max(newest, version), 0)
}

/**
 * The migrations that are still to be applied, in order.
 * Throws `store_incompatible` when the database needs a newer Outhook, or is older than the first migration.
 */
export function planMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  const newestKnown = newestOf(known)
  const newestApplied = newestOf(applied)
  const needed = applied.reduce((needed, migration) => Math.max(needed, migration.oldestCompatible), 0)
  if (needed > newestKnown) {
    throw new OuthookError(
      'store_incompatible',
      `the database has schema ${newestApplied}, which needs an Outhook that knows schema ${needed}; ` +
        `this one knows ${newestKnown}; run a newer Outhook`,
    )
  }
  const first = known.reduce((first, { version }) => Math.min(first, version), Number.POSITIVE_INFINITY)
  if (newestApplied > 0 && newestApplied < first) {
    throw new OuthookError(
      'store_incompatible',
      `the database has schema ${newestApplied}, from before the first release, and this Outhook begins with schema ` +
        `${first}: it cannot be brought up to date; start with a new database, or go on with the Outhook that made it`,
    )
  }
  return known.filter((migration) => migration.version > newestApplied).sort((a, b) => a.version - b.version)
}
