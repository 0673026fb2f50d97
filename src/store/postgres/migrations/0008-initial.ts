import type { Migration } from '../../migrations.ts'
import { fanOutsSql } from './0008-fan-outs.ts'
import { outboxSql } from './0008-outbox.ts'
import { tablesSql } from './0008-tables.ts'

/**
 * The first schema of a released version. Ids are `uuid` (16 bytes without a length, compared as bytes), times are
 * milliseconds in `bigint`. No foreign keys to the large tables, whose keys are ids alone: new rows go to the right end of
 * each index whatever the tenant, and an id is found without its tenant. Their other indexes lead with the tenant.
 */
export const initialMigration: Migration = {
  version: 8,
  name: 'initial',
  oldestCompatible: 8,
  sql: tablesSql + fanOutsSql + outboxSql,
}
