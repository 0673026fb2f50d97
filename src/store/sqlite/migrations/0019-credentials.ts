import type { Migration } from '../../migrations.ts'

/** What requests authenticate with, and which endpoints use it. */
export const credentialsMigration: Migration = {
  version: 19,
  name: 'credentials',
  oldestCompatible: 19,
  sql: `
create table credentials (
  id blob primary key,
  tenant_id blob not null,
  name text not null,
  description text not null,
  kind text not null,
  -- JSON, without secrets
  settings text not null,
  secret_hint text,
  -- under the master key
  sealed blob not null,
  active integer not null,
  created_at integer not null,
  updated_at integer not null,
  last_used_at integer
) without rowid;
create unique index credentials_name on credentials (tenant_id, name);
create index credentials_tenant on credentials (tenant_id, id);

-- of those whose token is fetched: the one that all processes use, and whose turn it is to fetch another
create table credential_tokens (
  credential_id blob primary key,
  generation integer not null default 0,
  -- under the master key; null: there is none
  sealed blob,
  obtained_at integer,
  expires_at integer,
  -- in a row
  failures integer not null default 0,
  error text,
  retry_at integer,
  holder text,
  held_until integer
) without rowid;

alter table endpoints add column credential_id blob;
create index endpoints_credential on endpoints (credential_id) where credential_id is not null;
`,
}
