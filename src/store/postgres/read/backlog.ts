import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type DeliveryState, type DisabledReason, deliveryStates } from '../../../core/model.ts'
import { spreadRetries, spreadSample } from '../../../core/stats/backlog.ts'
import { everything, spans } from '../../../core/stats/fold.ts'
import { type Backlog, lateMs, maxTroubled, type RecentStats, type TroubledEndpoint } from '../../port.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** Ready targets whose oldest delivery is looked up at most. */
const maxTargets = 2000
/** While no more deliveries wait than this, each retry is counted. */
const maxCounted = 10_000
/** Pages of `live_deliveries`, of 8 KiB mostly, that stand for all of them where more wait. */
const maxPages = 2000

/** Null: all of them. */
const tenantValue = (tenantId: string | null) => (tenantId === null ? null : uuidOfId(tenantId))

export async function readBacklog(context: Context, tenantId: string | null): Promise<Backlog> {
  const tenant = tenantValue(tenantId)
  const deliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >
  for (const { state, rows } of await run(context, statesStatement, { tenant })) deliveries[state] = rows
  const [oldest] = await run(context, oldestStatement, { tenant })
  return {
    deliveries,
    oldestDueMs: oldest?.age ?? null,
    ...(await readRetries(context, { tenant, deliveries })),
  }
}

/**
 * A table through which a million deliveries went has as many pages afterwards as it had then, nearly all of them empty:
 * reading it until enough rows are found took 360 ms. So few deliveries are found by index, and of many a part of the pages
 * is read, which is as much however large the table is.
 */
async function readRetries(
  context: Context,
  { tenant, deliveries }: Pick<Backlog, 'deliveries'> & { readonly tenant: string | null },
): Promise<Pick<Backlog, 'retries' | 'isEstimate'>> {
  const isCounted = deliveries.pending + deliveries.retry_scheduled <= maxCounted
  const rows = await run(context, isCounted ? retriesStatement : sampleStatement, { tenant })
  const found = rows.map(({ due_in, count }) => ({ dueInMs: due_in, count }))
  return isCounted
    ? { retries: spreadRetries(found), isEstimate: false }
    : spreadSample(found, deliveries.retry_scheduled)
}

const statesStatement = query<{ readonly state: DeliveryState; readonly rows: number }>()(
  'count_states_of',
  { tenant: 'uuid' },
  `select state, sum(delta)::bigint as rows from delivery_counts
   where ($tenant is null or tenant_id = $tenant) group by state`,
)

const oldestStatement = query<{ readonly age: number | null }>()(
  'oldest_due_of',
  { tenant: 'uuid' },
  // ready_endpoints_next, then the head of live_deliveries_due per target
  `select ${now} - min((select d.due_at from live_deliveries d
               where d.target_id = r.target_id and d.due_at <= ${now} and d.state <> 'in_flight'
               order by d.due_at limit 1)) as age
   from (select target_id from ready_endpoints where next_at <= ${now} and ($tenant is null or tenant_id = $tenant)
         order by next_at limit ${maxTargets}) r`,
)

interface RetriesRow {
  /** Null: parked. */
  readonly due_in: number | null
  readonly count: number
}

/** In whole seconds, so that few rows come out. */
const dueIn = `(due_at / 1000 * 1000 - ${now})::bigint as due_in, count(*)::integer as count`

const retriesStatement = query<RetriesRow>()(
  'retries_by_due',
  { tenant: 'uuid' },
  // ready_endpoints has the targets of what waits; then live_deliveries_due, whatever is known of the table
  `select ${dueIn}
   from (select target_id from ready_endpoints where $tenant is null or tenant_id = $tenant) r
   cross join lateral (
     select state, due_at from live_deliveries d
     where d.target_id = r.target_id and d.due_at is not null and d.state <> 'in_flight'
     order by d.due_at limit ${maxCounted}) d
   where state = 'retry_scheduled' group by 1`,
)

const sampleStatement = query<RetriesRow>()(
  'retries_by_due_of_some',
  { tenant: 'uuid' },
  // pages here and there; the same ones each time, so that the figures are steady
  `select ${dueIn}
   from live_deliveries tablesample system (least(100, 100.0 * ${maxPages} * current_setting('block_size')::integer
     / greatest(1, pg_relation_size('live_deliveries')))) repeatable (0)
   where state = 'retry_scheduled' and ($tenant is null or tenant_id = $tenant)
   group by 1`,
)

export async function listRecentStats(
  context: Context,
  {
    tenantId,
    from,
    limit,
  }: { readonly tenantId: string | null; readonly from: number; readonly limit: number },
): Promise<readonly RecentStats[]> {
  const rows = await run(context, recentStatement, { tenant: tenantValue(tenantId), from, limit })
  return rows.map((row) => ({
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    endpointId: bytesToId(idPrefixes.endpoint, row.endpoint_id),
    tally: row.tally,
  }))
}

const recentStatement = query<{
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly tally: Uint8Array
}>()(
  'recent_stats',
  { tenant: 'uuid', from: 'bigint', limit: 'bigint' },
  // stats_start; a direct send has its tenant in the place of an endpoint
  `select tenant_id, endpoint_id, tally from stats
   where span = ${spans.minute} and start >= $from and ($tenant is null or tenant_id = $tenant)
     and endpoint_id <> '${everything}' and endpoint_id <> tenant_id
   order by start desc limit $limit`,
)

interface TroubledRow {
  readonly tenant_id: Uint8Array
  readonly id: Uint8Array
  readonly uid: string | null
  readonly url: string
  readonly description: string
  readonly max_in_flight: number
  readonly rate_limit_rps: number | null
  readonly disabled_reason: DisabledReason | null
  readonly disabled_at: number | null
  readonly consecutive_failures: number | null
  readonly failing_since: number | null
  readonly paused_until: number | null
  readonly late_since: number | null
}

export async function listTroubled(
  context: Context,
  tenantId: string | null,
): Promise<readonly TroubledEndpoint[]> {
  const rows = await run(context, troubledStatement, { tenant: tenantValue(tenantId) })
  return rows.map((row) => ({
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    endpointId: bytesToId(idPrefixes.endpoint, row.id),
    uid: row.uid,
    url: row.url,
    description: row.description,
    maxInFlight: row.max_in_flight,
    rateLimitRps: row.rate_limit_rps,
    disabledReason: row.disabled_reason,
    disabledAt: row.disabled_at,
    consecutiveFailures: row.consecutive_failures ?? 0,
    failingSince: row.failing_since,
    pausedUntil: row.paused_until,
    lateSince: row.late_since,
  }))
}

const troubledStatement = query<TroubledRow>()(
  'troubled_endpoints',
  { tenant: 'uuid' },
  // endpoint_state has those that fail; endpoints are looked through; ready_endpoints_next, live_deliveries_due
  `with failing as (
     select s.target_id as id from endpoint_state s join endpoints e on e.id = s.target_id
     where (s.failing_since is not null or s.paused_until > ${now}) and ($tenant is null or e.tenant_id = $tenant)
     order by coalesce(s.failing_since, s.paused_until) limit ${maxTroubled}
   ), disabled as (
     select id from endpoints
     where disabled_reason is not null and deleted_at is null and ($tenant is null or tenant_id = $tenant)
     order by disabled_at desc limit ${maxTroubled}
   ), late as (
     select r.target_id as id, d.due_at
     from (select target_id from ready_endpoints where next_at <= ${now} and ($tenant is null or tenant_id = $tenant)
           order by next_at limit ${maxTargets}) r
     cross join lateral (
       select due_at from live_deliveries d
       where d.target_id = r.target_id and d.due_at < ${now} - ${lateMs} and d.state <> 'in_flight'
       order by d.due_at limit 1) d
     order by d.due_at limit ${maxTroubled}
   )
   select e.tenant_id, e.id, e.uid, e.url, e.description, e.max_in_flight, e.rate_limit_rps, e.disabled_reason,
     e.disabled_at, s.consecutive_failures, s.failing_since,
     case when s.paused_until > ${now} then s.paused_until end as paused_until, l.due_at as late_since
   from (select id from failing union select id from disabled union select id from late) t
   join endpoints e on e.id = t.id and e.deleted_at is null
   left join endpoint_state s on s.target_id = e.id
   left join late l on l.id = e.id`,
)

/** Of the schema alone: other programs may have theirs in the same database. */
export async function size(context: Context): Promise<number> {
  const [row] = await run(context, sizeStatement, {})
  return row?.bytes ?? 0
}

const sizeStatement = query<{ readonly bytes: number }>()(
  'store_size',
  {},
  `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes from pg_class c
   where c.relnamespace = current_schema()::regnamespace and c.relkind in ('r', 'm')`,
)
