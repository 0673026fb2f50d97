import type { Migration } from '../../migrations.ts'

/**
 * Admin tokens have a role and are of one tenant or of all (null), keys expire and are rotated: a key has several hashes
 * while a rotation overlaps. An Outhook from before would take a viewer's token for an administrator's.
 */
export const rolesMigration: Migration = {
  version: 7,
  name: 'roles',
  oldestCompatible: 7,
  sql: `
create table api_key_hashes (
  hash blob primary key,
  key_id blob not null,
  -- while a rotation overlaps
  expires_at integer
) without rowid;
create index api_key_hashes_key on api_key_hashes (key_id);
insert into api_key_hashes (hash, key_id) select hash, id from api_keys;

create table api_keys_with_roles (
  id blob primary key,
  -- null: an admin token of all tenants
  tenant_id blob,
  kind text not null,
  -- of an admin token
  role text,
  name text not null,
  scopes text not null,
  abilities text not null,
  rate_limit_rps real,
  created_at integer not null,
  expires_at integer,
  last_used_at integer,
  revoked_at integer
) without rowid;
insert into api_keys_with_roles (id, tenant_id, kind, role, name, scopes, abilities, created_at, revoked_at)
  select id, case when kind = 'admin' and tenant_id = zeroblob(16) then null else tenant_id end, kind,
    case kind when 'admin' then 'admin' end, name, scopes, case kind when 'producer' then '["publish"]' else '[]' end,
    created_at, revoked_at
  from api_keys;
drop table api_keys;
alter table api_keys_with_roles rename to api_keys;
create index api_keys_tenant on api_keys (tenant_id, kind, id);
create index api_keys_kind on api_keys (kind, id);
`,
}
