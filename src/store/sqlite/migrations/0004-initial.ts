import type { Migration } from '../../migrations.ts'

/**
 * The layout of version 4; the three before it were never released, and their files are refused.
 *
 * Configuration is keyed by 16-byte time-ordered ids, WITHOUT ROWID: one tree per table instead of two. What is written
 * for every event is keyed by `k`, an integer that sorts like the id (`key-space.ts`), in rowid tables, because SQLite
 * appends to those at half the cost; ids of tenants, endpoints, subscriptions, keys and topics stand there as integers.
 * A delivery that is handed off and succeeds costs four changes of trees: a row and an entry each in `events` and
 * `deliveries`. A test counts them.
 */
export const initialMigration: Migration = {
  version: 4,
  name: 'initial',
  oldestCompatible: 4,
  sql: `
create table meta (name text primary key, value text not null) without rowid;

create table tenants (
  id blob primary key,
  name text not null,
  routing_version integer not null,
  created_at integer not null
) without rowid;
insert into tenants (id, name, routing_version, created_at) values (zeroblob(16), 'default', 1, 0);

create table endpoints (
  id blob primary key,
  tenant_id blob not null,
  uid text,
  url text not null,
  description text not null,
  headers text not null,
  signing_schemes text not null,
  max_in_flight integer not null,
  rate_limit_rps real,
  disabled_reason text,
  disabled_at integer,
  -- not null: deliveries still have to be cancelled, parked or made due
  cleanup text,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) without rowid;
create index endpoints_tenant on endpoints (tenant_id, id);
create unique index endpoints_uid on endpoints (tenant_id, uid) where uid is not null and deleted_at is null;
create index endpoints_cleanup on endpoints (id) where cleanup is not null;

create table endpoint_secrets (
  id blob primary key,
  endpoint_id blob not null,
  sealed blob not null,
  created_at integer not null,
  expires_at integer
) without rowid;
create index endpoint_secrets_endpoint on endpoint_secrets (endpoint_id, id);

create table subscriptions (
  id blob primary key,
  tenant_id blob not null,
  endpoint_id blob not null,
  topic_patterns text not null,
  retry_policy text,
  ordered integer not null,
  active integer not null,
  own integer not null,
  -- not null: where the scan for deliveries that are to be cancelled has got to
  cleanup text,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) without rowid;
create index subscriptions_tenant on subscriptions (tenant_id, id);
create index subscriptions_endpoint on subscriptions (endpoint_id, id);
create index subscriptions_cleanup on subscriptions (id) where cleanup is not null;

create table api_keys (
  id blob primary key,
  tenant_id blob not null,
  kind text not null,
  name text not null,
  scopes text not null,
  hash blob not null,
  created_at integer not null,
  revoked_at integer
) without rowid;
create unique index api_keys_hash on api_keys (hash);
create index api_keys_tenant on api_keys (tenant_id, id);

create table endpoint_state (
  target_id blob primary key,
  consecutive_failures integer not null,
  failing_since integer,
  paused_until integer,
  pause_ms integer not null,
  -- the one delivery that tries the endpoint after a pause, and the end of its lease
  probe_delivery_id blob,
  probe_until integer
) without rowid;

-- The tokens of targets that have a rate. One process owns the file, so slots need no shares.
create table endpoint_shares (
  target_id blob primary key,
  -- when the bucket is full again, and until when nothing may go because it had run out
  full_at real not null,
  limited_until integer not null
) without rowid;

create table ready_endpoints (
  target_id blob primary key,
  tenant_id blob not null,
  next_at integer not null
) without rowid;
create index ready_endpoints_tenant on ready_endpoints (tenant_id, next_at, target_id);
create index ready_endpoints_next on ready_endpoints (next_at);

create table idempotency_keys (
  tenant_id blob not null,
  scope text not null,
  key text not null,
  hash blob not null,
  event_id blob not null,
  expires_at integer not null,
  primary key (tenant_id, scope, key)
) without rowid;
create index idempotency_keys_expiry on idempotency_keys (expires_at);

create table delivery_counts (
  tenant_id blob not null,
  endpoint_id blob not null,
  state text not null,
  minute integer not null,
  delta integer not null,
  primary key (tenant_id, endpoint_id, state, minute)
) without rowid;

-- The integers that stand for ids of tenants, endpoints, subscriptions and keys, and for the first 10 000 topics.
create table names (n integer primary key, id blob not null unique);
create table topics (n integer primary key, topic text not null unique);

create table events (
  k integer primary key,
  id blob not null,
  tenant integer not null,
  topic integer,
  -- instead of the integer, for topics beyond the first
  topic_text text,
  created_at integer not null,
  metadata text,
  ordering_key text,
  producer_key integer,
  -- its deliveries, see fan-out.ts; empty where they are in fan_out_ranges
  fan_out blob not null,
  payload_bytes integer not null,
  -- null once it is past its retention
  payload blob
);
create index events_topic on events (tenant, topic);

-- Events for many, until the last slice of their deliveries is made, see large-fan-out.ts.
create table fan_outs (tenant integer not null, event_k integer not null, primary key (tenant, event_k)) without rowid;
-- Who is still to receive them, in parts of one slice at most: ids of subscriptions and endpoints.
create table fan_out_receivers (
  event_k integer not null,
  part integer not null,
  receivers blob not null,
  primary key (event_k, part)
) without rowid;
-- Between which keys their deliveries lie, among those of other events.
create table fan_out_ranges (
  event_k integer not null,
  first_k integer not null,
  last_k integer not null,
  primary key (event_k, first_k)
) without rowid;

-- One row for all that one commit has leased, see handoff-row.ts. It goes when the last of these leases has ended.
create table handoffs (batch integer primary key, leases blob not null);

-- States are numbers: their places in \`deliveryStates\`.
create table live_deliveries (
  k integer primary key,
  id blob not null,
  tenant integer not null,
  event_k integer not null,
  subscription integer,
  endpoint integer,
  target integer not null,
  state integer not null,
  -- next attempt; null: parked for the reason. While in flight it says nothing: the end of a lease is known in memory
  due_at integer,
  reason text,
  attempt_count integer not null,
  claim_version integer not null,
  lost_claims integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  created_at integer not null,
  updated_at integer not null,
  replayed_at integer,
  -- of a direct send, frozen with the delivery
  url text,
  method text,
  headers text
);
create index live_deliveries_due on live_deliveries (target, due_at) where due_at is not null and state <> 1;
create index live_deliveries_parked on live_deliveries (target, reason) where due_at is null and state <> 1;

create table deliveries (
  k integer primary key,
  id blob not null,
  tenant integer not null,
  event_k integer not null,
  subscription integer,
  endpoint integer,
  -- null: the endpoint
  target integer,
  state integer not null,
  attempt_count integer not null,
  claim_version integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  created_at integer not null,
  updated_at integer not null,
  replayed_at integer,
  url text,
  method text,
  headers text,
  -- the attempt that succeeded, with the columns above; those that failed are in attempts
  started_at integer,
  latency_ms real,
  response_headers text,
  response_truncated integer,
  response_body blob
);
-- Of a tenant, its endpoints' newest are merged: one index for both listings.
create index deliveries_endpoint on deliveries (tenant, endpoint);
create index deliveries_dead on deliveries (tenant) where state = 4;
create index deliveries_cancelled on deliveries (tenant) where state = 5;

create table attempts (
  delivery_k integer not null,
  claim_version integer not null,
  attempt_no integer not null,
  status text not null,
  http_status integer,
  error_class text,
  error text,
  latency_ms real not null,
  started_at integer not null,
  response_headers text,
  response_body blob,
  response_truncated integer,
  primary key (delivery_k, claim_version)
) without rowid;
`,
}
