import type { Migration } from '../../migrations.ts'

/**
 * Figures over time. An older process counts nothing, and leaves a gap. `stats_deltas` is appended to, one row for each
 * endpoint and batch, until it is folded: an upsert would make the commits of all nodes wait for each other.
 */
export const statsMigration: Migration = {
  version: 39,
  name: 'stats',
  oldestCompatible: 36,
  sql: `
create table stats_deltas (
  tenant_id uuid not null,
  -- the tenant's id for direct sends, ones for what is the tenant's alone
  endpoint_id uuid not null,
  minute bigint not null,
  -- one for each outcome or event
  cells integer[] not null
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);
create table stats (
  -- ones: all of them
  tenant_id uuid not null,
  endpoint_id uuid not null,
  -- minutes
  span integer not null,
  start bigint not null,
  tally bytea not null,
  primary key (tenant_id, endpoint_id, span, start)
) with (fillfactor = 70);
create index stats_start on stats (span, start);
`,
}
