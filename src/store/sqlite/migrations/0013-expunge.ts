import type { Migration } from '../../migrations.ts'

/** Payloads that were expunged on demand. An older process would only say that they are past their retention. */
export const expungeMigration: Migration = {
  version: 13,
  name: 'expunge',
  oldestCompatible: 11,
  sql: `
-- when the payload was expunged on demand; null: it is there, or past its retention
alter table events add column expunged_at integer;
create index events_expunged on events (k) where expunged_at is not null;
`,
}
