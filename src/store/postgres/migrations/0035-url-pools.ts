import type { Migration } from '../../migrations.ts'

/** Endpoints of several URLs. An older process would send to the first alone. */
export const urlPoolsMigration: Migration = {
  version: 35,
  name: 'url pools',
  oldestCompatible: 35,
  sql: `
-- JSON, those after the first; null: there are none
alter table endpoints add column more_urls text;
alter table endpoints add column fail_over boolean not null default false;
`,
}
