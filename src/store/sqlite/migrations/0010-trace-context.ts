import type { Migration } from '../../migrations.ts'

/** The trace of an event's publisher. Behind the payload, but a null is read and written without it. */
export const traceContextMigration: Migration = {
  version: 10,
  name: 'trace context',
  oldestCompatible: 7,
  sql: `
-- JSON of traceparent and tracestate
alter table events add column trace_context text;
`,
}
