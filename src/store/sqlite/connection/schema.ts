import type { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import { type AppliedMigration, type Migration, planChange, type SchemaChange } from '../../migrations.ts'
import { initialMigration } from '../migrations/0004-initial.ts'
import { tenantsMigration } from '../migrations/0005-tenants.ts'
import { jobsMigration } from '../migrations/0006-jobs.ts'
import { rolesMigration } from '../migrations/0007-roles.ts'
import { tenantRetentionMigration } from '../migrations/0008-tenant-retention.ts'
import { pausesMigration } from '../migrations/0009-pauses.ts'
import { traceContextMigration } from '../migrations/0010-trace-context.ts'
import { scheduleMigration } from '../migrations/0011-schedule.ts'
import { endedJobsMigration } from '../migrations/0012-ended-jobs.ts'
import { expungeMigration } from '../migrations/0013-expunge.ts'
import { directSendsMigration } from '../migrations/0014-direct-sends.ts'
import { orderedKeysMigration } from '../migrations/0015-ordered-keys.ts'
import { keptRequestsMigration } from '../migrations/0016-kept-requests.ts'
import { errorClassesMigration } from '../migrations/0017-error-classes.ts'
import { secretUsesMigration } from '../migrations/0018-secret-uses.ts'
import { credentialsMigration } from '../migrations/0019-credentials.ts'
import { filtersMigration } from '../migrations/0020-filters.ts'
import { noticesMigration } from '../migrations/0021-notices.ts'
import { endpointRetryPoliciesMigration } from '../migrations/0022-endpoint-retry-policies.ts'
import { clientCertificatesMigration } from '../migrations/0023-client-certificates.ts'
import { endpointRequestsMigration } from '../migrations/0024-endpoint-requests.ts'
import { subscriptionHeadersMigration } from '../migrations/0025-subscription-headers.ts'
import { deliveryNoticesMigration } from '../migrations/0026-delivery-notices.ts'
import { endpointHealthSettingsMigration } from '../migrations/0027-endpoint-health-settings.ts'
import { expiryNoticesMigration } from '../migrations/0028-expiry-notices.ts'
import { urlPoolsMigration } from '../migrations/0029-url-pools.ts'
import { endpointKindsMigration } from '../migrations/0030-endpoint-kinds.ts'
import { signInsMigration } from '../migrations/0031-sign-ins.ts'
import { portalLinksMigration } from '../migrations/0032-portal-links.ts'
import { statsMigration } from '../migrations/0033-stats.ts'
import { eventTypesMigration } from '../migrations/0034-event-types.ts'
import { auditLogMigration } from '../migrations/0035-audit-log.ts'
import { idempotencyFlagsMigration } from '../migrations/0036-idempotency-flags.ts'
import { StatementCache } from './statement-cache.ts'

export const sqliteMigrations: readonly Migration[] = [
  initialMigration,
  tenantsMigration,
  jobsMigration,
  rolesMigration,
  tenantRetentionMigration,
  pausesMigration,
  traceContextMigration,
  scheduleMigration,
  endedJobsMigration,
  expungeMigration,
  directSendsMigration,
  orderedKeysMigration,
  keptRequestsMigration,
  errorClassesMigration,
  secretUsesMigration,
  credentialsMigration,
  filtersMigration,
  noticesMigration,
  endpointRetryPoliciesMigration,
  clientCertificatesMigration,
  endpointRequestsMigration,
  subscriptionHeadersMigration,
  deliveryNoticesMigration,
  endpointHealthSettingsMigration,
  expiryNoticesMigration,
  urlPoolsMigration,
  endpointKindsMigration,
  signInsMigration,
  portalLinksMigration,
  statsMigration,
  eventTypesMigration,
  auditLogMigration,
  idempotencyFlagsMigration,
]

/** Brings the schema up to date, all in one transaction. */
export function migrateSqlite(
  database: DatabaseSync,
  now: number,
  known: readonly Migration[] = sqliteMigrations,
): SchemaChange {
  database.exec('begin immediate')
  try {
    const change = planSqlite(database, known)
    database.exec(
      `create table if not exists schema_migrations (
         version integer primary key, name text not null, applied_at integer not null, oldest_compatible integer not null
       )`,
    )
    for (const migration of change.steps) {
      database.exec(migration.sql)
      database
        .prepare(
          'insert into schema_migrations (version, name, applied_at, oldest_compatible) values (?, ?, ?, ?)',
        )
        .run(migration.version, migration.name, now, migration.oldestCompatible)
    }
    database.exec('commit')
    return change
  } catch (error) {
    if (database.isTransaction) database.exec('rollback')
    throw error
  }
}

/** What `migrateSqlite` would do; only reads. */
export function planSqlite(
  database: DatabaseSync,
  known: readonly Migration[] = sqliteMigrations,
): SchemaChange {
  return planChange(known, readApplied(database))
}

function readApplied(database: DatabaseSync): readonly AppliedMigration[] {
  const tables = database.prepare(`select name from sqlite_schema where type = 'table'`).all()
  if (tables.length > 0 && !tables.some((table) => table.name === 'schema_migrations')) {
    throw new OuthookError(
      'store_incompatible',
      'the file is a database of something else; give another path',
    )
  }
  if (tables.length === 0) return []
  return new StatementCache(database)
    .prepare<AppliedMigration>('select version, oldest_compatible as oldestCompatible from schema_migrations')
    .all()
}
