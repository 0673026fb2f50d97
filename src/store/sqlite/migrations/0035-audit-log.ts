import type { Migration } from '../../migrations.ts'

/** Who changed what. An older process changes without a line. */
export const auditLogMigration: Migration = {
  version: 35,
  name: 'audit-log',
  oldestCompatible: 30,
  sql: `
create table audit_log (
  id blob primary key,
  created_at integer not null,
  -- null: of the whole server
  tenant_id blob,
  actor_kind text not null,
  -- of a token, a key or a link
  actor_id text,
  action text not null,
  object_kind text not null,
  object_id text,
  -- JSON
  before text,
  after text
) without rowid;
create index audit_log_age on audit_log (created_at);
create index audit_log_tenant on audit_log (tenant_id, id) where tenant_id is not null;
create index audit_log_object on audit_log (object_id, id) where object_id is not null;
create index audit_log_actor on audit_log (actor_id, id) where actor_id is not null;
`,
}
