import type { Migration } from '../../migrations.ts'

export const retentionMigration: Migration = {
  version: 4,
  name: 'retention',
  oldestCompatible: 1,
  sql: 'select 1',
}
