import type { Migration } from '../../migrations.ts'

/** Payloads that were expunged on demand. An older process would only say that they are past their retention. */
export const expungeMigration: Migration = {
  version: 18,
  name: 'expunge',
  oldestCompatible: 16,
  sql: `
-- when the payload was expunged on demand; null: it is there, or past its retention
alter table events add column expunged_at bigint;
create index events_expunged on events (id) where expunged_at is not null;
`,
}
