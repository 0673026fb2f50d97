import type { Migration } from '../../migrations.ts'

/** What a direct send froze, with its event. An older process would send something else. */
export const directSendsMigration: Migration = {
  version: 20,
  name: 'direct sends',
  oldestCompatible: 20,
  sql: `
-- null: it was published
alter table events add column request text;
`,
}
