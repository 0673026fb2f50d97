import type { Migration } from '../../migrations.ts'

/** Of pauses by hand; which of these columns is set says nothing without `disabled_reason = 'paused'`. */
export const pausesMigration: Migration = {
  version: 9,
  name: 'pauses',
  oldestCompatible: 4,
  sql: `
alter table endpoints add column paused_reason text;
alter table endpoints add column paused_by text;
`,
}
