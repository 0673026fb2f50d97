import type { Migration } from '../../migrations.ts'
import { acceptedTrace } from './0015-trace-context.ts'
import { type AcceptedColumn, acceptEventSql, publishFunctionsSql } from './outbox-functions.ts'

export const acceptedTime: AcceptedColumn = { column: 'deliver_at', type: 'bigint', kept: 'deliver_at' }

/** Events for later, which an older process would deliver early. */
export const scheduleMigration: Migration = {
  version: 16,
  name: 'schedule',
  oldestCompatible: 16,
  sql: `
-- null: the deliveries are due at once
alter table events add column deliver_at bigint;
alter table outbox add column deliver_at bigint;

drop function publish(text, json, text, jsonb, text, text);
drop function publish(text, text, text, jsonb, text, text);
drop function publish(text, bytea, text, jsonb, text, text);
drop function accept_event;
${acceptEventSql([acceptedTrace, acceptedTime])}
${publishFunctionsSql({ hasTime: true })}`,
}
