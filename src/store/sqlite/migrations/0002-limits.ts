import type { Migration } from '../../migrations.ts'

export const limitsMigration: Migration = {
  version: 2,
  name: 'limits',
  oldestCompatible: 1,
  sql: 'select 1',
}
