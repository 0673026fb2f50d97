import type { Migration } from '../../migrations.ts'

/** Endpoints of other kinds than HTTP, with what those ask for, and addresses that are secrets. */
export const endpointKindsMigration: Migration = {
  version: 36,
  name: 'endpoint kinds',
  oldestCompatible: 36,
  sql: `
alter table endpoints add column kind text not null default 'http';
-- the whole address where url shows a part of it
alter table endpoints add column sealed_url bytea;
-- JSON; null: those of the kind
alter table endpoints add column settings text;
`,
}
