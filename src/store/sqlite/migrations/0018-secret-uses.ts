import type { Migration } from '../../migrations.ts'

/** Which secret of an endpoint signs where there is room for one, and who has seen it. */
export const secretUsesMigration: Migration = {
  version: 18,
  name: 'secret-uses',
  oldestCompatible: 15,
  sql: `
-- of one secret of the endpoint; null everywhere: the oldest active one signs
alter table endpoint_secrets add column primary_since integer;
alter table endpoint_secrets add column reveals integer not null default 0;
alter table endpoint_secrets add column revealed_at integer;
-- the key of whoever saw it last; null: the configured token, or a program
alter table endpoint_secrets add column revealed_by text;
`,
}
