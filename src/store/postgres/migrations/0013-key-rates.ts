import type { Migration } from '../../migrations.ts'

/** The buckets of producer keys that have a rate, as those of endpoints are in `endpoint_shares`. */
export const keyRatesMigration: Migration = {
  version: 13,
  name: 'key rates',
  oldestCompatible: 8,
  sql: `
create table key_rates (
  key_id uuid primary key,
  rps double precision not null,
  -- when the bucket is full again, and until when there is no token because it had run out
  full_at double precision not null,
  limited_until bigint not null
) with (fillfactor = 70);
`,
}
