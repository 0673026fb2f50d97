/**
 * One statement for a whole batch: it tests the routing versions, takes the idempotency keys, and writes events, one row
 * of `handoffs` for all that is handed off, the deliveries that wait, ready rows and counts. What it leaves out it names,
 * and the reason is found afterwards.
 */
import type { NewEvent } from '../../port.ts'
import { rowsOf, withoutBlankLists } from '../connection/lists.ts'
import { now, query, type Values } from '../connection/statement.ts'
import { eventColumns } from '../rows/columns.ts'
import { fieldColumns, fieldParameters, fieldRows, fieldValues } from '../rows/event-fields.ts'
import { type FanOutLists, fanOutSlice } from '../rows/fan-out.ts'
import { BytesParameter } from '../rows/wire-types.ts'
import { figurePublished } from './figure-published.ts'
import { insertFanOuts, receiverValues, stateOf } from './large-fan-out.ts'
import { deliveryParameters, placeDeliveries } from './place-deliveries.ts'

interface AnswerRow {
  /** Events that were not written; deliveries that wait instead of being handed off; the moment of what was written. */
  readonly kind: 'lost' | 'stale' | 'waits' | 'moment'
  /** Null in the row that tells the moment. */
  readonly id: Uint8Array | null
  readonly at: number
}

const eventParameters = {
  ids: 'uuid[]',
  tenants: 'uuid[]',
  versions: 'bigint[]',
  topics: 'text[]',
  payload_lengths: 'integer[]',
  ...fieldParameters,
  scopes: 'text[]',
  keys: 'text[]',
  ttls: 'bigint[]',
  payloads_at: 'integer[]',
  hashes_at: 'integer[]',
  entries_from: 'integer[]',
  entries_to: 'integer[]',
  receivers_at: 'integer[]',
  receivers_lengths: 'integer[]',
  bytes: 'bytea',
} as const

const eventRows = rowsOf({
  id: 'ids',
  tenant_id: 'tenants',
  version: 'versions',
  topic: 'topics',
  payload_bytes: 'payload_lengths',
  ...fieldRows,
  scope: 'scopes',
  key: 'keys',
  ttl_ms: 'ttls',
  payload_at: 'payloads_at',
  hash_at: 'hashes_at',
  entries_from: 'entries_from',
  entries_to: 'entries_to',
  receivers_at: 'receivers_at',
  receivers_length: 'receivers_lengths',
})

export const publishStatement = query<AnswerRow>()(
  'publish',
  { ...eventParameters, ...deliveryParameters, batch: 'uuid', node: 'uuid', lease_ms: 'bigint' },
  `
with input as materialized (
  select e.*, coalesce(t.routing_version, 0) = e.version as is_current
  from (${eventRows}) e
  left join tenants t on t.id = e.tenant_id -- primary key
),
-- In key order, so that two nodes with the same keys wait for each other and never in a circle. Whoever comes second
-- gets no row back. An expired record is taken over.
keys as (
  insert into idempotency_keys as k (tenant_id, scope, key, hash, event_id, expires_at)
  select tenant_id, scope, key, substring($bytes from hash_at for 32), id, ${now} + ttl_ms
  from input where is_current and key is not null
  order by tenant_id, scope, key
  on conflict (tenant_id, scope, key) do update
    set hash = excluded.hash, event_id = excluded.event_id, expires_at = excluded.expires_at
    where k.expires_at <= ${now}
  returning event_id
),
accepted as materialized (
  select * from input where is_current and (key is null or id in (select event_id from keys))
),
new_events as (
  insert into events (${eventColumns}, fan_out, payload)
  select id, tenant_id, topic, ${stateOf('receivers_at')}, payload_bytes, ${fieldColumns}, ${now},
    ${fanOutSlice('entries_from', 'entries_to')}, substring($bytes from payload_at for payload_bytes)
  from accepted
),
${figurePublished},
${insertFanOuts},
${placeDeliveries},
handed_off as (
  insert into handoffs (batch, node_id, granted_at, until, delivery_ids, event_ids, claim_versions)
  select $batch, $node, ${now}, ${now} + $lease_ms, array_agg(id), array_agg(event_id), array_agg(1)
  from placed where is_leased having count(*) > 0
)
select case when is_current then 'lost' else 'stale' end as kind, id, 0::bigint as at from input
where (select count(*) from accepted) < cardinality($ids) and (id in (select id from accepted)) is not true
union all
select 'waits', id, 0 from placed where may_hand_off and not is_leased
union all
select 'moment', null, ${now}`,
)

export function eventValues(
  events: readonly NewEvent[],
  fanOuts: FanOutLists,
): Values<typeof eventParameters> {
  const bytes = new BytesParameter()
  const payloadsAt = events.map((event) => bytes.add(event.payload))
  const hashesAt = events.map(({ idempotency }) =>
    idempotency === null ? null : bytes.add(idempotency.hash),
  )
  const lists = {
    ...receiverValues(events, bytes),
    ids: events.map((event) => event.id),
    tenants: events.map((event) => event.tenantId),
    versions: events.map((event) => event.routingVersion),
    topics: events.map((event) => event.topic),
    payload_lengths: events.map((event) => event.payload.byteLength),
    ...fieldValues(events),
    scopes: events.map((event) => event.idempotency?.scope ?? null),
    keys: events.map((event) => event.idempotency?.key ?? null),
    ttls: events.map((event) => event.idempotency?.ttlMs ?? null),
    payloads_at: payloadsAt,
    hashes_at: hashesAt,
    entries_from: fanOuts.from,
    entries_to: fanOuts.to,
  }
  return { ...withoutBlankLists(lists), bytes: bytes.value() }
}
