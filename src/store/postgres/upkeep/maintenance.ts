import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { removeEndedPortalLinks } from '../config/portal-links.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { type RepairCursor, repairLines } from '../ordering/repair.ts'
import { deleteExpiredRequests } from '../requests/requests.ts'
import { countColumns } from '../rows/columns.ts'
import { uuid } from '../rows/wire-types.ts'

/** Where this node's next slice of `reconcileReady` begins. */
export interface ReconcileCursor {
  after: string
  readonly lines: RepairCursor
}

/** Below every id, the default tenant's own included. */
export const reconcileStart = '00000000000000000000000000000000'

/** One node at a time does each of the jobs; for the others there is nothing to do. */
export async function isMine(context: Context, job: string): Promise<boolean> {
  const [row] = await run(context, tryStatement, { job })
  return row?.mine === true
}

const tryStatement = query<{ readonly mine: boolean }>()(
  'try_job',
  { job: 'text' },
  `select pg_try_advisory_xact_lock(hashtextextended('outhook ' || current_schema() || ' ' || $job, 0)) as mine`,
)

interface ReconciledRow {
  readonly target_id: Uint8Array
  readonly looked: number
  readonly armed: number
}

/** Mends lines of ordered deliveries, and arms targets that have due work and no ready row, or one that comes too late: a skip-scan, two seeks a target. */
export async function reconcileReady(
  context: Context,
  options: { readonly limit: number },
  cursor: ReconcileCursor,
): Promise<{ readonly armed: number }> {
  if (!(await isMine(context, 'reconcile'))) return { armed: 0 }
  const hasMended = await repairLines(context, options.limit, cursor.lines)
  const [row] = await run(context, reconcileStatement, { after: cursor.after, limit: options.limit })
  const isWhole = row !== undefined && row.looked === options.limit
  cursor.after = isWhole ? uuid(row.target_id) : reconcileStart
  return { armed: (row?.armed ?? 0) + (hasMended ? 1 : 0) }
}

const reconcileStatement = query<ReconciledRow>()(
  'reconcile_ready',
  { after: 'uuid', limit: 'integer' },
  `
with recursive targets as ( -- live_deliveries_due
  (select target_id, tenant_id, due_at, 1 as rank from live_deliveries
   where due_at is not null and state <> 'in_flight' and target_id > $after order by target_id, due_at, id limit 1)
  union all
  select n.target_id, n.tenant_id, n.due_at, t.rank + 1 from targets t cross join lateral (
    select d.target_id, d.tenant_id, d.due_at from live_deliveries d
    where d.due_at is not null and d.state <> 'in_flight' and d.target_id > t.target_id
    order by d.target_id, d.due_at, d.id limit 1) n
  where t.rank < $limit
),
wanted as materialized (
  select t.target_id, t.tenant_id, greatest(${now}, ${blockedUntil('t.target_id')}) as next_at
  from targets t where t.due_at <= ${now}
),
armed as (${armWanted} returning 1)
select target_id, rank as looked, (select count(*) from armed)::integer as armed
from targets order by rank desc limit 1`,
)

export async function deleteExpiredIdempotencyKeys(
  context: Context,
  { limit }: { readonly limit: number },
): Promise<{ readonly more: boolean }> {
  if (context.line.unprovenSince !== null) return { more: false }
  const [row] = await run(context, deleteKeysStatement, { limit })
  const moreRequests = await deleteExpiredRequests(context, limit)
  const moreLinks = await removeEndedPortalLinks(context, limit)
  return { more: row?.gone === limit || moreRequests || moreLinks }
}

const deleteKeysStatement = query<{ readonly gone: number }>()(
  'delete_expired_keys',
  { limit: 'bigint' },
  // idempotency_keys_expiry, then by tid; one that is being taken over is passed over
  `with expired as materialized (
     select ctid as tid from idempotency_keys where expires_at <= ${now}
     order by expires_at limit $limit for update skip locked
   ), gone as (
     delete from idempotency_keys where ctid = any (array(select tid from expired)) returning 1
   )
   select count(*)::integer as gone from gone`,
)

/** Old rows of one (tenant, endpoint, state) become the row of minute 0. */
export async function foldCounts(
  context: Context,
  { limit }: { readonly limit: number },
): Promise<{ readonly more: boolean }> {
  if (!(await isMine(context, 'fold counts'))) return { more: false }
  const [row] = await run(context, foldStatement, { limit })
  return { more: row?.gone === limit }
}

const foldStatement = query<{ readonly gone: number }>()(
  'fold_counts',
  { limit: 'bigint' },
  // delivery_counts_minute, then by tid; the current minute is still being written to
  `with old as materialized (
     select ctid as tid from delivery_counts where minute > 0 and minute < ${now} / 60000 order by minute limit $limit
   ), gone as (
     delete from delivery_counts c using old where c.ctid = old.tid
     returning c.tenant_id, c.endpoint_id, c.state, c.delta
   ), folded as (
     insert into delivery_counts as c (${countColumns})
     select tenant_id, endpoint_id, state, 0, sum(delta) from gone group by tenant_id, endpoint_id, state
     on conflict (tenant_id, endpoint_id, state) where minute = 0 do update set delta = c.delta + excluded.delta
   )
   select count(*)::integer as gone from gone`,
)
