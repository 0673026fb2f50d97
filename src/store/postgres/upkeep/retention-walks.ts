/**
 * One slice of each walk of retention. Whatever the planner guesses, each must seek by index: the limit is part of the
 * text, rows are removed by their tid, and what has to be looked up is lateral with a limit (a plain join became a
 * merge over all events up to there).
 */
import type { RetentionWalk } from '../../retention.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { unblockLines } from '../ordering/unblock.ts'
import { countColumns } from '../rows/columns.ts'
import { deliveriesOf } from '../rows/fan-out.ts'

/** Parameters of every walk. */
export interface Slice {
  /** The last id that was looked at, and in `attempts` its claim version. */
  readonly after: string
  readonly after_version: number
  /** Ids from here on are too young, or too far for one statement. */
  readonly before: string
  readonly ended_by: number
  readonly dead_ended_by: number
  /** The class whose rows go. */
  readonly class: string | null
}

export interface WalkedRow {
  readonly looked: number
  readonly removed: number
  /** The id of the last row that was looked at; null: there was none. */
  readonly last_id: Uint8Array | null
  readonly last_version: number | null
  readonly took_ms: number
}

type Walk = (context: Context, slice: Slice, limit: number) => Promise<readonly WalkedRow[]>

export const walks: Readonly<Record<RetentionWalk, Walk>> = {
  payloads: removePayloads,
  attempts: (context, slice, limit) => run(context, attemptsStatement(limit), slice),
  successes: (context, slice, limit) => run(context, successesStatement(limit), slice),
  deliveries: removeDeliveries,
  events: (context, slice, limit) => run(context, eventsStatement(limit), slice),
}

/** SQL: the end of each statement. */
const summary = `
select (select count(*)::integer from seen) as looked, (select count(*)::integer from gone) as removed,
  (select id from seen order by id desc limit 1) as last_id,
  (select version from seen order by id desc, version desc limit 1) as last_version,
  (extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::integer as took_ms`

/**
 * SQL: what was leased since then may still be named in `handoffs`. A delivery that was handed off is known from there and
 * from its event alone, and one that has ended must be found by whoever ends the leases of its batch.
 */
const leasedSince = `
leased as materialized (
  select coalesce(min(granted_at), ${Number.MAX_SAFE_INTEGER}) as since from handoffs
)`

/** SQL: of the event `e`. */
const isOld = `e.state = 'fanned_out' and e.created_at <= $ended_by and e.created_at < (select since from leased)
  and (select t.retention from tenants t where t.id = e.tenant_id) is not distinct from $class`

/** SQL, lateral: `held` when a delivery of the event `e`, which is old, stands in the table. */
const heldBy = (table: 'live_deliveries' | 'deliveries', condition = isOld) => `
  select true as held from ${deliveriesOf('e')} l
  where ${condition} and (select true from ${table} d where d.id = l.id) limit 1`

const span = { after: 'uuid', before: 'uuid', ended_by: 'bigint', class: 'text' } as const

/** SQL: the tenant is of the class `$class`. */
const isMine = (tenant: string) =>
  `(select t.retention from tenants t where t.id = ${tenant}) is not distinct from $class`

const payloadsStatement = (limit: number) =>
  query<WalkedRow & { readonly contested: string | null }>()(
    `remove_payloads_${limit}`,
    { ...span, dead_ended_by: 'bigint' },
    // primary keys
    `with ${leasedSince},
     seen as materialized (
       select e.ctid as tid, e.id, 0 as version, dead.ended_at,
         e.payload is not null and ${isOld} and live.held is null as is_unneeded
       from events e
       left join lateral (${heldBy('live_deliveries', `e.payload is not null and ${isOld}`)}) live on true
       left join lateral (
         select max(d.updated_at) as ended_at from ${deliveriesOf('e')} l cross join lateral (
           select updated_at from deliveries where id = l.id and state = 'dead_lettered' limit 1) d
         where e.payload is not null and ${isOld}) dead on true
       where e.id > $after and e.id < $before order by e.id limit ${limit}
     ), gone as (
       update events set payload = null
       where ctid = any (array(select tid from seen where is_unneeded and ended_at is null)) returning 1
     )
     ${summary},
       (select string_agg(id::text, ',') from seen where is_unneeded and ended_at <= $dead_ended_by) as contested`,
  )

async function removePayloads(context: Context, slice: Slice, limit: number): Promise<readonly WalkedRow[]> {
  const { dead_ended_by } = slice
  const rows = await run(context, payloadsStatement(limit), slice)
  const contested = rows[0]?.contested?.split(',') ?? []
  if (contested.length === 0) return rows
  await run(context, lockDeadStatement, { events: contested })
  const [row] = await run(context, contestedStatement, { events: contested, dead_ended_by })
  return rows.map((walked) => ({ ...walked, removed: walked.removed + (row?.removed ?? 0) }))
}

/** Of payloads that only dead letters past their time may need. Whoever replays one now is waited for, or waits. */
const lockDeadStatement = query<object>()(
  'lock_dead_letters',
  { events: 'uuid[]' },
  // primary keys
  `select from deliveries where state = 'dead_lettered' and id = any (array(
     select l.id from unnest($events) as o (id)
     cross join lateral (select id, fan_out from events where id = o.id limit 1) e
     cross join lateral ${deliveriesOf('e')} l))
   order by id for update`,
)

const contestedStatement = query<{ readonly removed: number }>()(
  'remove_contested',
  { events: 'uuid[]', dead_ended_by: 'bigint' },
  // primary keys
  `with gone as (
     update events set payload = null where id = any (array(
       select o.id from unnest($events) as o (id)
       cross join lateral (select id, fan_out from events where id = o.id limit 1) e
       left join lateral (${heldBy('live_deliveries', 'true')}) live on true
       left join lateral (
         select true as held from ${deliveriesOf('e')} l
         where (select true from deliveries d
                where d.id = l.id and d.state = 'dead_lettered' and d.updated_at > $dead_ended_by) limit 1) dead on true
       where live.held is null and dead.held is null))
     returning 1
   )
   select count(*)::integer as removed from gone`,
)

/** SQL: an attempt's delivery is in one of the two. */
const tenantOfAttempt = `coalesce((select d.tenant_id from deliveries d where d.id = delivery_id),
           (select d.tenant_id from live_deliveries d where d.id = delivery_id))`

const attemptsStatement = (limit: number) =>
  query<WalkedRow>()(
    `remove_attempts_${limit}`,
    { ...span, after_version: 'integer' },
    // primary key
    `with seen as materialized (
       select ctid as tid, delivery_id as id, claim_version as version, started_at <= $ended_by
         and ${isMine(tenantOfAttempt)} as is_expired
       from attempts
       where (delivery_id, claim_version) > ($after, $after_version) and delivery_id < $before
       order by delivery_id, claim_version limit ${limit}
     ), gone as (
       delete from attempts where ctid = any (array(select tid from seen where is_expired)) returning 1
     )
     ${summary}`,
  )

/** Attempts that are kept in the rows of their deliveries. */
const successesStatement = (limit: number) =>
  query<WalkedRow>()(
    `remove_successes_${limit}`,
    span,
    // primary key
    `with seen as materialized (
       select ctid as tid, id, 0 as version, started_at <= $ended_by and ${isMine('tenant_id')} as is_expired
       from deliveries where id > $after and id < $before order by id limit ${limit}
     ), gone as (
       update deliveries set started_at = null, latency_ms = null, response_headers = null, response_truncated = null,
         response_body = null
       where ctid = any (array(select tid from seen where is_expired)) returning 1
     )
     ${summary}`,
  )

/** A dead letter that is gone can be neither replayed nor skipped, and blocks nobody any more. */
async function removeDeliveries(
  context: Context,
  slice: Slice,
  limit: number,
): Promise<readonly WalkedRow[]> {
  const rows = await run(context, deliveriesStatement(limit), slice)
  const dead = rows[0]?.dead?.split(',') ?? []
  if (dead.length > 0) await unblockLines(context, dead)
  return rows
}

const deliveriesStatement = (limit: number) =>
  query<WalkedRow & { readonly dead: string | null }>()(
    `remove_deliveries_${limit}`,
    { ...span, dead_ended_by: 'bigint' },
    // primary keys
    `with ${leasedSince},
     seen as materialized (
       select ctid as tid, id, 0 as version, updated_at <= $ended_by and updated_at < (select since from leased)
         and (state <> 'dead_lettered' or updated_at <= $dead_ended_by) and ${isMine('tenant_id')} as is_expired
       from deliveries where id > $after and id < $before order by id limit ${limit}
     ), gone as (
       delete from deliveries where ctid = any (array(select tid from seen where is_expired))
       returning id, tenant_id, endpoint_id, subscription_id, event_id, state, target_id
     ), tried as (
       delete from attempts where delivery_id = any (array(select id from gone))
     ), forgotten as (
       -- An origin, which a target that is named is, is deleted by nobody. What was learnt of it goes with its last traces.
       delete from endpoint_state s
       where s.target_id = any (array(select target_id from gone where target_id is not null))
         and coalesce(s.paused_until, 0) <= ${now}
         -- live_deliveries_due, live_deliveries_parked
         and (select true from live_deliveries l
              where l.target_id = s.target_id and l.due_at is not null and l.state <> 'in_flight' limit 1) is null
         and (select true from live_deliveries l
              where l.target_id = s.target_id and l.due_at is null and l.state <> 'in_flight' limit 1) is null
     ), skipped as (
       delete from skipped_heads where delivery_id = any (array(select id from gone where state = 'skipped'))
     ), counted as (
       insert into delivery_counts (${countColumns})
       select tenant_id, coalesce(endpoint_id, tenant_id), state, ${now} / 60000, -count(*)
       from gone group by tenant_id, endpoint_id, state
     )
     ${summary}, (
       select string_agg(k.line::text, ',') from gone g
       cross join lateral (select ordering_key from events e where e.id = g.event_id limit 1) e
       cross join lateral (
         select k.line from ordered_keys k
         where k.tenant_id = g.tenant_id and k.subscription_id = g.subscription_id and k.ordering_key = e.ordering_key
           and k.head = g.id and k.blocked_at is not null limit 1) k
       where g.state = 'dead_lettered') as dead`,
  )

const eventsStatement = (limit: number) =>
  query<WalkedRow>()(
    `remove_events_${limit}`,
    span,
    // primary keys
    `with ${leasedSince},
     seen as materialized (
       select e.ctid as tid, e.id, 0 as version,
         ${isOld} and live.held is null and finished.held is null as is_expired
       from events e
       left join lateral (${heldBy('live_deliveries')}) live on true
       left join lateral (${heldBy('deliveries')}) finished on true
       where e.id > $after and e.id < $before order by e.id limit ${limit}
     ), gone as (
       delete from events where ctid = any (array(select tid from seen where is_expired)) returning id
     ), slices as (
       delete from fan_out_slices where event_id = any (array(select id from gone))
     )
     ${summary}`,
  )
