import type { Migration } from '../../migrations.ts'

/** What processes say of themselves, for people. An older process says nothing, and is not in the list. */
export const nodeReportsMigration: Migration = {
  version: 41,
  name: 'node-reports',
  oldestCompatible: 36,
  sql: `
create table node_reports (
  id uuid primary key,
  host text not null,
  pid integer not null,
  role text not null,
  version text not null,
  started_at bigint not null,
  in_flight integer not null,
  seen_at bigint not null
) with (fillfactor = 50);
`,
}
