import type { Migration } from '../../migrations.ts'

/** Idempotency keys of calls other than publishing. */
export const keptRequestsMigration: Migration = {
  version: 16,
  name: 'kept-requests',
  oldestCompatible: 15,
  sql: `
create table kept_requests (
  id blob primary key,
  hash blob not null,
  -- sealed under the master key, as the answer is
  seed blob not null,
  -- JSON: which write, and what came out of it; null: none
  write text,
  -- null: not kept yet
  answer blob,
  expires_at integer not null
) without rowid;
create index kept_requests_expiry on kept_requests (expires_at);
`,
}
