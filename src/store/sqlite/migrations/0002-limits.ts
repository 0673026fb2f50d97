import type { Migration } from '../../migrations.ts'

export const limitsMigration: Migration = {
  version: 2,
  name: 'limits',
  oldestCompatible: 1,
  sql: `
alter table endpoints add column rate_limit_rps real;

-- The tokens of targets that have a rate. One process owns the file, so slots need no shares.
create table endpoint_shares (
  target_id blob primary key,
  -- when the bucket is full again, and until when nothing may go because it had run out
  full_at real not null,
  limited_until integer not null
) without rowid;
`,
}
