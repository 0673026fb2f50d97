import type { Migration } from '../../migrations.ts'

/** What requests authenticate with, and which endpoints use it. */
export const credentialsMigration: Migration = {
  version: 25,
  name: 'credentials',
  oldestCompatible: 25,
  sql: `
create table credentials (
  id uuid primary key,
  tenant_id uuid not null,
  name text not null,
  description text not null,
  kind text not null,
  -- JSON, without secrets
  settings text not null,
  secret_hint text,
  -- under the master key
  sealed bytea not null,
  active boolean not null,
  created_at bigint not null,
  updated_at bigint not null,
  last_used_at bigint
);
create unique index credentials_name on credentials (tenant_id, name);
create index credentials_tenant on credentials (tenant_id, id);

-- of those whose token is fetched: the one that all processes use, and whose turn it is to fetch another
create table credential_tokens (
  credential_id uuid primary key,
  generation bigint not null default 0,
  -- under the master key; null: there is none
  sealed bytea,
  obtained_at bigint,
  expires_at bigint,
  -- in a row
  failures bigint not null default 0,
  error text,
  retry_at bigint,
  holder text,
  held_until bigint
);

alter table endpoints add column credential_id uuid;
create index endpoints_credential on endpoints (credential_id) where credential_id is not null;
`,
}
