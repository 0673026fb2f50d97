import { bytesToId, idPrefixes, idToBytes } from '../../core/ids.ts'
import type { DeliveryState } from '../../core/model.ts'
import type { ReplayResult } from '../port.ts'
import { armReady } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Moves a dead letter back. Whatever its subscription or endpoint was deleted with has nowhere to go. */
export function replay(context: WriteContext, tenantId: string, deliveryId: string): ReplayResult {
  const { memory, now } = context
  const id = idToBytes(deliveryId)
  const tenant = memory.bytes(tenantId)
  const row = context
    .prepare(
      // primary keys
      `select state, target_id, endpoint_id, subscription_id, event_id from deliveries where id = ? and tenant_id = ?
       union all
       select state, target_id, endpoint_id, subscription_id, event_id from live_deliveries
       where id = ? and tenant_id = ?`,
    )
    .get(id, tenant, id, tenant)
  if (row === undefined) return { kind: 'not_found' }
  const state = row.state as DeliveryState
  const endpointBytes = row.endpoint_id as Uint8Array | null
  const endpointId = endpointBytes === null ? null : bytesToId(idPrefixes.endpoint, endpointBytes)
  const subscription = row.subscription_id as Uint8Array | null
  const facts = endpointId === null ? null : memory.endpoint(endpointId)
  const endpointDeleted =
    (endpointId !== null && facts?.deleted !== false) ||
    (subscription !== null && memory.isSubscriptionDeleted(bytesToId(idPrefixes.subscription, subscription)))
  if (state !== 'dead_lettered' || endpointDeleted) return { kind: 'not_replayable', state, endpointDeleted }
  const payload = context
    .prepare('select 1 from event_payloads where event_id = ?')
    .get(row.event_id as Uint8Array)
  if (payload === undefined) return { kind: 'expired' }

  const isParked = facts?.disabled === true
  moveBack(context, id, isParked)
  context.counts.move({ tenantId, endpointId }, 'dead_lettered', 'pending')
  const targetId = bytesToId(idPrefixes.endpoint, row.target_id as Uint8Array)
  if (!isParked) armReady(context, tenant, targetId, now)
  return { kind: 'replayed', targetId }
}

function moveBack(context: WriteContext, id: Uint8Array, isParked: boolean): void {
  const { now } = context
  context
    .prepare(
      `insert into live_deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason, attempt_count,
          claim_version, lost_claims, last_http_status, error_class, last_error, ordering_key, created_at, updated_at,
          replayed_at, url, method, headers)
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, 'pending', ?, ?, 0,
          claim_version + 1, 0, last_http_status, error_class, last_error, ordering_key, created_at, ?, ?,
          url, method, headers
       from deliveries where id = ?`,
    )
    .run(isParked ? null : now, isParked ? 'endpoint_disabled' : null, now, now, id)
  context.prepare('delete from deliveries where id = ?').run(id)
}
