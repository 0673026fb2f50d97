import type { Migration } from '../../migrations.ts'

/**
 * Tables keyed by 16-byte time-ordered ids, WITHOUT ROWID: one tree per table instead of two.
 * `tenants` to `endpoint_state` are small; the others are written for every event.
 */
export const initialMigration: Migration = {
  version: 1,
  name: 'initial',
  oldestCompatible: 1,
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

create table events (
  id blob primary key,
  tenant_id blob not null,
  topic text,
  state text not null,
  payload_bytes integer not null,
  metadata text,
  ordering_key text,
  producer_key_id blob,
  created_at integer not null
) without rowid;
create index events_topic on events (tenant_id, topic, id);

create table event_payloads (event_id blob primary key, payload blob not null) without rowid;

create table live_deliveries (
  id blob primary key,
  tenant_id blob not null,
  event_id blob not null,
  subscription_id blob,
  endpoint_id blob,
  target_id blob not null,
  state text not null,
  -- next attempt, or end of the lease while in flight; null: parked for the reason
  due_at integer,
  reason text,
  attempt_count integer not null,
  claim_version integer not null,
  lost_claims integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  ordering_key text,
  created_at integer not null,
  updated_at integer not null,
  replayed_at integer,
  -- of a direct send, frozen with the delivery
  url text,
  method text,
  headers text
) without rowid;
create index live_deliveries_due on live_deliveries (target_id, due_at, id) where due_at is not null;
create index live_deliveries_parked on live_deliveries (target_id, id) where due_at is null;
create index live_deliveries_event on live_deliveries (event_id);

create table deliveries (
  id blob primary key,
  tenant_id blob not null,
  event_id blob not null,
  subscription_id blob,
  endpoint_id blob,
  target_id blob not null,
  state text not null,
  attempt_count integer not null,
  claim_version integer not null,
  last_http_status integer,
  error_class text,
  last_error text,
  ordering_key text,
  created_at integer not null,
  updated_at integer not null,
  replayed_at integer,
  url text,
  method text,
  headers text
) without rowid;
create index deliveries_tenant on deliveries (tenant_id, id);
create index deliveries_endpoint on deliveries (endpoint_id, id);
create index deliveries_event on deliveries (event_id);
create index deliveries_dead on deliveries (tenant_id, id) where state = 'dead_lettered';
create index deliveries_cancelled on deliveries (tenant_id, id) where state = 'cancelled';

create table attempts (
  delivery_id blob not null,
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
  primary key (delivery_id, claim_version)
) without rowid;

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

create table ready_endpoints (
  target_id blob primary key,
  tenant_id blob not null,
  next_at integer not null
) without rowid;
create index ready_endpoints_tenant on ready_endpoints (tenant_id, next_at, target_id);
create index ready_endpoints_next on ready_endpoints (next_at);

create table delivery_counts (
  tenant_id blob not null,
  endpoint_id blob not null,
  state text not null,
  minute integer not null,
  delta integer not null,
  primary key (tenant_id, endpoint_id, state, minute)
) without rowid;
`,
}
