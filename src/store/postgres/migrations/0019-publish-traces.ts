import type { Migration } from '../../migrations.ts'
import { publishFunctionsSql, readTraceContextSql } from './outbox-functions.ts'

/** The SQL functions take the trace context of whoever publishes; calls without it stay as they are. */
export const publishTracesMigration: Migration = {
  version: 19,
  name: 'publish traces',
  oldestCompatible: 16,
  sql: `
${readTraceContextSql}
drop function publish(text, json, text, jsonb, text, text, timestamptz);
drop function publish(text, text, text, jsonb, text, text, timestamptz);
drop function publish(text, bytea, text, jsonb, text, text, timestamptz);
${publishFunctionsSql({ hasTime: true, hasTrace: true })}`,
}
