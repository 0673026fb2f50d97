import type { Migration } from '../../migrations.ts'

/**
 * What an endpoint's tenant is still to be told of it: a JSON list, oldest first; null for nothing. The topics of such
 * events are nobody's who publishes by SQL.
 */
export const noticesMigration: Migration = {
  version: 27,
  name: 'notices',
  oldestCompatible: 26,
  sql: `
alter table endpoints add column notices text;
create index endpoints_notices on endpoints (id) where notices is not null;

create function refuse_reserved_topic() returns trigger language plpgsql as $$
begin
  perform refuse_event(format('topic "%s" is reserved for events that Outhook publishes itself', new.topic),
                       'choose another');
  return null;
end $$;

create trigger outbox_reserved_topic before insert on outbox for each row
  when (new.topic in ('endpoint.disabled', 'endpoint.recovered', 'delivery.dead_lettered', 'delivery.failing'))
  execute function refuse_reserved_topic();
`,
}
