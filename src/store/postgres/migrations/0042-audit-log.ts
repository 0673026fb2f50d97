import type { Migration } from '../../migrations.ts'

/** Who changed what. An older process changes without a line. */
export const auditLogMigration: Migration = {
  version: 42,
  name: 'audit-log',
  oldestCompatible: 36,
  sql: `
create table audit_log (
  id uuid primary key,
  created_at bigint not null,
  -- null: of the whole server
  tenant_id uuid,
  actor_kind text not null,
  -- of a token, a key or a link
  actor_id text collate "C",
  action text collate "C" not null,
  object_kind text not null,
  object_id text collate "C",
  -- JSON
  before text,
  after text
);
create index audit_log_age on audit_log (created_at);
create index audit_log_tenant on audit_log (tenant_id, id) where tenant_id is not null;
create index audit_log_object on audit_log (object_id, id) where object_id is not null;
create index audit_log_actor on audit_log (actor_id, id) where actor_id is not null;
`,
}
