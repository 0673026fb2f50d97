/** Why a live delivery waits and until when. Pauses and rates move its target's ready row and never touch deliveries. */
import type { Delivery, DeliveryState, DisabledReason, WaitReason } from '../core/model.ts'

export interface WaitingRow {
  readonly state: DeliveryState
  readonly reason: WaitReason | null
  readonly due_at: number | null
  readonly disabled_reason: DisabledReason | null
  readonly paused_until: number | null
  readonly probe_until: number | null
  /** Of the target's tokens; null without a rate. */
  readonly limited_until: number | null
}

export function whyWaiting(row: WaitingRow, now: number): Pick<Delivery, 'reason' | 'nextAttemptAt'> {
  if (row.state === 'in_flight') return { reason: null, nextAttemptAt: null }
  if (row.reason === 'behind_head') return { reason: row.reason, nextAttemptAt: null }
  if (row.disabled_reason === 'paused') return { reason: 'endpoint_paused', nextAttemptAt: null }
  if (row.disabled_reason !== null) return { reason: 'endpoint_disabled', nextAttemptAt: null }
  // Parked, but the endpoint is enabled again: the settling that makes it due is under way.
  if (row.due_at === null && row.reason === 'endpoint_disabled') return { reason: null, nextAttemptAt: now }
  if (row.due_at === null) return { reason: row.reason, nextAttemptAt: null }
  const resumesAt = row.paused_until === null ? 0 : Math.max(row.paused_until, row.probe_until ?? 0)
  const limitedUntil = row.limited_until ?? 0
  const nextAttemptAt = Math.max(
    row.due_at,
    resumesAt > now ? resumesAt : 0,
    limitedUntil > now ? limitedUntil : 0,
  )
  if (resumesAt > now) return { reason: 'endpoint_paused', nextAttemptAt }
  if (limitedUntil > now && limitedUntil > row.due_at) return { reason: 'rate_limited', nextAttemptAt }
  return { reason: row.reason === 'scheduled' && row.due_at > now ? 'scheduled' : null, nextAttemptAt }
}
