import type { Migration } from '../../migrations.ts'

/** Tenants as objects of their own. Rows that an older process makes meanwhile are tenants without a name. */
export const tenantsMigration: Migration = {
  version: 9,
  name: 'tenants',
  oldestCompatible: 8,
  sql: `
alter table tenants
  add column uid text,
  add column metadata text,
  -- JSON of what differs from the server's settings
  add column settings text not null default '{}',
  add column updated_at bigint not null default 0,
  -- since then it takes nothing more, and its rows are being removed
  add column deleted_at bigint,
  -- JSON of how many rows were removed so far
  add column removed text,
  -- when the last was; the row stays, so that its id stays known as one that is gone
  add column removed_at bigint;
create unique index tenants_uid on tenants (uid) where uid is not null and deleted_at is null;
create index tenants_removal on tenants (id) where deleted_at is not null and removed_at is null;
update tenants set uid = 'default',
  created_at = (select (extract(epoch from min(applied_at)) * 1000)::bigint from schema_migrations)
where id = '00000000-0000-0000-0000-000000000000';
update tenants set updated_at = created_at;
`,
}
