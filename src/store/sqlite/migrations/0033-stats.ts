import type { Migration } from '../../migrations.ts'

/**
 * Figures over time. An older process counts nothing, and leaves a gap. `stats_deltas` is what ticks left, one row for each
 * endpoint and tick, until it is folded; its `cells` are pairs of 32-bit numbers, a cell and how often.
 */
export const statsMigration: Migration = {
  version: 33,
  name: 'stats',
  oldestCompatible: 30,
  sql: `
create table stats_deltas (
  k integer primary key,
  tenant_id blob not null,
  -- the tenant's id for direct sends, ones for what is the tenant's alone
  endpoint_id blob not null,
  minute integer not null,
  cells blob not null
) strict;
create table stats (
  -- ones: all of them
  tenant_id blob not null,
  endpoint_id blob not null,
  -- minutes
  span integer not null,
  start integer not null,
  tally blob not null,
  primary key (tenant_id, endpoint_id, span, start)
) strict, without rowid;
create index stats_start on stats (span, start);
`,
}
