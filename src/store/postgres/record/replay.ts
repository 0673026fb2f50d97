import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DeliveryState } from '../../../core/model.ts'
import type { ReplayResult } from '../../port.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { countMoved, finishedColumns } from './finish.ts'

interface ReplayRow {
  readonly state: DeliveryState
  readonly tenant_id: Uint8Array
  readonly target_id: Uint8Array
  readonly endpoint_id: Uint8Array | null
  readonly event_id: Uint8Array
  readonly is_deleted: boolean
  readonly is_disabled: boolean
}

const replaySql = `
select d.state, d.tenant_id, d.target_id, d.endpoint_id, d.event_id,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null)) as is_deleted,
  coalesce(e.disabled_reason is not null, false) as is_disabled
from TABLE d
left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id
where d.id = $1 and d.tenant_id = $2`

/** Moves a dead letter back. Whatever its subscription or endpoint was deleted with has nowhere to go. */
export async function replay(context: Context, tenantId: string, deliveryId: string): Promise<ReplayResult> {
  const id = uuidOfId(deliveryId)
  const key = [id, uuidOfId(tenantId)]
  // primary keys
  const finished = await context.query<ReplayRow>(
    'replay_finished',
    `${replaySql.replace('TABLE', 'deliveries')} for update of d`,
    key,
  )
  const live =
    finished.length > 0
      ? []
      : await context.query<ReplayRow>('replay_live', replaySql.replace('TABLE', 'live_deliveries'), key)
  const row = finished[0] ?? live[0]
  if (row === undefined) return { kind: 'not_found' }
  if (row.state !== 'dead_lettered' || row.is_deleted) {
    return { kind: 'not_replayable', state: row.state, endpointDeleted: row.is_deleted }
  }
  // A statement of its own, after the lock: retention may have held the row and removed the payload.
  const payload = await context.query('replay_payload', 'select from event_payloads where event_id = $1', [
    uuid(row.event_id),
  ])
  if (payload.length === 0) return { kind: 'expired' }

  const candidates = row.is_disabled && row.endpoint_id !== null ? [row.endpoint_id] : []
  const isParked = (await lockDisabled(context, candidates)).size > 0
  await moveBack(context, id, isParked)
  if (!isParked) await armReady(context, [{ target: row.target_id, tenant: row.tenant_id, delayMs: 0 }])
  return { kind: 'replayed', targetId: bytesToId(idPrefixes.endpoint, row.target_id) }
}

async function moveBack(context: Context, id: string, isParked: boolean): Promise<void> {
  await context.query(
    'replay_move',
    // primary key; the row is locked since it was read
    `with gone as (
       delete from deliveries where id = $2 returning ${finishedColumns}
     ), back as (
       insert into live_deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason, attempt_count,
          claim_version, lost_claims, last_http_status, error_class, last_error, ordering_key, created_at,
          updated_at, replayed_at, url, method, headers)
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, 'pending',
          case when $3::boolean then null else ${now} end, case when $3::boolean then 'endpoint_disabled' end, 0,
          claim_version + 1, 0, last_http_status, error_class, last_error, ordering_key, created_at,
          ${now}, ${now}, url, method, headers
       from gone
     ), moved as (
       select tenant_id, endpoint_id, state as from_state, 'pending' as to_state from gone
     )
     ${countMoved}`,
    [context.shiftMs, id, isParked],
  )
}
