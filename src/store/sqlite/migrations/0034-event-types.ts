import type { Migration } from '../../migrations.ts'

/** What is said of topics. An older process knows nothing of it, and looks at no payload. */
export const eventTypesMigration: Migration = {
  version: 34,
  name: 'event-types',
  oldestCompatible: 30,
  sql: `
create table event_types (
  -- of the server's catalogue, which is no tenant's: all bits set
  tenant_id blob not null,
  name text not null,
  description text not null,
  type_group text,
  -- JSON
  schema text,
  example text,
  -- of schema and example
  bytes integer not null,
  deprecated integer not null,
  mode text not null,
  created_at integer not null,
  updated_at integer not null,
  primary key (tenant_id, name)
) without rowid;
`,
}
