/**
 * The outbox: events that callers published inside their own transactions, from their commit to their fan-out. The
 * first half, `accept_event`, is a function of the database, so that every language can call it.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { AcceptedEvent, FanOutPlan, FanOutResult } from '../../port.ts'
import type { Context } from '../connection/context.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { deliveryParameters, placeDeliveries } from './place-deliveries.ts'

interface AcceptedRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly topic: string
  readonly ordering_key: string | null
  readonly payload_bytes: number
}

/** Names the database among all that have an Outhook in the same schema. */
export async function readStoreId(context: Context): Promise<string | null> {
  const [row] = await context.query<{ readonly value: string }>(
    'store_id',
    `select value from meta where name = 'store_id'`,
    [],
  )
  return row?.value ?? null
}

export async function setKeyTtl(context: Context, ms: number): Promise<void> {
  await context.query(
    'set_key_ttl',
    `insert into meta as m (name, value) values ('idempotency_ttl_ms', $1)
     on conflict (name) do update set value = excluded.value where m.value <> excluded.value`,
    [String(Math.round(ms))],
  )
}

export async function listAccepted(context: Context, limit: number): Promise<readonly AcceptedEvent[]> {
  const rows = await context.query<AcceptedRow>(
    'list_accepted',
    // primary key
    'select id, tenant_id, topic, ordering_key, payload_bytes from outbox order by place limit $1',
    [limit],
  )
  return rows.map((row) => ({
    id: bytesToId(idPrefixes.event, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    topic: row.topic,
    orderingKey: row.ordering_key,
    payloadBytes: row.payload_bytes,
  }))
}

interface FanOutRow {
  readonly tenant_id: Uint8Array
  readonly is_fresh: boolean
}

export async function fanOut(context: Context, plans: readonly FanOutPlan[]): Promise<FanOutResult> {
  const rows = await context.query<FanOutRow>('fan_out', fanOutSql, [
    context.shiftMs,
    0,
    plans.map((plan) => uuidOfId(plan.id)),
    plans.map((plan) => uuidOfId(plan.tenantId)),
    plans.map((plan) => plan.routingVersion),
    ...deliveryParameters(plans, new Set()),
  ])
  const stale = rows.filter((row) => !row.is_fresh)
  return {
    count: rows.length - stale.length,
    stale: Array.from(new Set(stale.map((row) => bytesToId(idPrefixes.tenant, row.tenant_id)))),
  }
}

/**
 * One statement, so that nobody's death leaves half of it, and no lock outlives it. The payloads never leave the
 * server. Whoever gets the advisory lock is alone; what makes a fan-out happen once is that the row can be deleted once.
 */
const fanOutSql = `
with input as materialized (
  select e.*, coalesce(t.routing_version, 0) = e.version as is_fresh
  from unnest($3::uuid[], $4::uuid[], $5::bigint[]) as e (id, tenant_id, version)
  left join tenants t on t.id = e.tenant_id -- primary key
  where (select pg_try_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' fan out', 0)))
),
accepted as materialized (
  delete from outbox where id in (select id from input where is_fresh) -- outbox_id
  returning *
),
new_events as (
  insert into events
    (id, tenant_id, topic, state, payload_bytes, metadata, ordering_key, producer_key_id, created_at)
  select id, tenant_id, topic, 'fanned_out', payload_bytes, metadata, ordering_key, null, created_at
  from accepted
),
new_payloads as (
  insert into event_payloads (event_id, payload) select id, payload from accepted
),
${placeDeliveries(6)}
select tenant_id, is_fresh from input where not is_fresh
union all
select tenant_id, true from accepted`
