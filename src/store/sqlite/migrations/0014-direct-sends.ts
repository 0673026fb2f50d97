import type { Migration } from '../../migrations.ts'

/** What a direct send froze, with its event. An older process would send something else. */
export const directSendsMigration: Migration = {
  version: 14,
  name: 'direct sends',
  oldestCompatible: 14,
  sql: `
-- null: it was published
alter table events add column request text;
`,
}
