import { idToBytes } from '../../../core/ids.ts'
import { type DeliveryState, deliveryStates } from '../../../core/model.ts'
import type { StoreCounts } from '../../port.ts'
import type { ReadContext } from './context.ts'
import { oldestWaitingSince } from './handed-off.ts'

/** Ready targets whose oldest delivery is looked up at most. */
const maxTargets = 10_000

export function counts(context: ReadContext): StoreCounts {
  const deliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >
  const rows = context.prepare('select state, sum(delta) as rows from delivery_counts group by state').all()
  for (const row of rows) deliveries[row.state as DeliveryState] = row.rows as number
  const oldest = context
    .prepare(
      // ready_endpoints_next, then the head of live_deliveries_due per target
      `select min((select d.due_at from live_deliveries d
                   where d.target = n.n and d.due_at <= ? and d.state <> 1
                   order by d.due_at limit 1)) as due_at
       from (select target_id from ready_endpoints where next_at <= ? order by next_at limit ${maxTargets}) r
       join names n on n.id = r.target_id`,
    )
    .get(context.now, context.now)
  const dueAt = Math.min(
    (oldest?.due_at ?? Number.POSITIVE_INFINITY) as number,
    oldestWaitingSince(context) ?? Number.POSITIVE_INFINITY,
  )
  return { deliveries, oldestDueMs: dueAt === Number.POSITIVE_INFINITY ? null : context.now - dueAt }
}

export function countInFlight(
  context: ReadContext,
  tenantId: string,
  ids: readonly string[],
): ReadonlyMap<string, number> {
  const tenant = idToBytes(tenantId)
  const count = context.prepare<{ readonly rows: number | null }>(
    // primary key
    `select sum(delta) as rows from delivery_counts where tenant_id = ? and endpoint_id = ? and state = 'in_flight'`,
  )
  const found = ids.map((id) => [id, count.get(tenant, idToBytes(id))?.rows ?? 0] as const)
  return new Map(found.filter(([, rows]) => rows > 0))
}
