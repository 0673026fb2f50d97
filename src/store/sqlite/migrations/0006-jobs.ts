import type { Migration } from '../../migrations.ts'

export const jobsMigration: Migration = {
  version: 6,
  name: 'jobs',
  oldestCompatible: 4,
  sql: `
create table jobs (
  id blob primary key,
  tenant_id blob not null,
  kind text not null,
  filter text not null,
  rate real,
  state text not null,
  total integer,
  done integer not null,
  skipped integer not null,
  error text,
  -- where the next slice begins
  cursor text,
  -- the process that is at it
  owner text,
  created_at integer not null,
  started_at integer,
  ended_at integer
) without rowid;
create index jobs_tenant on jobs (tenant_id, id);
create index jobs_open on jobs (id) where ended_at is null;
`,
}
