import type { Migration } from '../../migrations.ts'

export const limitsMigration: Migration = {
  version: 3,
  name: 'limits',
  oldestCompatible: 1,
  sql: `
alter table endpoints add column rate_limit_rps double precision;

-- Processes that deliver. What one holds in endpoint_shares is its own to use until the first moment, and after that
-- counts as far as its requests may still be open, until the second.
create table nodes (id uuid primary key, usable_until bigint not null, until bigint not null) with (fillfactor = 50);

create table endpoint_shares (
  target_id uuid not null,
  -- whose slots they are; all zeros: the tokens of a target with a rate, for all nodes together
  node_id uuid not null,
  slots integer not null,
  -- until then the others are asked to give up what they do not need
  wants_until bigint,
  -- when the bucket is full again, and until when nothing may go because it had run out
  full_at double precision,
  limited_until bigint,
  primary key (target_id, node_id)
) with (fillfactor = 70);
create index endpoint_shares_node on endpoint_shares (node_id);
create index endpoint_shares_wanted on endpoint_shares (target_id) where wants_until is not null;

-- How many of the tokens are granted to hand-offs, with the arithmetic of core/rate-limit.ts. Its own snapshots see
-- what was committed while it waited for the row.
create function take_tokens(target uuid, rps double precision, wanted bigint, at bigint) returns bigint
language plpgsql as $$
declare
  bucket endpoint_shares;
  burst double precision := greatest(1, 2 * rps);
  taken bigint;
  filled double precision;
begin
  select * into bucket from endpoint_shares
  where target_id = target and node_id = '00000000-0000-0000-0000-000000000000' for update;
  if not found or bucket.limited_until > at then return 0; end if;
  taken := least(wanted, floor(greatest(0, burst - greatest(0, bucket.full_at - at) * rps / 1000) + 1e-6));
  filled := greatest(bucket.full_at, at) + taken * 1000 / rps;
  update endpoint_shares set full_at = filled, limited_until = case
    when burst - (filled - at) * rps / 1000 + 1e-6 >= 1 then 0
    else greatest(ceil(filled - (burst - 1) * 1000 / rps), at + 50) end
  where target_id = target and node_id = '00000000-0000-0000-0000-000000000000';
  return taken;
end $$;
`,
}
