/** Retention: the port says what `removeExpired` does. One statement for each table, in one transaction. */
import { idPrefixes, smallestIdAt } from '../../../core/ids.ts'
import type { RemovedRows, Retention } from '../../port.ts'
import {
  deadLettersEndedBy,
  keptMs,
  nothingRemoved,
  type RetentionWalk,
  retentionWalks,
  startOverEveryMs,
} from '../../retention.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { isMine } from './maintenance.ts'

/**
 * Which share of the way to its end each walk looks at in one statement, besides its limit of rows. Rows that were
 * deleted and are not vacuumed yet cost time and count for no limit: while a backup holds its snapshot, many millions.
 */
export type WalkShares = Map<RetentionWalk, number>

const largestShare = 0.5
const smallestShare = 1e-6
const smallestSpanMs = 60_000
/** A quicker statement doubles the next share, a slower one halves it. */
const quickMs = 50
const slowMs = 200

/** Where a walk goes on, the same for all nodes: the last row's id, and in `attempts` its claim version. */
interface Position {
  readonly id: string
  readonly version: number
  readonly startedAt: number
}

type Positions = { [Walk in RetentionWalk]?: Position }

interface Slice {
  readonly after: Position
  /** Ids from here on are too young, or too far for one statement. */
  readonly before: string
  readonly endedBy: number
  readonly deadLettersEndedBy: number
  readonly limit: number
}

interface WalkedRow {
  readonly looked: number
  readonly removed: number
  /** Of the last row that was looked at; null without one. */
  readonly last_id: Uint8Array | null
  readonly last_version: number | null
  readonly took_ms: number
}

const lowest = '00000000000000000000000000000000'

export async function removeExpired(
  context: Context,
  options: { readonly retention: Retention; readonly limit: number },
  shares: WalkShares,
): Promise<{ readonly removed: RemovedRows; readonly more: boolean }> {
  const { retention, limit } = options
  if (!(await isMine(context, 'retention'))) return { removed: nothingRemoved, more: false }
  const facts = await readFacts(context)
  const positions: Positions = { ...facts.positions }
  const removed: { -readonly [Walk in RetentionWalk]: number } = { ...nothingRemoved }
  let more = false
  let deliveriesEndMs = 0
  for (const walk of retentionWalks) {
    const ageMs = keptMs(walk, retention)
    if (ageMs === 0) continue
    const after = positions[walk] ?? startAt(facts.now)
    // Of a transaction that is still open, rows may yet appear behind the walk.
    const oldEnoughMs = facts.now - Math.max(ageMs, facts.oldestTransactionMs) + 1
    const endMs = walk === 'events' ? Math.min(oldEnoughMs, deliveriesEndMs) : oldEnoughMs
    const leftMs = Math.max(0, endMs - timeOf(after.id))
    const share = shares.get(walk) ?? largestShare
    const beforeMs = timeOf(after.id) + Math.min(leftMs, Math.max(leftMs * share, smallestSpanMs))
    const slice: Slice = {
      after,
      before: uuidOfId(smallestIdAt(idPrefixes.event, beforeMs)),
      endedBy: facts.now - ageMs,
      deadLettersEndedBy: deadLettersEndedBy(retention, facts.now),
      limit,
    }
    const [walked] = await walks[walk](context, slice)
    if (walked === undefined) continue
    removed[walk] = walked.removed
    if (walked.took_ms < quickMs) shares.set(walk, Math.min(share * 2, largestShare))
    if (walked.took_ms > slowMs) shares.set(walk, Math.max(share / 2, smallestShare))
    const isAtEnd = walked.looked < limit && beforeMs >= endMs
    const startsOver = isAtEnd && facts.now - after.startedAt >= startOverEveryMs
    const reached = advance(slice, walked)
    if (walk === 'deliveries') deliveriesEndMs = isAtEnd ? endMs : timeOf(reached.id)
    positions[walk] = startsOver ? startAt(facts.now) : reached
    more ||= startsOver || !isAtEnd
  }
  await context.query(
    'keep_positions',
    `insert into meta (name, value) values ('retention', $1)
     on conflict (name) do update set value = excluded.value`,
    [JSON.stringify(positions)],
  )
  return { removed, more }
}

/** After a failure: it may have been a statement that took longer than it may. */
export function shrinkShares(shares: WalkShares): void {
  for (const walk of retentionWalks) {
    shares.set(walk, Math.max((shares.get(walk) ?? largestShare) / 8, smallestShare))
  }
}

function startAt(startedAt: number): Position {
  return { id: lowest, version: 0, startedAt }
}

/** Behind the last row, or behind the whole span when it had fewer rows than the limit. */
function advance({ after, before, limit }: Slice, walked: WalkedRow): Position {
  const { startedAt } = after
  if (walked.looked === limit && walked.last_id !== null) {
    return { id: uuid(walked.last_id), version: walked.last_version ?? 0, startedAt }
  }
  return before > after.id ? { id: before, version: 0, startedAt } : after
}

/** The millisecond of an id in hexadecimal. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 12), 16)
}

interface Facts {
  readonly now: number
  /** Age of the oldest transaction that is open in this database, as far as this role may see them. */
  readonly oldestTransactionMs: number
  readonly positions: Positions
}

async function readFacts(context: Context): Promise<Facts> {
  const [row] = await context.query<{
    readonly now: number
    readonly oldest_ms: number
    readonly positions: string | null
  }>(
    'retention_facts',
    // The setting lasts for the transaction. Where statistics are out of date, or there are none, the planner takes a
    // span for smaller than the limit, and would read and sort all of it for each slice.
    `select set_config('enable_bitmapscan', 'off', true), ${now} as now, (select value from meta where name = 'retention') as positions,
       coalesce((select (extract(epoch from statement_timestamp() - min(started)) * 1000)::bigint from (
         select xact_start as started from pg_stat_activity
         where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
         union all select prepared from pg_prepared_xacts where database = current_database()) t), 0) as oldest_ms`,
    [context.shiftMs],
  )
  return {
    now: row?.now ?? 0,
    oldestTransactionMs: row?.oldest_ms ?? 0,
    positions: row?.positions == null ? {} : (JSON.parse(row.positions) as Positions),
  }
}

/**
 * SQL: the end of each statement. Whatever the planner guesses, each must seek by index: the limit is part of the
 * text, rows are removed by their place, and what has to be looked up is lateral with a limit (a plain join became a
 * merge over all events up to there).
 */
const summary = `
select (select count(*)::integer from seen) as looked, (select count(*)::integer from gone) as removed,
  (select id from seen order by id desc limit 1) as last_id,
  (select version from seen order by id desc, version desc limit 1) as last_version,
  (extract(epoch from clock_timestamp() - statement_timestamp()) * 1000)::integer as took_ms`

type Walk = (context: Context, slice: Slice) => Promise<readonly WalkedRow[]>

const walks: Readonly<Record<RetentionWalk, Walk>> = {
  async payloads(context, slice) {
    const rows = await context.query<WalkedRow & { readonly contested: string | null }>(
      `remove_payloads_${slice.limit}`,
      // event_payloads and events by primary key; live_deliveries_event, deliveries_dead_event
      `with seen as materialized (
         select p.ctid as place, p.event_id as id, 0 as version, dead.ended_at,
           e.state = 'fanned_out' and e.created_at <= $3 and live.held is null as is_unneeded
         from event_payloads p
         cross join lateral (select * from events where id = p.event_id limit 1) e
         left join lateral (select true as held from live_deliveries d where d.event_id = p.event_id limit 1) live
           on true
         cross join lateral (select max(d.updated_at) as ended_at from deliveries d
                             where d.event_id = p.event_id and d.state = 'dead_lettered') dead
         where p.event_id > $1::uuid and p.event_id < $2::uuid order by p.event_id limit ${slice.limit}
       ), gone as (
         delete from event_payloads
         where ctid = any (array(select place from seen where is_unneeded and ended_at is null)) returning 1
       )
       ${summary}, (select string_agg(id::text, ',') from seen where is_unneeded and ended_at <= $4) as contested`,
      [slice.after.id, slice.before, slice.endedBy, slice.deadLettersEndedBy],
    )
    const contested = rows[0]?.contested?.split(',') ?? []
    if (contested.length === 0) return rows
    const removed = await removeContested(context, contested, slice.deadLettersEndedBy)
    return rows.map((row) => ({ ...row, removed: row.removed + removed }))
  },

  attempts: (context, slice) =>
    context.query(
      `remove_attempts_${slice.limit}`,
      // primary key
      `with seen as materialized (
         select ctid as place, delivery_id as id, claim_version as version, started_at <= $4 as is_expired
         from attempts
         where (delivery_id, claim_version) > ($1::uuid, $2::integer) and delivery_id < $3::uuid
         order by delivery_id, claim_version limit ${slice.limit}
       ), gone as (
         delete from attempts where ctid = any (array(select place from seen where is_expired)) returning 1
       )
       ${summary}`,
      [slice.after.id, slice.after.version, slice.before, slice.endedBy],
    ),

  deliveries: (context, slice) =>
    context.query(
      `remove_deliveries_${slice.limit}`,
      // primary keys
      `with seen as materialized (
         select ctid as place, id, 0 as version,
           updated_at <= $4 and (state <> 'dead_lettered' or updated_at <= $5) as is_expired
         from deliveries where id > $2::uuid and id < $3::uuid order by id limit ${slice.limit}
       ), gone as (
         delete from deliveries where ctid = any (array(select place from seen where is_expired))
         returning id, tenant_id, endpoint_id, state
       ), tried as (
         delete from attempts where delivery_id = any (array(select id from gone))
       ), counted as (
         insert into delivery_counts (tenant_id, endpoint_id, state, minute, delta)
         select tenant_id, coalesce(endpoint_id, tenant_id), state, ${now} / 60000, -count(*)
         from gone group by tenant_id, endpoint_id, state
       )
       ${summary}`,
      [context.shiftMs, slice.after.id, slice.before, slice.endedBy, slice.deadLettersEndedBy],
    ),

  events: (context, slice) =>
    context.query(
      `remove_events_${slice.limit}`,
      // primary keys; live_deliveries_event, deliveries_event
      `with seen as materialized (
         select e.ctid as place, e.id, 0 as version,
           e.state = 'fanned_out' and e.created_at <= $3 and live.held is null and finished.held is null as is_expired
         from events e
         left join lateral (select true as held from live_deliveries d where d.event_id = e.id limit 1) live on true
         left join lateral (select true as held from deliveries d where d.event_id = e.id limit 1) finished on true
         where e.id > $1::uuid and e.id < $2::uuid order by e.id limit ${slice.limit}
       ), gone as (
         delete from events where ctid = any (array(select place from seen where is_expired)) returning id
       ), bare as (
         delete from event_payloads where event_id = any (array(select id from gone))
       )
       ${summary}`,
      [slice.after.id, slice.before, slice.endedBy],
    ),
}

/** Payloads that only dead letters past their time may need. Whoever replays one now is waited for, or waits. */
async function removeContested(
  context: Context,
  events: readonly string[],
  endedBy: number,
): Promise<number> {
  await context.query(
    'lock_dead_letters',
    // deliveries_dead_event
    `select from deliveries where event_id = any ($1::uuid[]) and state = 'dead_lettered' order by id for update`,
    [events],
  )
  const [row] = await context.query<{ readonly removed: number }>(
    'remove_contested',
    // primary key, live_deliveries_event, deliveries_dead_event
    `with gone as (
       delete from event_payloads where event_id = any (array(
         select o.id from unnest($1::uuid[]) as o (id)
         left join lateral (select true as held from live_deliveries where event_id = o.id limit 1) live on true
         left join lateral (select true as held from deliveries
                            where event_id = o.id and state = 'dead_lettered' and updated_at > $2 limit 1) dead on true
         where live.held is null and dead.held is null))
       returning 1
     )
     select count(*)::integer as removed from gone`,
    [events, endedBy],
  )
  return row?.removed ?? 0
}
