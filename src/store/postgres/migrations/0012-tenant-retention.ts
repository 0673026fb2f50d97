import type { Migration } from '../../migrations.ts'

export const tenantRetentionMigration: Migration = {
  version: 12,
  name: 'tenant-retention',
  oldestCompatible: 8,
  sql: `
-- JSON of what the tenant keeps for how long, where that is not as the server has it (store/retention.ts)
alter table tenants add column retention text;
create index tenants_retention on tenants (retention) where retention is not null;
`,
}
