/**
 * How leases end, one statement for all: their deliveries are finished, or wait again. A delivery that was claimed has a
 * row in `live_deliveries`, which goes or is changed; one that was handed off has none, and gets its first row here, from
 * what this process knows. The fence is the live row's state and claim version, or the standing row of `handoffs`.
 *
 * It waits for nobody's lock: what somebody else has locked is left as it was, and named.
 */
import type { EndedLeases, Lease, Leases } from '../claim/leases.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { rowsOf } from '../connection/lists.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { attemptColumns, countColumns, deltaColumns, finishedColumns, liveColumns } from '../rows/columns.ts'
import { type LeaseEnd, leaseEndRows, leaseParameters, leaseValues } from './lease-end.ts'
import { claimedRow, standingBatches, stillStands } from './lease-fence.ts'

/** What was not written. */
interface AnswerRow {
  /** Null, in the only row: nothing was, because a target is not healthy. */
  readonly id: string | null
  /** False: it was stale. */
  readonly is_held: boolean
}

/** Leases that are neither written nor held were stale. */
export async function endLeases(
  context: Context,
  ends: readonly LeaseEnd[],
  leases: Leases,
): Promise<EndedLeases> {
  return (await end(context, ends, { leases, healthy: [] })) as EndedLeases
}

/** Null: nothing is written, though batches that have ended go, because a target is not plainly healthy. */
export function endLeasesOfHealthy(
  context: Context,
  ends: readonly LeaseEnd[],
  leases: Leases,
): Promise<EndedLeases | null> {
  const healthy = Array.from(new Set(ends.map(({ lease }) => lease.target)))
  return end(context, ends, { leases, healthy })
}

interface Ending {
  readonly leases: Leases
  /** Targets that have to be healthy. */
  readonly healthy: readonly string[]
}

async function end(
  context: Context,
  ends: readonly LeaseEnd[],
  { leases, healthy }: Ending,
): Promise<EndedLeases | null> {
  const removed = leases.endedBatches()
  if (ends.length === 0) return { written: new Set(), held: new Set(), removed: [] }
  // In key order, as everything that changes several deliveries.
  const sorted = [...ends].sort((a, b) => (a.lease.id < b.lease.id ? -1 : 1))
  const rows = await run(context, endStatement, {
    ...leaseValues(sorted),
    healthy,
    ended_batches: removed,
  })
  if (rows[0]?.id === null) return null
  const unwritten = new Map(rows.map((row) => [row.id, row.is_held]))
  const written = new Set<Lease>()
  const held = new Set<Lease>()
  for (const { lease } of sorted) {
    const isHeld = unwritten.get(lease.id)
    if (isHeld === undefined) written.add(lease)
    else if (isHeld) held.add(lease)
  }
  return { written, held, removed }
}

/** SQL: the attempt is kept in the delivery's row, as `leaseValues` has it. */
const isInRow = `status = 'success' and next_state = 'succeeded'`

/** SQL: columns of `ending`, from a row of the list and what the delivery's own row says (`was`). */
const finishedValues = `id, tenant_id, event_id, subscription_id, endpoint_id,
  nullif(target_id, endpoint_id), next_state, coalesce(attempt_no, attempt_count), version_after,
  case when attempt_no is null then last_http_status else http_status end,
  case when next_state = 'dead_lettered' then final_error when attempt_no is null then was_class else class end,
  case when attempt_no is null then last_error else error end, created_at, ${now}, replayed_at, url, method, headers,
  case when ${isInRow} then started_at end, case when ${isInRow} then latency_ms end,
  case when ${isInRow} then response_headers end, case when ${isInRow} then truncated end,
  case when ${isInRow} then substring($bytes from body_at for body_length) end`

const dueAt = `case when due_in is not null then ${now} + due_in end`

/**
 * SQL: one that was handed off has no row yet. Of a success the insert finds out about the row in `deliveries`; that of
 * what is live is looked for once for all.
 */
const mayBeWritten = `(o.id in (select l.id from live_deliveries l where l.id = any ($ids))) is not true
    and ((${isInRow}) or (select true from deliveries f where f.id = o.id) is null)`

/** SQL: of a row of `endpoint_state`, which a success leaves as it is. */
const isPlain = `s.consecutive_failures = 0 and s.failing_since is null and s.paused_until is null
    and s.probe_delivery_id is null`

const endStatement = query<AnswerRow>()(
  'end_leases',
  {
    ...leaseParameters,
    ended_batches: 'uuid[]',
    healthy: 'uuid[]',
  },
  `
with healthy as materialized (
  -- endpoint_state_pkey
  select not exists (
    select from endpoint_state s where s.target_id = any ($healthy) and not (${isPlain})) as are
),
o as not materialized (${leaseEndRows}),
claimed as materialized (
  select o.*, d.tid, d.target_id, d.attempt_count, d.last_http_status, d.error_class as was_class, d.last_error,
    d.replayed_at, d.url, d.method, d.headers
  from o cross join lateral (${claimedRow}) d
  where $any_live and o.batch is null and (select are from healthy)
),
standing as materialized (${standingBatches}),
handed_off as materialized (
  select o.*, null::tid as tid, o.endpoint_id as target_id, 0 as attempt_count, null::integer as last_http_status,
    null::text as was_class, null::text as last_error, null::bigint as replayed_at, null::text as url,
    null::text as method, null::text as headers
  from o
  where $any_handed_off and (o.batch in (select batch from standing)) is true and ${mayBeWritten}
    and (select are from healthy)
),
gone as (
  delete from live_deliveries d using claimed c
  where d.ctid = c.tid and c.next_state not in ('pending', 'retry_scheduled')
  returning c.*
),
again as (
  update live_deliveries d set state = c.next_state, due_at = ${dueAt}, reason = c.reason,
    claim_version = c.version_after, lost_claims = c.lost_claims, updated_at = ${now},
    attempt_count = coalesce(c.attempt_no, d.attempt_count),
    last_http_status = case when c.attempt_no is null then d.last_http_status else c.http_status end,
    error_class = case when c.attempt_no is null then d.error_class else c.class end,
    last_error = case when c.attempt_no is null then d.last_error else c.error end
  from claimed c
  where d.ctid = c.tid and c.next_state in ('pending', 'retry_scheduled')
  returning c.*
),
finished as (
  insert into deliveries (${finishedColumns})
  select ${finishedValues} from gone
  union all
  select ${finishedValues} from handed_off where next_state not in ('pending', 'retry_scheduled')
  on conflict do nothing
  returning id, tenant_id, endpoint_id, state
),
waiting as (
  insert into live_deliveries (${liveColumns})
  select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, next_state, ${dueAt}, reason,
    coalesce(attempt_no, 0), version_after, lost_claims, http_status, class, error, created_at, ${now}, null, null,
    null, null
  from handed_off where $any_again and next_state in ('pending', 'retry_scheduled')
  on conflict do nothing
  returning id, tenant_id, endpoint_id, state
),
logged as (
  insert into attempts (${attemptColumns})
  select id, version, attempt_no, status, http_status, class, error, latency_ms, started_at, response_headers,
    substring($bytes from body_at for body_length), truncated
  from (select * from gone union all select * from again union all select * from handed_off) t
  where $any_logged and attempt_no is not null and not (${isInRow})
  on conflict do nothing
),
written as materialized (
  select id, tenant_id, endpoint_id, state from finished
  union all select id, tenant_id, endpoint_id, state from waiting
  union all select id, tenant_id, endpoint_id, next_state from again
),
counted as (
  insert into delivery_counts (${countColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), s.state, ${now} / 60000, sum(s.delta)
  from (select tenant_id, endpoint_id, state, count(*) as count from written group by tenant_id, endpoint_id, state) w
  cross join lateral (values ('in_flight', -w.count), (w.state, w.count)) as s (state, delta)
  group by tenant_id, endpoint_id, s.state
),
figured as (
  insert into stats_deltas (${deltaColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), ${now} / 60000, array_agg(cell)
  from (${rowsOf({ id: 'ids', tenant_id: 'tenants', endpoint_id: 'endpoints', cell: 'cells' })}) t
  where cell is not null and (id in (select id from written)) is true
  group by tenant_id, endpoint_id
),
wanted as materialized (
  select t.target_id, t.tenant_id, greatest(${now} + min(t.due_in), ${blockedUntil('t.target_id')}) as next_at
  from (select * from again union all select * from handed_off where next_state in ('pending', 'retry_scheduled')) t
  where $any_again and t.due_in is not null group by t.target_id, t.tenant_id
),
armed as (${armWanted}),
removed as (delete from handoffs where batch = any ($ended_batches))
select replace(o.id::text, '-', '') as id, (${stillStands}) is true as is_held
from (${rowsOf({ id: 'ids', batch: 'batches', version: 'versions' })}) o, healthy
where are and (o.id in (select id from written)) is not true
union all
select null, null from healthy where not are`,
)
