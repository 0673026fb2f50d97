import type { Migration } from '../../migrations.ts'

/** Headers of what a subscription's deliveries send. An older process would leave them out. */
export const subscriptionHeadersMigration: Migration = {
  version: 25,
  name: 'subscription headers',
  oldestCompatible: 25,
  sql: `
-- JSON, names in lower case
alter table subscriptions add column headers text not null default '{}';
`,
}
