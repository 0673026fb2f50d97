import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import type { EventFields } from '../core/event-fields.ts'
import { validateIdempotencyKey } from '../core/idempotency.ts'
import { parseMetadata } from '../core/metadata.ts'
import { type EventState, limits } from '../core/model.ts'
import { type Schedule, waitOf } from '../core/schedule.ts'
import { checkTopic } from '../core/topics.ts'
import type { StoreTime } from '../store/port.ts'

export interface PublishRequest extends Omit<EventFields, 'deliverAt'> {
  readonly tenantId: string
  readonly topic: string
  /** Exact JSON bytes, checked to be JSON, never changed afterwards. */
  readonly payload: Uint8Array
  readonly idempotency: { readonly scope: string; readonly key: string } | null
  /** Of an event that got its id where it happened. Rejects with `store_refused` when there is one with this id. */
  readonly eventId?: string | undefined
  /** Absent or null: its deliveries are due at once. */
  readonly schedule?: Schedule | null
}

export interface PublishReceipt {
  readonly eventId: string
  /** One per matching subscription, in id order; empty when none matched, and of an event that was `accepted`. */
  readonly deliveryIds: readonly string[]
  /** `accepted`: its deliveries are made after this. */
  readonly state: EventState
  /** True: the idempotency key was used before for the same content, and this is what it got then. */
  readonly replayed: boolean
}

/** A passing trouble, told to the caller as it is. */
export function unavailable(message: string): OuthookError {
  return new OuthookError('store_unavailable', message, { retryAfterSeconds: 1, publicDetail: message })
}

export function idempotencyConflict(): OuthookError {
  return new OuthookError('idempotency_conflict', 'Idempotency-Key was reused with a different body')
}

export interface Clocks {
  /** The calendar. */
  readonly clock: Pick<Clock, 'now'>
  /** The store's line. */
  readonly time: Pick<StoreTime, 'now'>
}

/** Checked, and no object of the caller's any more, which may change while the event waits. */
export type CheckedRequest = PublishRequest & Pick<EventFields, 'deliverAt'>

/** Throws what a caller can get wrong, before anything is queued. */
export function checkRequest(request: PublishRequest, { clock, time }: Clocks): CheckedRequest {
  checkTopic(request.topic)
  if (request.payload.length > limits.maxPayloadBytes) {
    throw new OuthookError('payload_too_large', 'payload is capped at 256KB')
  }
  if (request.idempotency !== null) validateIdempotencyKey(request.idempotency.key)
  const waitMs = waitOf(request.schedule, clock.now())
  return {
    ...request,
    metadata: parseMetadata(request.metadata),
    deliverAt: waitMs === null ? null : time.now() + Math.ceil(waitMs),
  }
}
