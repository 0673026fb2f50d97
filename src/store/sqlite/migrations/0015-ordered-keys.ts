import type { Migration } from '../../migrations.ts'

/** Lines of ordered deliveries, of which an older process would claim what stands behind others as soon as it was due. */
export const orderedKeysMigration: Migration = {
  version: 15,
  name: 'ordered keys',
  oldestCompatible: 15,
  sql: `
-- A line of deliveries, for as long as it is not empty. A number is never used again, so that what a deleted
-- subscription left behind stands in nobody's line.
create table ordered_keys (
  line integer primary key autoincrement,
  tenant_id blob not null,
  subscription_id blob not null,
  ordering_key text not null,
  -- the delivery whose turn it is; it is live, or a dead letter that blocks the line
  head integer not null,
  blocked_at integer,
  -- deliveries in the line, a blocked head included, and the place that the last one took
  length integer not null,
  last_place integer not null
);
create unique index ordered_keys_key on ordered_keys (tenant_id, subscription_id, ordering_key);
create index ordered_keys_blocked on ordered_keys (tenant_id, subscription_id, ordering_key)
  where blocked_at is not null;
create unique index ordered_keys_blocked_head on ordered_keys (head) where blocked_at is not null;

-- of an ordered one: its line and where in it it stands
alter table live_deliveries add column line integer;
alter table live_deliveries add column place integer;
create index live_deliveries_line on live_deliveries (line, place) where line is not null;

-- Who became the head when a delivery was skipped, so that a repeated skip is answered as the first one was.
create table skipped_heads (k integer primary key, next_id blob);
create index deliveries_skipped on deliveries (tenant) where state = 6;
`,
}
