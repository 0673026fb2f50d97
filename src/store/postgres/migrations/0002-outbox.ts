import type { Migration } from '../../migrations.ts'

export const outboxMigration: Migration = {
  version: 2,
  name: 'outbox',
  oldestCompatible: 1,
  sql: 'select 1',
}
