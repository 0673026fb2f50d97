import type { Migration } from '../../migrations.ts'

/** Idempotency keys of calls other than publishing. */
export const keptRequestsMigration: Migration = {
  version: 22,
  name: 'kept-requests',
  oldestCompatible: 21,
  sql: `
create table kept_requests (
  id bytea primary key,
  hash bytea not null,
  -- sealed under the master key, as the answer is
  seed bytea not null,
  -- JSON: which write, and what came out of it; null: none
  write text,
  -- null: not kept yet
  answer bytea,
  expires_at bigint not null
);
create index kept_requests_expiry on kept_requests (expires_at);
`,
}
