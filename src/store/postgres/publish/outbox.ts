/**
 * The outbox: events that callers published inside their own transactions, from their commit to their fan-out. The
 * first half, `accept_event`, is a function of the database, so that every language can call it.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { AcceptedEvent, AcceptedPayloads, FanOutPlan, FanOutResult } from '../../port.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { eventColumns } from '../rows/columns.ts'
import { outboxFieldsWith } from '../rows/event-fields.ts'
import { fanOutSlice, listFanOuts } from '../rows/fan-out.ts'
import { BytesParameter, uuid, uuidOfId } from '../rows/wire-types.ts'
import { figurePublished } from './figure-published.ts'
import { joinLines, settleJoined } from './join-lines.ts'
import { insertFanOuts, receiverValues, stateOf } from './large-fan-out.ts'
import { findOvertaking } from './open-fan-outs.ts'
import { deliveryParameters, deliveryValues, placeDeliveries, placedAlone } from './place-deliveries.ts'

interface AcceptedRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly topic: string
  readonly ordering_key: string | null
  readonly payload_bytes: number
  readonly deliver_at: number | null
  readonly place: number
}

/** Names the database among all that have an Outhook in the same schema. */
export async function readStoreId(context: Context): Promise<string | null> {
  const [row] = await run(context, storeIdStatement, {})
  return row?.value ?? null
}

const storeIdStatement = query<{ readonly value: string }>()(
  'store_id',
  {},
  `select value from meta where name = 'store_id'`,
)

export async function setKeyTtl(context: Context, ms: number): Promise<void> {
  await run(context, keyTtlStatement, { ttl_ms: String(Math.round(ms)) })
}

const keyTtlStatement = command(
  'set_key_ttl',
  { ttl_ms: 'text' },
  `insert into meta as m (name, value) values ('idempotency_ttl_ms', $ttl_ms)
   on conflict (name) do update set value = excluded.value where m.value <> excluded.value`,
)

export async function listAccepted(
  context: Context,
  limit: number,
  after: string | null,
): Promise<readonly AcceptedEvent[]> {
  const rows = await run(context, acceptedStatement, { limit, after: after === null ? -1 : Number(after) })
  return rows.map((row) => ({
    id: bytesToId(idPrefixes.event, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    topic: row.topic,
    orderingKey: row.ordering_key,
    payloadBytes: row.payload_bytes,
    deliverAt: row.deliver_at,
    place: String(row.place),
  }))
}

const acceptedStatement = query<AcceptedRow>()(
  'list_accepted',
  { limit: 'bigint', after: 'bigint' },
  // primary key
  `select id, tenant_id, topic, ordering_key, payload_bytes, deliver_at, place from outbox
   where place > $after order by place limit $limit`,
)

export async function readAccepted(context: Context, ids: readonly string[]): Promise<AcceptedPayloads> {
  const rows = await run(context, acceptedPayloadsStatement, { ids: ids.map(uuidOfId) })
  return new Map(rows.map(({ id, payload }) => [bytesToId(idPrefixes.event, id), payload]))
}

const acceptedPayloadsStatement = query<{ readonly id: Uint8Array; readonly payload: Uint8Array }>()(
  'read_accepted',
  { ids: 'uuid[]' },
  // outbox_id
  `select o.id, o.payload from unnest($ids) as w (id)
   cross join lateral (select id, payload from outbox where id = w.id limit 1) o`,
)

interface FanOutRow {
  readonly tenant_id: Uint8Array
  readonly is_current: boolean
  /** Null: it stays in the outbox. */
  readonly event_id: Uint8Array | null
}

/**
 * In a transaction where some of the deliveries are ordered. No line is too long for them: what a caller's transaction has
 * committed cannot be refused any more. What would overtake an event of its key that is being fanned out stays in the outbox
 * until then.
 */
export async function fanOut(context: Context, planned: readonly FanOutPlan[]): Promise<FanOutResult> {
  const overtaking = await findOvertaking(context, planned)
  const plans = planned.filter((plan) => !overtaking.has(plan))
  const held = Array.from(overtaking, ({ id }) => id)
  if (plans.length === 0) return { count: 0, stale: [], held }
  const joined = await joinLines(context, plans)
  const fanOuts = listFanOuts(plans)
  const bytes = new BytesParameter()
  const rows = await run(context, fanOutStatement, {
    ids: plans.map((plan) => uuidOfId(plan.id)),
    tenants: plans.map((plan) => uuidOfId(plan.tenantId)),
    versions: plans.map((plan) => plan.routingVersion),
    filtered: plans.map((plan) => plan.filteredSubscriptions),
    ...receiverValues(plans, bytes),
    bytes: bytes.value(),
    entries_from: fanOuts.from,
    entries_to: fanOuts.to,
    ...deliveryValues(plans, fanOuts, { ...placedAlone, places: joined.places }),
  })
  const stale = rows.filter((row) => !row.is_current)
  const written = new Set(rows.flatMap(({ event_id: id }) => (id === null ? [] : [uuid(id)])))
  await settleJoined(
    context,
    joined,
    plans.flatMap(({ id, deliveries }) => (written.has(uuidOfId(id)) ? deliveries : [])),
  )
  return {
    count: rows.length - stale.length,
    held,
    stale: Array.from(new Set(stale.map((row) => bytesToId(idPrefixes.tenant, row.tenant_id)))),
  }
}

/**
 * One statement, so that nobody's death leaves half of it, and, but for lines, no lock outlives it. The payloads never leave the
 * server. Whoever gets the advisory lock is alone; what makes a fan-out happen once is that the row can be deleted once.
 */
const fanOutStatement = query<FanOutRow>()(
  'fan_out',
  {
    ids: 'uuid[]',
    tenants: 'uuid[]',
    versions: 'bigint[]',
    filtered: 'bigint[]',
    entries_from: 'integer[]',
    entries_to: 'integer[]',
    receivers_at: 'integer[]',
    receivers_lengths: 'integer[]',
    bytes: 'bytea',
    ...deliveryParameters,
  },
  `
with input as materialized (
  select e.*, coalesce(t.routing_version, 0) = e.version as is_current
  from unnest($ids, $tenants, $versions, $filtered, $entries_from, $entries_to, $receivers_at, $receivers_lengths)
    as e (id, tenant_id, version, filtered, entries_from, entries_to, receivers_at, receivers_length)
  left join tenants t on t.id = e.tenant_id -- primary key
  where (select pg_try_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' fan out', 0)))
),
-- By tid, behind a seek of outbox_id for each: a plain join might read all that waits.
found as materialized (
  select o.tid, i.filtered, i.entries_from, i.entries_to, i.receivers_at, i.receivers_length from input i cross join lateral (
    select ctid as tid from outbox where id = i.id limit 1) o
  where i.is_current
),
accepted as materialized (
  delete from outbox o using found f where o.ctid = f.tid
  returning o.*, f.filtered, f.entries_from, f.entries_to, f.receivers_at, f.receivers_length
),
new_events as (
  insert into events (${eventColumns}, fan_out, payload)
  select id, tenant_id, topic, ${stateOf('receivers_at')}, payload_bytes, ${outboxFieldsWith({ filteredSubscriptions: 'filtered' })}, created_at,
    ${fanOutSlice('entries_from', 'entries_to')}, payload
  from accepted
),
${figurePublished},
${insertFanOuts},
${placeDeliveries}
select tenant_id, is_current, null::uuid as event_id from input where not is_current
union all
select tenant_id, true, id from accepted`,
)
