import { existsSync, statSync } from 'node:fs'
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { type DeliveryState, type DisabledReason, deliveryStates } from '../../../core/model.ts'
import { spreadSample } from '../../../core/stats/backlog.ts'
import { everything, spans } from '../../../core/stats/fold.ts'
import { type Backlog, lateMs, maxTroubled, type RecentStats, type TroubledEndpoint } from '../../port.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { counts } from './counts.ts'

/** Ready targets whose oldest delivery is looked up at most. */
const maxTargets = 2000
/** Deliveries among which retries are looked for at most; of more than these it is an estimate. */
const maxLooked = 50_000

export function readBacklog(context: ReadContext, tenantId: string | null): Backlog {
  const { deliveries, oldestDueMs } = tenantId === null ? counts(context) : countsOf(context, tenantId)
  const tenant = tenantId === null ? null : idToBytes(tenantId)
  const rows = context
    .prepare<{ readonly due_at: number | null; readonly count: number }>(
      // live_deliveries from its end; times in whole seconds, so that few rows come out
      `select due_at / 1000 * 1000 as due_at, count(*) as count
       from (select state, due_at, tenant from live_deliveries order by k desc limit ${maxLooked})
       where state = ${codeOf('retry_scheduled')}
         and (?1 is null or tenant = (select n from names where id = ?1))
       group by 1`,
    )
    .all(tenant)
  const found = rows.map(({ due_at, count }) => ({
    dueInMs: due_at === null ? null : due_at - context.now,
    count,
  }))
  return { deliveries, oldestDueMs, ...spreadSample(found, deliveries.retry_scheduled) }
}

function countsOf(context: ReadContext, tenantId: string): Pick<Backlog, 'deliveries' | 'oldestDueMs'> {
  const tenant = idToBytes(tenantId)
  const deliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >
  const rows = context
    // primary key
    .prepare('select state, sum(delta) as rows from delivery_counts where tenant_id = ? group by state')
    .all(tenant)
  for (const row of rows) deliveries[row.state as DeliveryState] = row.rows as number
  const oldest = context
    .prepare<{ readonly due_at: number | null }>(
      // ready_endpoints_tenant, then the head of live_deliveries_due per target
      `select min((select d.due_at from live_deliveries d
                   where d.target = n.n and d.due_at <= ?1 and d.state <> 1
                   order by d.due_at limit 1)) as due_at
       from (select target_id from ready_endpoints where tenant_id = ?2 and next_at <= ?1
             order by next_at limit ${maxTargets}) r
       join names n on n.id = r.target_id`,
    )
    .get(context.now, tenant)
  const dueAt = oldest?.due_at ?? null
  return { deliveries, oldestDueMs: dueAt === null ? null : context.now - dueAt }
}

export function listRecentStats(
  context: ReadContext,
  {
    tenantId,
    from,
    limit,
  }: { readonly tenantId: string | null; readonly from: number; readonly limit: number },
): readonly RecentStats[] {
  const tenant = tenantId === null ? null : idToBytes(tenantId)
  return context
    .prepare<{
      readonly tenant_id: Uint8Array
      readonly endpoint_id: Uint8Array
      readonly tally: Uint8Array
    }>(
      // stats_start, then primary key; a direct send has its tenant in the place of an endpoint
      `select tenant_id, endpoint_id, tally from stats
       where span = ${spans.minute} and start >= ?1 and (?2 is null or tenant_id = ?2)
         and endpoint_id <> x'${everything}' and endpoint_id <> tenant_id
       order by start desc limit ?3`,
    )
    .all(from, tenant, limit)
    .map((row) => ({
      tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
      endpointId: bytesToId(idPrefixes.endpoint, row.endpoint_id),
      tally: row.tally,
    }))
}

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

export function listTroubled(context: ReadContext, tenantId: string | null): readonly TroubledEndpoint[] {
  const tenant = tenantId === null ? null : idToBytes(tenantId)
  return context
    .prepare<TroubledRow>(
      // endpoint_state has those that fail; endpoints are looked through; ready_endpoints_next, live_deliveries_due
      `with failing as (
         select s.target_id as id from endpoint_state s join endpoints e on e.id = s.target_id
         where (s.failing_since is not null or s.paused_until > ?1) and (?2 is null or e.tenant_id = ?2)
         order by coalesce(s.failing_since, s.paused_until) limit ${maxTroubled}
       ), disabled as (
         select id from endpoints
         where disabled_reason is not null and deleted_at is null and (?2 is null or tenant_id = ?2)
         order by disabled_at desc limit ${maxTroubled}
       ), late as (
         select r.target_id as id, (select d.due_at from live_deliveries d
           where d.target = n.n and d.due_at < ?1 - ${lateMs} and d.state <> 1 order by d.due_at limit 1) as due_at
         from (select target_id from ready_endpoints where next_at <= ?1 and (?2 is null or tenant_id = ?2)
               order by next_at limit ${maxTargets}) r
         join names n on n.id = r.target_id
         order by due_at limit ${maxTroubled}
       )
       select e.tenant_id, e.id, e.uid, e.url, e.description, e.max_in_flight, e.rate_limit_rps, e.disabled_reason,
         e.disabled_at, s.consecutive_failures, s.failing_since, s.paused_until, l.due_at as late_since
       from (select id from failing union select id from disabled
             union select id from late where due_at is not null) t
       join endpoints e on e.id = t.id and e.deleted_at is null
       left join endpoint_state s on s.target_id = e.id
       left join late l on l.id = e.id`,
    )
    .all(context.now, tenant)
    .map((row) => ({
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
      pausedUntil: row.paused_until !== null && row.paused_until > context.now ? row.paused_until : null,
      lateSince: row.late_since,
    }))
}

/** The database with its log; of one in memory its pages. */
export function size(context: ReadContext): number {
  const file =
    context.prepare<{ readonly file: string }>('select file from pragma_database_list').get()?.file ?? ''
  const pages = context
    .prepare<{ readonly bytes: number }>(
      'select c.page_count * s.page_size as bytes from pragma_page_count() c, pragma_page_size() s',
    )
    .get()
  const log = `${file}-wal`
  return (pages?.bytes ?? 0) + (file !== '' && existsSync(log) ? statSync(log).size : 0)
}
