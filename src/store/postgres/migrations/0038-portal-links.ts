import type { Migration } from '../../migrations.ts'

/** Links to the portal. An older process knows nothing of them, and lets none in. */
export const portalLinksMigration: Migration = {
  version: 38,
  name: 'portal-links',
  oldestCompatible: 36,
  sql: `
create table portal_links (
  id uuid primary key,
  tenant_id uuid not null,
  -- SHA-256 of the token
  hash bytea not null unique,
  -- JSON
  abilities text not null,
  label text,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint
);
create index portal_links_tenant on portal_links (tenant_id, id);
create index portal_links_end on portal_links (expires_at);
`,
}
