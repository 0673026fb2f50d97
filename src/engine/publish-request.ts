import { BacklogFullError } from '../core/backlog-full-error.ts'
import type { Clock } from '../core/clock.ts'
import type { SendMethod } from '../core/direct-request.ts'
import { OuthookError } from '../core/errors.ts'
import type { EventFields } from '../core/event-fields.ts'
import { idempotencyHash, isPublishersKey, sendHash, validateIdempotencyKey } from '../core/idempotency.ts'
import { parseMetadata } from '../core/metadata.ts'
import { type EventState, limits } from '../core/model.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import { type Schedule, waitOf } from '../core/schedule.ts'
import { checkProducerTopic } from '../core/topics.ts'
import type { NewIdempotencyKey, StoreTime } from '../store/port.ts'
import type { PayloadWarning } from './payload-rules.ts'

/** What the check of a request finds out for its event. */
type FoundField = 'deliverAt' | 'hasIdempotencyKey'

interface IngestRequest extends Omit<EventFields, FoundField | 'request' | 'filteredSubscriptions'> {
  readonly tenantId: string
  readonly idempotency: { readonly scope: string; readonly key: string } | null
  /** Absent or null: its deliveries are due at once. */
  readonly schedule?: Schedule | null
}

export interface PublishRequest extends IngestRequest {
  readonly topic: string
  /** Exact JSON bytes, checked to be JSON, never changed afterwards. */
  readonly payload: Uint8Array
  /** Outhook's own: of a reserved topic, and not counted against the tenant's rate. */
  readonly operational?: Operational
  /** Of an event that got its id where it happened. Rejects with `store_refused` when there is one with this id. */
  readonly eventId?: string | undefined
  /** Rejects with a `KeyHeldError` where it would otherwise be tried again until its key is free. */
  readonly refuseHeld?: boolean
}

export interface Operational {
  /** The endpoint that it is not sent to, because it is about that one; null: to all. */
  readonly exceptEndpointId: string | null
}

/** A direct send, checked but for what only the routing knows. */
export interface SendRequest extends IngestRequest {
  readonly topic: null
  /** Any bytes, never changed afterwards. */
  readonly payload: Uint8Array
  readonly send: Send
}

/** What is given of its request. The rest comes from the endpoint, the tenant and the server when it is frozen. */
export interface Send {
  readonly to: { readonly url: URL } | { readonly endpointId: string }
  /** Null: that of the endpoint, if it goes to one, or POST. */
  readonly method: SendMethod | null
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** False: the body is empty, and has no type of its own. */
  readonly hasPayload: boolean
  readonly timeoutMs: number | null
  readonly retryPolicy: RetryPolicy | null
  /** Null: that of the endpoint, if it goes to one. */
  readonly credentialId: string | null
  /** Likewise. */
  readonly clientCertificateId: string | null
  /** Why it is not sent. Whoever used its idempotency key before, when it still could be, gets the first answer all the same. */
  readonly refusal: OuthookError | null
}

export interface PublishReceipt {
  readonly eventId: string
  /** One per matching subscription, in id order; empty when none matched, and of an event that was `accepted`. */
  readonly deliveryIds: readonly string[]
  /** `accepted`: its deliveries are made after this. */
  readonly state: EventState
  /** Subscriptions whose topics match and whose filter did not let it through; 0 where that is not known yet. */
  readonly filteredSubscriptions: number
  /** True: the idempotency key was used before for the same content, and this is what it got then. */
  readonly replayed: boolean
  /** Where the payload is not as the schema of its event type says, which only warns; absent: nowhere. */
  readonly warnings?: readonly PayloadWarning[] | undefined
}

/** A passing trouble, told to the caller as it is. */
export function unavailable(message: string): OuthookError {
  return new OuthookError('store_unavailable', message, { retryAfterSeconds: 1, publicDetail: message })
}

/** An earlier event of its ordering key is being fanned out, or an open transaction has its idempotency key. */
export class KeyHeldError extends OuthookError {
  readonly isKeyHeld = true

  constructor() {
    super('store_unavailable', 'an earlier event of its key is not yet through; it is tried again')
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof OuthookError && 'isKeyHeld' in value
  }
}

export function idempotencyConflict(): OuthookError {
  return new OuthookError('idempotency_conflict', 'Idempotency-Key was reused with a different body')
}

/** What the store refuses for the event's own sake. */
export function refusalOf(kind: 'conflict' | 'backlog_full'): OuthookError {
  if (kind === 'conflict') return idempotencyConflict()
  return new BacklogFullError()
}

export interface Clocks {
  /** The calendar. */
  readonly clock: Pick<Clock, 'now'>
  /** The store's line. */
  readonly time: Pick<StoreTime, 'now'>
}

/** What makes two requests with one idempotency key the same. */
function hashOf(request: PublishRequest | SendRequest): Uint8Array {
  if (request.topic !== null) return idempotencyHash(request.topic, request.payload, request.orderingKey)
  const { to, method, headers, credentialId, clientCertificateId } = request.send
  const names = Object.keys(headers).sort()
  const sent: unknown[] = [
    'url' in to ? to.url.href : to.endpointId,
    method ?? 'POST',
    names.map((name) => [name, headers[name]]),
  ]
  // Absent ones leave the hash as it was before there were any.
  if (credentialId !== null) sent.push(credentialId)
  if (clientCertificateId !== null) sent.push({ clientCertificateId })
  return sendHash(JSON.stringify(sent), request.payload)
}

/** Checked, and no object of the caller's any more, which may change while the event waits. */
export type CheckedRequest = (PublishRequest | SendRequest) &
  Pick<EventFields, FoundField> & { readonly idempotency: Omit<NewIdempotencyKey, 'ttlMs'> | null }

/** Throws what a caller can get wrong, before anything is queued. */
export function checkRequest(request: PublishRequest | SendRequest, { clock, time }: Clocks): CheckedRequest {
  if (request.topic !== null && request.operational === undefined) checkProducerTopic(request.topic)
  if (request.payload.length > limits.maxPayloadBytes) {
    throw new OuthookError('payload_too_large', 'payload is capped at 256KB')
  }
  if (request.idempotency !== null) validateIdempotencyKey(request.idempotency.key)
  const waitMs = waitOf(request.schedule, clock.now())
  return {
    ...request,
    idempotency: request.idempotency && { ...request.idempotency, hash: hashOf(request) },
    metadata: parseMetadata(request.metadata),
    hasIdempotencyKey: request.idempotency !== null && isPublishersKey(request.idempotency),
    deliverAt: waitMs === null ? null : time.now() + Math.ceil(waitMs),
  }
}
