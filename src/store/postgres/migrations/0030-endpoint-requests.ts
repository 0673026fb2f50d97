import type { Migration } from '../../migrations.ts'

/** What requests to an endpoint are like. An older process would make other ones. */
export const endpointRequestsMigration: Migration = {
  version: 30,
  name: 'endpoint requests',
  oldestCompatible: 30,
  sql: `
alter table endpoints add column method text not null default 'POST';
-- null: JSON, unless the headers say otherwise
alter table endpoints add column content_type text;
-- of one attempt; null: that of the server
alter table endpoints add column timeout_ms integer;
`,
}
