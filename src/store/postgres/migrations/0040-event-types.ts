import type { Migration } from '../../migrations.ts'

/** What is said of topics. An older process knows nothing of it, and looks at no payload. */
export const eventTypesMigration: Migration = {
  version: 40,
  name: 'event-types',
  oldestCompatible: 36,
  sql: `
create table event_types (
  -- of the server's catalogue, which is no tenant's: all bits set
  tenant_id uuid not null,
  -- in the order of its bytes, as SQLite has it
  name text collate "C" not null,
  description text not null,
  type_group text,
  -- JSON
  schema text,
  example text,
  -- of schema and example
  bytes bigint not null,
  deprecated boolean not null,
  mode text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant_id, name)
);
`,
}
