import type { Migration } from '../../migrations.ts'

/**
 * What a tenant is still to be told of a certificate that runs out, as JSON (null: nothing), and of which certificate and
 * days it was told last. Nobody who publishes by SQL takes the topic of it.
 */
export const expiryNoticesMigration: Migration = {
  version: 34,
  name: 'expiry notices',
  oldestCompatible: 33,
  sql: `
alter table credentials add column expiry_told text;
alter table credentials add column expiry_notice text;
create index credentials_expiry on credentials (id) where expiry_notice is not null;

drop trigger outbox_reserved_topic on outbox;
create trigger outbox_reserved_topic before insert on outbox for each row
  when (new.topic in ('endpoint.disabled', 'endpoint.recovered', 'delivery.dead_lettered', 'delivery.failing',
                      'credential.expiring'))
  execute function refuse_reserved_topic();
`,
}
