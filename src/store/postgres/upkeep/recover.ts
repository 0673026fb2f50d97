/**
 * Ends leases whose time is over: whoever held them is gone, frozen, or too late. Each that has no outcome becomes due,
 * with one lost claim more. Any node does it, for rows of `handoffs` that nobody else has locked, be it another that
 * does the same or one that records an outcome just now.
 */
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { countMoved } from '../record/finish.ts'
import { liveColumns } from '../rows/columns.ts'
import { endpointIn, subscriptionIn } from '../rows/fan-out.ts'
import { uuid } from '../rows/wire-types.ts'

/** Rows of `handoffs`, one per commit, that one call ends at most. */
const maxBatches = 20

/** Whether there are any. Locks nothing. */
export async function hasExpired(context: Context): Promise<boolean> {
  const [row] = await run(context, expiredStatement, {})
  return row?.has_expired === true
}

const expiredStatement = query<{ readonly has_expired: boolean }>()(
  'has_expired',
  {},
  // handoffs_until
  `select (select true from handoffs where until <= ${now} order by until limit 1) is not null as has_expired`,
)

export interface Recovered {
  /** Targets that have work now. */
  readonly armed: number
  /** There may be more. */
  readonly more: boolean
}

/** In a transaction: what an outcome wrote that was waited for is seen only by a statement that begins after the lock. */
export async function recover(context: Context): Promise<Recovered> {
  const rows = await run(context, lockStatement, {})
  if (rows.length === 0) return { armed: 0, more: false }
  const [row] = await run(context, recoverStatement, { batches: rows.map(({ batch }) => uuid(batch)) })
  return { armed: row?.armed ?? 0, more: rows.length === maxBatches }
}

const lockStatement = query<{ readonly batch: Uint8Array }>()(
  'lock_expired',
  {},
  // handoffs_until
  `select batch from handoffs where until <= ${now} order by until limit ${maxBatches} for update skip locked`,
)

const recoverStatement = query<{ readonly armed: number }>()(
  'recover',
  { batches: 'uuid[]' },
  // primary keys, one seek for each lease
  `
with o as materialized (
  select h.node_id, h.until, l.id, l.event_id, l.version
  from handoffs h cross join lateral unnest(h.delivery_ids, h.event_ids, h.claim_versions) as l (id, event_id, version)
  where h.batch = any ($batches) order by l.id
),
claimed as materialized (
  select o.*, d.tid from o cross join lateral (
    select l.ctid as tid from live_deliveries l
    where l.id = o.id and l.claim_version = o.version and l.state = 'in_flight' limit 1 for update skip locked) d
  where o.event_id is null
),
again as (
  update live_deliveries d set state = case when d.attempt_count = 0 then 'pending' else 'retry_scheduled' end,
    due_at = c.until, reason = null, lost_claims = d.lost_claims + 1, updated_at = ${now}
  from claimed c where d.ctid = c.tid
  returning d.id, d.tenant_id, d.endpoint_id, d.target_id, d.due_at, d.state as to_state
),
-- Somebody else has locked the delivery: it is left to the next call.
locked as materialized (
  select o.* from o
  where o.event_id is null and (o.id in (select id from again)) is not true
    and (select true from live_deliveries l
         where l.id = o.id and l.claim_version = o.version and l.state = 'in_flight')
),
kept as (
  insert into handoffs (batch, node_id, granted_at, until, delivery_ids, event_ids, claim_versions)
  select gen_random_uuid(), node_id, ${now}, ${now}, array_agg(id), array_agg(event_id), array_agg(version)
  from locked group by node_id
),
-- One that was handed off has a row in one of the tables once it has an outcome.
handed_off as materialized (
  select o.*, e.tenant_id, e.created_at, ${subscriptionIn('e.fan_out', 'o.id')} as subscription_id,
    ${endpointIn('e.fan_out', 'o.id')} as endpoint_id
  from o cross join lateral (select * from events e where e.id = o.event_id limit 1) e
  where (select true from deliveries f where f.id = o.id) is null
    and (select true from live_deliveries l where l.id = o.id) is null
),
due as (
  insert into live_deliveries (${liveColumns})
  select id, tenant_id, event_id, subscription_id, endpoint_id, endpoint_id, 'pending', until, null, 0, version, 1,
    null, null, null, created_at, ${now}, null, null, null, null
  from handed_off
  returning tenant_id, endpoint_id, target_id, due_at, state as to_state
),
found as materialized (
  select tenant_id, endpoint_id, target_id, due_at, to_state from again
  union all select tenant_id, endpoint_id, target_id, due_at, to_state from due
),
moved as (select tenant_id, endpoint_id, 'in_flight' as from_state, to_state from found),
counted as (${countMoved}),
wanted as materialized (
  select f.target_id, f.tenant_id, greatest(min(f.due_at), ${blockedUntil('f.target_id')}) as next_at
  from found f group by f.target_id, f.tenant_id
),
armed as (${armWanted}),
gone as (delete from handoffs where batch = any ($batches))
select (select count(*) from wanted)::integer as armed`,
)
