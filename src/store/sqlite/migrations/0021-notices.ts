import type { Migration } from '../../migrations.ts'

/** What an endpoint's tenant is still to be told of it: a JSON list, oldest first; null for nothing. */
export const noticesMigration: Migration = {
  version: 21,
  name: 'notices',
  oldestCompatible: 20,
  sql: `
alter table endpoints add column notices text;
create index endpoints_notices on endpoints (id) where notices is not null;
`,
}
