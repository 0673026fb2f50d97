/** Cancels a delivery by hand. One in flight is left alone: its request may have been answered already. */
import type { DeliveryState } from '../../../core/model.ts'
import type { CancelResult } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { lockLines } from '../ordering/lines.ts'
import { handedOffById } from '../read/handed-off.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { cancelDeliveries } from './finish.ts'

export async function cancelByHand(
  context: Context,
  tenantId: string,
  deliveryId: string,
  reason: string,
): Promise<CancelResult> {
  const key = { id: uuidOfId(deliveryId), tenant: uuidOfId(tenantId) }
  const [live] = await run(context, lockStatement, key)
  // Whoever holds its line waits for nobody's delivery.
  if (live !== undefined && live.state !== 'in_flight') await lockLines(context, [live.line])
  if (live?.state === 'in_flight') return { kind: 'in_flight' }
  if (live !== undefined) {
    await cancelDeliveries(context, [{ id: key.id, line: live.line }], reason)
    return { kind: 'cancelled' }
  }
  // A statement of its own: whoever held the row may have finished the delivery.
  const [other] = await run(context, othersStatement, key)
  if (other === undefined) return { kind: 'not_found' }
  return other.state === 'in_flight' ? { kind: 'in_flight' } : { kind: 'finished', state: other.state }
}

const keyParameters = { id: 'uuid', tenant: 'uuid' } as const

const lockStatement = query<{ readonly state: DeliveryState; readonly line: number | null }>()(
  'cancel_lock',
  keyParameters,
  // primary key
  'select state, line from live_deliveries where id = $id and tenant_id = $tenant for update',
)

const othersStatement = query<{ readonly state: DeliveryState }>()(
  'cancel_others',
  keyParameters,
  // primary keys
  `select state from deliveries where id = $id and tenant_id = $tenant
   union all
   select state from (${handedOffById}) d`,
)
