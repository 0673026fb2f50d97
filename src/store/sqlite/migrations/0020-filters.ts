import type { Migration } from '../../migrations.ts'

/** What payloads have to be like. An older process would let everything through. */
export const filtersMigration: Migration = {
  version: 20,
  name: 'filters',
  oldestCompatible: 20,
  sql: `
-- JSON; null: payloads may be anything
alter table subscriptions add column filter text;
-- how many subscriptions did not get the event for their filter; null: none
alter table events add column filtered_subscriptions integer;
`,
}
