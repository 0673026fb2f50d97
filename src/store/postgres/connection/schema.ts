import type { ClientBase } from 'pg'
import { type AppliedMigration, type Migration, planChange, type SchemaChange } from '../../migrations.ts'
import { initialMigration } from '../migrations/0008-initial.ts'
import { tenantsMigration } from '../migrations/0009-tenants.ts'
import { jobsMigration } from '../migrations/0010-jobs.ts'
import { rolesMigration } from '../migrations/0011-roles.ts'
import { tenantRetentionMigration } from '../migrations/0012-tenant-retention.ts'
import { keyRatesMigration } from '../migrations/0013-key-rates.ts'
import { pausesMigration } from '../migrations/0014-pauses.ts'
import { traceContextMigration } from '../migrations/0015-trace-context.ts'
import { scheduleMigration } from '../migrations/0016-schedule.ts'
import { endedJobsMigration } from '../migrations/0017-ended-jobs.ts'
import { expungeMigration } from '../migrations/0018-expunge.ts'
import { publishTracesMigration } from '../migrations/0019-publish-traces.ts'
import { directSendsMigration } from '../migrations/0020-direct-sends.ts'
import { orderedKeysMigration } from '../migrations/0021-ordered-keys.ts'
import { keptRequestsMigration } from '../migrations/0022-kept-requests.ts'
import { errorClassesMigration } from '../migrations/0023-error-classes.ts'
import { secretUsesMigration } from '../migrations/0024-secret-uses.ts'
import { credentialsMigration } from '../migrations/0025-credentials.ts'
import { filtersMigration } from '../migrations/0026-filters.ts'
import { noticesMigration } from '../migrations/0027-notices.ts'
import { endpointRetryPoliciesMigration } from '../migrations/0028-endpoint-retry-policies.ts'
import { clientCertificatesMigration } from '../migrations/0029-client-certificates.ts'
import { endpointRequestsMigration } from '../migrations/0030-endpoint-requests.ts'
import { subscriptionHeadersMigration } from '../migrations/0031-subscription-headers.ts'
import { deliveryNoticesMigration } from '../migrations/0032-delivery-notices.ts'
import { endpointHealthSettingsMigration } from '../migrations/0033-endpoint-health-settings.ts'
import { expiryNoticesMigration } from '../migrations/0034-expiry-notices.ts'
import { urlPoolsMigration } from '../migrations/0035-url-pools.ts'
import { endpointKindsMigration } from '../migrations/0036-endpoint-kinds.ts'
import { signInsMigration } from '../migrations/0037-sign-ins.ts'
import { portalLinksMigration } from '../migrations/0038-portal-links.ts'
import { statsMigration } from '../migrations/0039-stats.ts'
import { eventTypesMigration } from '../migrations/0040-event-types.ts'
import { nodeReportsMigration } from '../migrations/0041-node-reports.ts'
import { auditLogMigration } from '../migrations/0042-audit-log.ts'
import { idempotencyFlagsMigration } from '../migrations/0043-idempotency-flags.ts'

export const postgresMigrations: readonly Migration[] = [
  initialMigration,
  tenantsMigration,
  jobsMigration,
  rolesMigration,
  tenantRetentionMigration,
  keyRatesMigration,
  pausesMigration,
  traceContextMigration,
  scheduleMigration,
  endedJobsMigration,
  expungeMigration,
  publishTracesMigration,
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
  nodeReportsMigration,
  auditLogMigration,
  idempotencyFlagsMigration,
]

/**
 * Brings the schema up to date, all in one transaction, under a lock that nodes starting together take in turn.
 * The client's search path is set to the schema by whoever opened it.
 */
export async function migratePostgres(client: ClientBase, schema: string): Promise<SchemaChange> {
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`outhook migrate ${schema}`])
    const found = await client.query('select 1 from pg_namespace where nspname = $1', [schema])
    // Creating needs a privilege that a role with a schema of its own may lack, "if not exists" or not.
    if (found.rowCount === 0) await client.query(`create schema ${quoteName(schema)}`)
    if (!(await isMigrated(client, schema))) {
      await client.query(
        `create table schema_migrations (
           version integer primary key, name text not null, applied_at timestamptz not null default now(),
           oldest_compatible integer not null
         )`,
      )
    }
    const change = await planPostgres(client, schema)
    for (const migration of change.steps) {
      await client.query(migration.sql)
      await client.query(
        'insert into schema_migrations (version, name, oldest_compatible) values ($1, $2, $3)',
        [migration.version, migration.name, migration.oldestCompatible],
      )
    }
    await client.query('commit')
    return change
  } catch (error) {
    await client.query('rollback').catch(() => {})
    throw error
  }
}

/** What `migratePostgres` would do; only reads. */
export async function planPostgres(client: ClientBase, schema: string): Promise<SchemaChange> {
  if (!(await isMigrated(client, schema))) return planChange(postgresMigrations, [])
  const applied = await client.query<AppliedMigration>(
    'select version, oldest_compatible as "oldestCompatible" from schema_migrations',
  )
  return planChange(postgresMigrations, applied.rows)
}

async function isMigrated(client: ClientBase, schema: string): Promise<boolean> {
  const found = await client.query(
    `select 1 from pg_tables where schemaname = $1 and tablename = 'schema_migrations'`,
    [schema],
  )
  return found.rowCount === 1
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
