/** Tables of `0008-initial.ts`. */
export const tablesSql = `
-- The server's clock. Statements do not ask it: the process gives them their moment (connection/server-time.ts).
create function server_ms() returns bigint language sql stable parallel safe
return (extract(epoch from statement_timestamp()) * 1000)::bigint;

create table meta (name text primary key, value text not null);

create table tenants (
  id uuid primary key,
  name text not null,
  routing_version bigint not null,
  created_at bigint not null
);
insert into tenants (id, name, routing_version, created_at)
values ('00000000-0000-0000-0000-000000000000', 'default', 1, 0);

create table endpoints (
  id uuid primary key,
  tenant_id uuid not null,
  uid text,
  url text not null,
  description text not null,
  headers text not null,
  signing_schemes text not null,
  max_in_flight integer not null,
  rate_limit_rps double precision,
  disabled_reason text,
  disabled_at bigint,
  -- not null: deliveries still have to be cancelled, parked or made due
  cleanup text,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
);
create index endpoints_tenant on endpoints (tenant_id, id);
create unique index endpoints_uid on endpoints (tenant_id, uid) where uid is not null and deleted_at is null;
create index endpoints_cleanup on endpoints (id) where cleanup is not null;

create table endpoint_secrets (
  id uuid primary key,
  endpoint_id uuid not null,
  sealed bytea not null,
  created_at bigint not null,
  expires_at bigint
);
create index endpoint_secrets_endpoint on endpoint_secrets (endpoint_id, id);

create table subscriptions (
  id uuid primary key,
  tenant_id uuid not null,
  endpoint_id uuid not null,
  topic_patterns text not null,
  retry_policy text,
  ordered boolean not null,
  active boolean not null,
  own boolean not null,
  -- not null: where the scan for deliveries that are to be cancelled has got to
  cleanup text,
  created_at bigint not null,
  updated_at bigint not null,
  deleted_at bigint
);
create index subscriptions_tenant on subscriptions (tenant_id, id);
create index subscriptions_endpoint on subscriptions (endpoint_id, id);
create index subscriptions_cleanup on subscriptions (id) where cleanup is not null;

create table api_keys (
  id uuid primary key,
  tenant_id uuid not null,
  kind text not null,
  name text not null,
  scopes text not null,
  hash bytea not null,
  created_at bigint not null,
  revoked_at bigint
);
create unique index api_keys_hash on api_keys (hash);
create index api_keys_tenant on api_keys (tenant_id, id);

create table endpoint_state (
  target_id uuid primary key,
  consecutive_failures integer not null,
  failing_since bigint,
  paused_until bigint,
  pause_ms bigint not null,
  -- the one delivery that tries the endpoint after a pause, and the end of its lease
  probe_delivery_id uuid,
  probe_until bigint
) with (fillfactor = 70);

create table events (
  id uuid primary key,
  tenant_id uuid not null,
  topic text,
  state text not null,
  payload_bytes integer not null,
  metadata text,
  ordering_key text,
  producer_key_id uuid,
  created_at bigint not null,
  -- its deliveries, see fan-out.ts; empty where they are in fan_out_slices
  fan_out uuid[] not null,
  -- null once it is past its retention
  payload bytea
);
-- Of a tenant, its topics' newest are merged: one index for both listings.
create index events_topic on events (tenant_id, topic, id);
alter table events alter column fan_out set storage external;

-- One row for all that one commit has leased, by hand-off or by claim: which deliveries, under which claim versions,
-- until when. It goes when the last of these leases has ended, and is never changed: whoever finds it gone knows that
-- the leases are over. Without an event: the delivery has a row in live_deliveries.
create table handoffs (
  batch uuid primary key,
  node_id uuid not null,
  granted_at bigint not null,
  until bigint not null,
  delivery_ids uuid[] not null,
  event_ids uuid[] not null,
  claim_versions integer[] not null
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index handoffs_until on handoffs (until);
-- Ids do not compress.
alter table handoffs alter column delivery_ids set storage external, alter column event_ids set storage external;

-- Rows live for seconds: vacuum must keep up with the traffic, not with the size of the table.
create table live_deliveries (
  id uuid primary key,
  tenant_id uuid not null,
  event_id uuid not null,
  subscription_id uuid,
  endpoint_id uuid,
  target_id uuid not null,
  state text not null,
  -- next attempt; null: parked for the reason. While in flight it says nothing: the end of a lease stands in handoffs
  due_at bigint,
  reason text,
  attempt_count integer not null,
  claim_version integer not null,
  lost_claims integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  created_at bigint not null,
  updated_at bigint not null,
  replayed_at bigint,
  -- of a direct send, frozen with the delivery
  url text,
  method text,
  headers text
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000,
        autovacuum_analyze_scale_factor = 0.1, autovacuum_vacuum_cost_delay = 0);
create index live_deliveries_due on live_deliveries (target_id, due_at, id)
  where due_at is not null and state <> 'in_flight';
create index live_deliveries_parked on live_deliveries (target_id, reason, id)
  where due_at is null and state <> 'in_flight';

create table deliveries (
  id uuid primary key,
  tenant_id uuid not null,
  event_id uuid not null,
  subscription_id uuid,
  endpoint_id uuid,
  -- null: the endpoint
  target_id uuid,
  state text not null,
  attempt_count integer not null,
  claim_version integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  created_at bigint not null,
  updated_at bigint not null,
  replayed_at bigint,
  url text,
  method text,
  headers text,
  -- the attempt that succeeded, with the columns above; those that failed are in attempts
  started_at bigint,
  latency_ms real,
  response_headers text,
  response_truncated boolean,
  response_body bytea
);
-- Of a tenant, its endpoints' newest are merged: one index for both listings.
create index deliveries_endpoint on deliveries (tenant_id, endpoint_id, id);
create index deliveries_dead on deliveries (tenant_id, id) where state = 'dead_lettered';
create index deliveries_cancelled on deliveries (tenant_id, id) where state = 'cancelled';

create table attempts (
  delivery_id uuid not null,
  claim_version integer not null,
  attempt_no integer not null,
  status text not null,
  http_status integer,
  error_class text,
  error text,
  latency_ms real not null,
  started_at bigint not null,
  response_headers text,
  response_body bytea,
  response_truncated boolean,
  primary key (delivery_id, claim_version)
);

create table idempotency_keys (
  tenant_id uuid not null,
  scope text not null,
  key text not null,
  hash bytea not null,
  event_id uuid not null,
  expires_at bigint not null,
  primary key (tenant_id, scope, key)
);
create index idempotency_keys_expiry on idempotency_keys (expires_at);

-- Which of these keys an open transaction has inserted: places in the lists, from 1. Nobody can see such a row, only
-- run into it, so each key is tried in a subtransaction that undoes itself.
create function held_keys(tenants uuid[], scopes text[], keys text[]) returns setof integer
language plpgsql set lock_timeout = '5ms' as $$
begin
  for place in 1 .. cardinality(keys) loop
    begin
      insert into idempotency_keys (tenant_id, scope, key, hash, event_id, expires_at)
      values (tenants[place], scopes[place], keys[place], '', '00000000-0000-0000-0000-000000000000', 0)
      on conflict do nothing;
      raise exception 'undone' using errcode = 'OH001';
    exception
      when lock_not_available then return next place;
      when sqlstate 'OH001' then null;
    end;
  end loop;
end $$;

create table ready_endpoints (
  target_id uuid primary key,
  tenant_id uuid not null,
  next_at bigint not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
        autovacuum_vacuum_cost_delay = 0);
create index ready_endpoints_tenant on ready_endpoints (tenant_id, next_at, target_id);
create index ready_endpoints_next on ready_endpoints (next_at);

-- Appended to, one row per batch, endpoint and state: an upsert would make the commits of all nodes wait for each
-- other. Folding adds old rows up into the one of minute 0.
create table delivery_counts (
  tenant_id uuid not null,
  -- the tenant's id for direct sends, which have no endpoint
  endpoint_id uuid not null,
  state text not null,
  minute bigint not null,
  delta bigint not null
) with (autovacuum_vacuum_scale_factor = 0.1, autovacuum_vacuum_threshold = 1000);
create unique index delivery_counts_folded on delivery_counts (tenant_id, endpoint_id, state) where minute = 0;
create index delivery_counts_minute on delivery_counts (minute) where minute > 0;

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
`
