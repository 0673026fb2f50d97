/** Tables of `0008-initial.ts` for events that are fanned out in slices. */
export const fanOutsSql = `
-- Events for many, until the last slice of their deliveries is made, see large-fan-out.ts.
create table fan_outs (
  event_id uuid primary key,
  tenant_id uuid not null,
  -- the order of publishing
  place bigint generated always as identity,
  -- how many of the receivers have their delivery
  made integer not null,
  -- 32 bytes for each: the ids of its subscription and its endpoint
  receivers bytea not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
-- Ids do not compress, and a slice reads its own part alone.
alter table fan_outs alter column receivers set storage external;

-- The deliveries that each slice has made.
create table fan_out_slices (
  event_id uuid not null,
  slice bigint not null,
  delivery_ids uuid[] not null,
  primary key (event_id, slice)
);
alter table fan_out_slices alter column delivery_ids set storage external;
`
