import type { Migration } from '../../migrations.ts'
import { acceptedTrace } from './0015-trace-context.ts'
import { acceptedTime } from './0016-schedule.ts'
import { type AcceptedColumn, acceptEventSql } from './outbox-functions.ts'

const acceptedKey: AcceptedColumn = {
  column: 'has_idempotency_key',
  type: null,
  kept: 'nullif(idempotency_key is not null, false)',
}

/** Whether an event's publisher gave an idempotency key. Of what an older process publishes it stays unknown. */
export const idempotencyFlagsMigration: Migration = {
  version: 43,
  name: 'idempotency-flags',
  oldestCompatible: 36,
  sql: `
-- null: it gave none, or it was not asked yet
alter table events add column has_idempotency_key boolean;
alter table outbox add column has_idempotency_key boolean;

drop function accept_event;
${acceptEventSql([acceptedTrace, acceptedTime, acceptedKey])}`,
}
