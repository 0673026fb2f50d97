/**
 * What a copy reads: the tables in the form that all stores know, with ids in place of integers. Temporary views of their
 * names stand before the tables of the file.
 */
import type { DatabaseSync } from 'node:sqlite'
import { deliveryStates } from '../../../core/model.ts'
import { keptFields, readFields } from '../rows/event-columns.ts'
import { type FanOutEntry, unpackFanOut } from '../rows/fan-out.ts'

/** A column of a view that only says where its row stands; no store has it. */
export const placeColumn = 'copied_at_key'

/** A table, or a part of one, and the columns in whose order it is read. */
export interface CopyPart {
  readonly from: string
  readonly key: readonly string[]
}

/** Of tables that are not read as they are, by their primary key. */
export const partsOfViews: Readonly<Record<string, readonly CopyPart[]>> = {
  events: [{ from: 'events', key: [placeColumn] }],
  fan_out_slices: [{ from: 'fan_out_slices', key: [placeColumn, 'slice'] }],
  live_deliveries: [{ from: 'live_deliveries', key: [placeColumn] }],
  ordered_keys: [{ from: 'ordered_keys', key: [placeColumn] }],
  deliveries: [{ from: 'deliveries', key: [placeColumn] }],
  skipped_heads: [{ from: 'skipped_heads', key: [placeColumn] }],
  attempts: [{ from: 'attempts', key: [placeColumn, 'claim_version'] }],
}

const stateName = `case d.state ${deliveryStates.map((state, code) => `when ${code} then '${state}'`).join(' ')} end as state`

const owners = `tn.id as tenant_id, coalesce(e.id, zeroblob(16)) as event_id, sn.id as subscription_id, en.id as endpoint_id,
  gn.id as target_id`

const joins = `left join main.events e on e.k = d.event_k
  left join main.names tn on tn.n = d.tenant
  left join main.names sn on sn.n = d.subscription
  left join main.names en on en.n = d.endpoint
  left join main.names gn on gn.n = d.target`

const last = `d.attempt_count, d.claim_version, d.last_http_status, d.error_class, d.last_error,
  d.created_at, d.updated_at, d.replayed_at, d.url, d.method, d.headers`

const views = `
create temp view events as
select e.k as ${placeColumn}, e.id, tn.id as tenant_id, coalesce(t.topic, e.topic_text) as topic, 'fanned_out' as state,
  e.payload_bytes, ${readFields}, e.created_at, e.expunged_at,
  ids_in_fan_out(e.fan_out) as fan_out, e.payload
from main.events e
left join main.names tn on tn.n = e.tenant
left join main.topics t on t.n = e.topic;

create temp view fan_out_slices as
select r.event_k as ${placeColumn}, e.id as event_id, r.first_k as slice, coalesce(unhex((
    select group_concat(hex(d.id), '') from (
      select id from main.live_deliveries where k >= r.first_k and k <= r.last_k and event_k = r.event_k
      union all
      select id from main.deliveries where k >= r.first_k and k <= r.last_k and event_k = r.event_k) d)), x'')
  as delivery_ids
from main.fan_out_ranges r join main.events e on e.k = r.event_k;

create temp view live_deliveries as
select d.k as ${placeColumn}, d.id, ${owners}, ${stateName}, d.due_at, d.reason, d.lost_claims, ${last}, d.line, d.place
from main.live_deliveries d ${joins};

create temp view deliveries as
select d.k as ${placeColumn}, d.id, ${owners}, ${stateName}, ${last}, d.started_at, d.latency_ms, d.response_headers,
  d.response_truncated, d.response_body
from main.deliveries d ${joins};

create temp view ordered_keys as
select o.line as ${placeColumn}, o.line, o.tenant_id, o.subscription_id, o.ordering_key,
  coalesce((select id from main.live_deliveries where k = o.head),
           (select id from main.deliveries where k = o.head)) as head,
  o.blocked_at, o.length, o.last_place, 0 as unsettled
from main.ordered_keys o;

create temp view skipped_heads as
select s.k as ${placeColumn}, d.id as delivery_id, s.next_id as next_head
from main.skipped_heads s join main.deliveries d on d.k = s.k;

create temp view attempts as
select a.delivery_k as ${placeColumn},
  coalesce((select id from main.deliveries where k = a.delivery_k),
           (select id from main.live_deliveries where k = a.delivery_k)) as delivery_id,
  a.claim_version, a.attempt_no, a.status, a.http_status, a.error_class, a.error, a.latency_ms, a.started_at,
  a.response_headers, a.response_body, a.response_truncated
from main.attempts a;

-- A cursor holds a key of this file. What is begun anew finds what is done already, and does not do it again.
create temp view jobs as
select id, tenant_id, kind, filter, rate, state, total, done, skipped, failed, error, null as cursor, null as owner,
  0 as lease_until, created_at, started_at, ended_at
from main.jobs;
`

export function createCopyViews(database: DatabaseSync): void {
  const ids = new Map(
    database
      .prepare('select n, id from names')
      .all()
      .map(({ n, id }) => [n as number, id as Uint8Array]),
  )
  database.function('ids_in_fan_out', { deterministic: true }, (packed) =>
    idsInFanOut(unpackFanOut(packed as Uint8Array), ids),
  )
  database.exec(views)
}

const idBytes = 16
const noId = new Uint8Array(idBytes)

/** Of each delivery its id, its subscription's and its endpoint's, one after the other; zeros where there is none. */
function idsInFanOut(entries: readonly FanOutEntry[], ids: ReadonlyMap<number, Uint8Array>): Uint8Array {
  const parts = entries.flatMap(({ id, subscription, endpoint }) => [
    id,
    ids.get(subscription) ?? noId,
    ids.get(endpoint) ?? noId,
  ])
  const joined = new Uint8Array(parts.length * idBytes)
  for (const [index, part] of parts.entries()) joined.set(part, index * idBytes)
  return joined
}

/** What the views take of each table. */
const knownColumns: Readonly<Record<string, string>> = {
  events: `k id tenant topic topic_text created_at fan_out payload_bytes payload ${keptFields.join(' ')}`,
  live_deliveries:
    'k id tenant event_k subscription endpoint target state due_at reason attempt_count claim_version lost_claims ' +
    'last_http_status error_class last_error created_at updated_at replayed_at url method headers line place',
  ordered_keys: 'line tenant_id subscription_id ordering_key head blocked_at length last_place',
  skipped_heads: 'k next_id',
  deliveries:
    'k id tenant event_k subscription endpoint target state attempt_count claim_version last_http_status error_class ' +
    'last_error created_at updated_at replayed_at url method headers started_at latency_ms response_headers ' +
    'response_truncated response_body',
  attempts:
    'delivery_k claim_version attempt_no status http_status error_class error latency_ms started_at response_headers ' +
    'response_body response_truncated',
}

/** Columns of the table that no view takes along: a newer Outhook has added them. */
export function unknownColumns(database: DatabaseSync, table: string): readonly string[] {
  const known = knownColumns[table]?.split(' ')
  if (known === undefined) return []
  const columns = database.prepare(`select name from pragma_table_info('${table}', 'main')`).all()
  return columns.map(({ name }) => name as string).filter((name) => !known.includes(name))
}
