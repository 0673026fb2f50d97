import type { Migration } from '../../migrations.ts'

/** Links to the portal. An older process knows nothing of them, and lets none in. */
export const portalLinksMigration: Migration = {
  version: 32,
  name: 'portal-links',
  oldestCompatible: 30,
  sql: `
create table portal_links (
  id blob primary key,
  tenant_id blob not null,
  -- SHA-256 of the token
  hash blob not null unique,
  -- JSON
  abilities text not null,
  label text,
  created_at integer not null,
  expires_at integer not null,
  revoked_at integer
) strict, without rowid;
create index portal_links_tenant on portal_links (tenant_id, id);
create index portal_links_end on portal_links (expires_at);
`,
}
