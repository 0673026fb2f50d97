import type { Migration } from '../../migrations.ts'

/** Whether an event's publisher gave an idempotency key. Behind the payload, but neither a null nor a 1 takes bytes there. */
export const idempotencyFlagsMigration: Migration = {
  version: 36,
  name: 'idempotency-flags',
  oldestCompatible: 30,
  sql: `
-- null: it gave none, or it was not asked yet
alter table events add column has_idempotency_key integer;
`,
}
