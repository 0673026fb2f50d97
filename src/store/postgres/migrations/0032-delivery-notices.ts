import type { Migration } from '../../migrations.ts'

/** What tenants are to be told of deliveries, where they have asked for it. */
export const deliveryNoticesMigration: Migration = {
  version: 32,
  name: 'delivery-notices',
  oldestCompatible: 31,
  sql: `
create table delivery_notices (
  delivery_id uuid not null,
  claim_version integer not null,
  tenant_id uuid not null,
  notice text not null,
  primary key (delivery_id, claim_version)
);
create index delivery_notices_tenant on delivery_notices (tenant_id);
`,
}
