import type { Migration } from '../../migrations.ts'

/** What an endpoint has of its own of the breaker and of auto-disable; null: as its tenant, or the server, has it. */
export const endpointHealthSettingsMigration: Migration = {
  version: 27,
  name: 'endpoint-health-settings',
  oldestCompatible: 25,
  sql: `
alter table endpoints add column breaker_threshold integer;
alter table endpoints add column breaker_pause_ms integer;
alter table endpoints add column breaker_max_pause_ms integer;
alter table endpoints add column disable_after_ms integer;
`,
}
