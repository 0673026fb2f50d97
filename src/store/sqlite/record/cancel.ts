/** Cancels a delivery by hand. One in flight is left alone: its request may have been answered already. */
import { idPrefixes } from '../../../core/ids.ts'
import type { LiveState } from '../../../core/model.ts'
import { stateCell } from '../../../core/stats/cells.ts'
import type { CancelResult } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import { findKey } from '../rows/key-space.ts'
import { stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { finishLease, finishWaiting } from './finish.ts'
import { noResult } from './last-result.ts'

export function cancelByHand(
  context: WriteContext,
  tenantId: string,
  deliveryId: string,
  reason: string,
): CancelResult {
  const lease = context.memory.leases.get(deliveryId)
  if (lease !== null) {
    if (lease.tenantId !== tenantId) return { kind: 'not_found' }
    if (lease.waiting === null) return { kind: 'in_flight' }
    cancelInMemory(context, lease, reason)
    return { kind: 'cancelled' }
  }
  const waiting = find(context, 'live_deliveries', deliveryId)
  if (waiting?.tenantId === tenantId) {
    const { key, endpointId } = waiting
    const row = { key, state: waiting.state as LiveState, tenantId, endpointId }
    finishWaiting(context, row, { state: 'cancelled', givenUp: { errorClass: null, lastError: reason } })
    return { kind: 'cancelled' }
  }
  const finished = find(context, 'deliveries', deliveryId)
  if (finished?.tenantId !== tenantId) return { kind: 'not_found' }
  return { kind: 'finished', state: finished.state }
}

/** One that waits in the writer's memory. */
export function cancelInMemory(context: WriteContext, lease: Lease, reason: string): void {
  finishLease(context, lease, {
    ...noResult,
    state: 'cancelled',
    claimVersion: lease.claimVersion + 1,
    lastError: reason,
    attempt: null,
  })
  context.counts.stats.add(lease, stateCell('cancelled'))
}

function find(context: WriteContext, table: 'live_deliveries' | 'deliveries', deliveryId: string) {
  const key = findKey(context, table, deliveryId)
  if (key === null) return null
  const row = context
    .prepare<{ readonly state: number; readonly tenant: number; readonly endpoint: number | null }>(
      `select state, tenant, endpoint from ${table} where k = ?`, // primary key
    )
    .get(key)
  if (row === undefined) return null
  const { names } = context.memory
  return {
    key,
    state: stateOf(row.state),
    tenantId: names.idOf(row.tenant, idPrefixes.tenant),
    endpointId: row.endpoint === null ? null : names.idOf(row.endpoint, idPrefixes.endpoint),
  }
}
