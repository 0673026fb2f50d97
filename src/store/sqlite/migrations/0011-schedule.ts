import type { Migration } from '../../migrations.ts'

/** Events for later, which an older process would deliver early. Behind the payload, but a null is read and written without it. */
export const scheduleMigration: Migration = {
  version: 11,
  name: 'schedule',
  oldestCompatible: 11,
  sql: `
-- null: the deliveries are due at once
alter table events add column deliver_at integer;
`,
}
