import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { type DeliveryState, deliveryStates } from '../../../core/model.ts'
import type { StoreCounts } from '../../port.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/** Ready targets whose oldest delivery is looked up at most. */
const maxTargets = 10_000

export async function counts(context: Context): Promise<StoreCounts> {
  const rows = await run(context, statesStatement, {})
  const deliveries = Object.fromEntries(deliveryStates.map((state) => [state, 0])) as Record<
    DeliveryState,
    number
  >
  for (const row of rows) deliveries[row.state] = row.rows
  const [oldest] = await run(context, oldestStatement, {})
  return { deliveries, oldestDueMs: oldest?.age ?? null }
}

const statesStatement = query<{ readonly state: DeliveryState; readonly rows: number }>()(
  'count_states',
  {},
  'select state, sum(delta)::bigint as rows from delivery_counts group by state',
)

const oldestStatement = query<{ readonly age: number | null }>()(
  'oldest_due',
  {},
  // ready_endpoints_next, then the head of live_deliveries_due per target
  `select ${now} - min((select d.due_at from live_deliveries d
               where d.target_id = r.target_id and d.due_at <= ${now} and d.state <> 'in_flight'
               order by d.due_at limit 1)) as age
   from (select target_id from ready_endpoints where next_at <= ${now} order by next_at limit ${maxTargets}) r`,
)

export async function countInFlight(
  context: Context,
  tenantId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const endpoints = ids.map(uuidOfId)
  const rows = await run(context, inFlightStatement, { tenant: uuidOfId(tenantId), endpoints })
  return new Map(rows.map((row) => [bytesToId(idPrefixes.endpoint, row.endpoint_id), row.rows]))
}

const inFlightStatement = query<{ readonly endpoint_id: Uint8Array; readonly rows: number }>()(
  'count_in_flight',
  { tenant: 'uuid', endpoints: 'uuid[]' },
  // delivery_counts_folded, and of the last minutes delivery_counts_minute
  `select endpoint_id, sum(delta)::bigint as rows from (
     select endpoint_id, delta from delivery_counts
     where minute = 0 and tenant_id = $tenant and endpoint_id = any ($endpoints) and state = 'in_flight'
     union all
     select endpoint_id, delta from delivery_counts
     where minute > 0 and tenant_id = $tenant and endpoint_id = any ($endpoints) and state = 'in_flight'
   ) c group by endpoint_id having sum(delta) > 0`,
)
