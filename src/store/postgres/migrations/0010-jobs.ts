import type { Migration } from '../../migrations.ts'

export const jobsMigration: Migration = {
  version: 10,
  name: 'jobs',
  oldestCompatible: 8,
  sql: `
create table jobs (
  id uuid primary key,
  tenant_id uuid not null,
  kind text not null,
  filter text not null,
  rate double precision,
  state text not null,
  total bigint,
  done bigint not null,
  skipped bigint not null,
  error text,
  -- where the next slice begins
  cursor text,
  -- the process that is at it, until when it alone may be
  owner text,
  lease_until bigint not null,
  created_at bigint not null,
  started_at bigint,
  ended_at bigint
) with (fillfactor = 50);
create index jobs_tenant on jobs (tenant_id, id);
create index jobs_open on jobs (id) where ended_at is null;
`,
}
