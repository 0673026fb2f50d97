import type { Migration } from '../../migrations.ts'

/** What connections to an endpoint show, where its requests carry a credential of another kind besides. */
export const clientCertificatesMigration: Migration = {
  version: 23,
  name: 'client certificates',
  oldestCompatible: 22,
  sql: `
alter table endpoints add column client_certificate_id blob;
create index endpoints_client_certificate on endpoints (client_certificate_id)
  where client_certificate_id is not null;
`,
}
