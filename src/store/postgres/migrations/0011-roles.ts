import type { Migration } from '../../migrations.ts'

/**
 * Admin tokens have a role and are of one tenant or of all (null), keys expire and are rotated: a key has several hashes
 * while a rotation overlaps. An Outhook from before would take a viewer's token for an administrator's.
 */
export const rolesMigration: Migration = {
  version: 11,
  name: 'roles',
  oldestCompatible: 11,
  sql: `
create table api_key_hashes (
  hash bytea primary key,
  key_id uuid not null,
  -- while a rotation overlaps
  expires_at bigint
);
create index api_key_hashes_key on api_key_hashes (key_id);
insert into api_key_hashes (hash, key_id) select hash, id from api_keys;

alter table api_keys
  drop column hash,
  alter column tenant_id drop not null,
  -- of an admin token
  add column role text,
  add column abilities text not null default '[]',
  add column rate_limit_rps double precision,
  add column expires_at bigint,
  add column last_used_at bigint;
alter table api_keys alter column abilities drop default;
update api_keys set abilities = '["publish"]' where kind = 'producer';
update api_keys set role = 'admin' where kind = 'admin';
update api_keys set tenant_id = null where kind = 'admin' and tenant_id = '00000000-0000-0000-0000-000000000000';
drop index api_keys_tenant;
create index api_keys_tenant on api_keys (tenant_id, kind, id);
create index api_keys_kind on api_keys (kind, id);
`,
}
