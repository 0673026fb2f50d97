import type { Migration } from '../../migrations.ts'

/** Tenants as objects of their own. Rows that an older process makes meanwhile are tenants without a name. */
export const tenantsMigration: Migration = {
  version: 5,
  name: 'tenants',
  oldestCompatible: 4,
  sql: `
alter table tenants add column uid text;
alter table tenants add column metadata text;
-- JSON of what differs from the server's settings
alter table tenants add column settings text not null default '{}';
alter table tenants add column updated_at integer not null default 0;
-- since then it takes nothing more, and its rows are being removed
alter table tenants add column deleted_at integer;
-- JSON of how many rows were removed so far
alter table tenants add column removed text;
-- when the last was; the row stays, so that its id stays known as one that is gone
alter table tenants add column removed_at integer;
create unique index tenants_uid on tenants (uid) where uid is not null and deleted_at is null;
create index tenants_removal on tenants (id) where deleted_at is not null and removed_at is null;
update tenants set uid = 'default', created_at = (select min(applied_at) from schema_migrations) where id = zeroblob(16);
update tenants set updated_at = created_at;
`,
}
