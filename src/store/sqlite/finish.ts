/** The two moves between the tables: live → finished, and a waiting delivery into the place where it waits. */
import type { ErrorClass, FinishedState, LiveState } from '../../core/model.ts'
import type { WriteContext } from './write-context.ts'

export interface FinishedValues {
  readonly state: FinishedState
  readonly claimVersion: number
  readonly attemptCount: number
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
}

/** Moves a live row to `deliveries`. The caller has checked it, and counts the change. */
export function finishDelivery(context: WriteContext, id: Uint8Array, values: FinishedValues): void {
  context
    .prepare(
      // primary keys
      `insert into deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, attempt_count, claim_version,
          last_http_status, error_class, last_error, ordering_key, created_at, updated_at, replayed_at,
          url, method, headers)
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, ?, ?, ?, ?, ?, ?,
              ordering_key, created_at, ?, replayed_at, url, method, headers
       from live_deliveries where id = ?`,
    )
    .run(
      values.state,
      values.attemptCount,
      values.claimVersion,
      values.lastHttpStatus,
      values.errorClass,
      values.lastError,
      context.now,
      id,
    )
  context.prepare('delete from live_deliveries where id = ?').run(id)
}

export interface WaitingRow {
  readonly id: Uint8Array
  readonly state: LiveState
  readonly tenantId: string
  readonly endpointId: string | null
}

/** Cancels a delivery whose endpoint or subscription was deleted; the claim version grows, so no outcome counts. */
export function cancelDelivery(context: WriteContext, row: WaitingRow): void {
  context
    .prepare(
      // primary keys
      `insert into deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, attempt_count, claim_version,
          last_http_status, error_class, last_error, ordering_key, created_at, updated_at, replayed_at,
          url, method, headers)
       select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, 'cancelled', attempt_count,
              claim_version + 1, last_http_status, error_class, last_error, ordering_key, created_at, ?,
              replayed_at, url, method, headers
       from live_deliveries where id = ?`,
    )
    .run(context.now, row.id)
  context.prepare('delete from live_deliveries where id = ?').run(row.id)
  context.counts.move(row, row.state, 'cancelled')
}

/** Takes a delivery of a disabled endpoint out of the claim index. An expired lease ends with it. */
export function parkDelivery(context: WriteContext, row: WaitingRow): void {
  const { counts, now } = context
  const expired = row.state === 'in_flight'
  context
    .prepare(
      `update live_deliveries set due_at = null, reason = 'endpoint_disabled', updated_at = ?,
         state = case when state <> 'in_flight' then state when attempt_count = 0 then 'pending' else 'retry_scheduled' end,
         claim_version = claim_version + ?, lost_claims = lost_claims + ?
       where id = ? returning state`,
    )
    .all(now, expired ? 1 : 0, expired ? 1 : 0, row.id)
    .forEach((after) => {
      counts.move(row, row.state, after.state as LiveState)
    })
}
