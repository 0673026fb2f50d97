import type { Migration } from '../../migrations.ts'

/**
 * What a tenant is still to be told of a certificate that runs out, as JSON (null: nothing), and of which certificate and
 * days it was told last.
 */
export const expiryNoticesMigration: Migration = {
  version: 28,
  name: 'expiry notices',
  oldestCompatible: 27,
  sql: `
alter table credentials add column expiry_told text;
alter table credentials add column expiry_notice text;
create index credentials_expiry on credentials (id) where expiry_notice is not null;
`,
}
