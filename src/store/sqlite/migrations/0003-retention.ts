import type { Migration } from '../../migrations.ts'

export const retentionMigration: Migration = {
  version: 3,
  name: 'retention',
  oldestCompatible: 1,
  sql: `
-- Whether a dead letter needs an event's payload is one seek, however many deliveries the event has.
create index deliveries_dead_event on deliveries (event_id) where state = 'dead_lettered';
`,
}
