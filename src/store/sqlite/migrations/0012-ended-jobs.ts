import type { Migration } from '../../migrations.ts'

/** Jobs count what failed, and go some time after their end. */
export const endedJobsMigration: Migration = {
  version: 12,
  name: 'ended_jobs',
  oldestCompatible: 11,
  sql: `
alter table jobs add column failed integer not null default 0;
create index jobs_ended on jobs (ended_at) where ended_at is not null;
`,
}
