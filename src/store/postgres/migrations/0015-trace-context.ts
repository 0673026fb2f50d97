import type { Migration } from '../../migrations.ts'
import { type AcceptedColumn, acceptEventSql } from './outbox-functions.ts'

export const acceptedTrace: AcceptedColumn = {
  column: 'trace_context',
  type: 'jsonb',
  kept: "nullif(trace_context, 'null')::text",
}

/** The trace of an event's publisher. */
export const traceContextMigration: Migration = {
  version: 15,
  name: 'trace context',
  oldestCompatible: 11,
  sql: `
-- JSON of traceparent and tracestate
alter table events add column trace_context text;
alter table outbox add column trace_context text;

drop function accept_event;
${acceptEventSql([acceptedTrace])}`,
}
