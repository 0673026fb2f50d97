import type { Migration } from '../../migrations.ts'

/** Jobs count what failed, and go some time after their end. */
export const endedJobsMigration: Migration = {
  version: 17,
  name: 'ended_jobs',
  oldestCompatible: 16,
  sql: `
alter table jobs add column failed bigint not null default 0;
create index jobs_ended on jobs (ended_at) where ended_at is not null;
`,
}
