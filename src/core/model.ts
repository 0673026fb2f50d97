/**
 * The words of Outhook as types. Times are milliseconds since the epoch here; RFC 3339 only at the API.
 */
import type { SendMethod } from './direct-request.ts'
import type { EventFields } from './event-fields.ts'
import type { FilterJson } from './filter/condition.ts'
import type { HealthSettings } from './health-settings.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { SigningScheme } from './signing-scheme.ts'

export { type AdminRole, type ApiKey, adminRoles, type KeyAbility, keyAbilities } from './api-key.ts'

export const defaultTenantId = 'ten_00000000000000000000000000'

/** Hard limits, shared by every face. */
export const limits = {
  /** One payload, bytes. */
  maxPayloadBytes: 262_144,
  /** One `POST /v1/events` body, bytes: payload and envelope. */
  maxEventBodyBytes: 262_144 + 4096,
  /** One `POST /v1/deliveries` body, bytes: in base64 a payload is a third larger. */
  maxSendBodyBytes: 2 * 262_144,
  /** One batch body, bytes. */
  maxBatchBodyBytes: 4 * 1024 * 1024,
  maxBatchItems: 1000,
  /** An event for more deliveries is fanned out in slices after its publish; an answer lists no more of one event. */
  maxDeliveriesAtOnce: 1000,
  /** Bytes of UTF-8. */
  maxTopicBytes: 255,
  maxOrderingKeyBytes: 256,
  maxIdempotencyKeyBytes: 255,
  maxMetadataEntries: 16,
  maxMetadataKeyBytes: 64,
  maxMetadataValueBytes: 256,
  maxLastErrorChars: 2000,
  /** Code points, as JSON Schema counts them. */
  maxUidChars: 255,
  maxDescriptionChars: 1000,
  maxKeyNameChars: 200,
  maxTenantNameChars: 200,
  /** Of one tenant, or of those for all tenants. */
  maxActiveAdminTokens: 256,
  maxUrlChars: 2048,
  /** Of one endpoint. */
  maxUrls: 10,
} as const

/** Whether the text has at most so many characters; one beyond the basic plane is one. */
export function isWithin(text: string, maxChars: number): boolean {
  return text.length <= maxChars || (text.length <= 2 * maxChars && [...text].length <= maxChars)
}

/**
 * How a delivery moves:
 *
 *     pending ─► in_flight ─► succeeded
 *        ▲          │  ▲
 *        │          ▼  │ (lease expired, or due again)
 *        │     retry_scheduled
 *        │          │
 *      replay   in_flight ─► dead_lettered
 *        └──────────────────────┘
 *     pending | retry_scheduled ─► cancelled (endpoint or subscription deleted, or by hand)
 *     dead_lettered ─► skipped (the head of an ordered line, by hand)
 */
export const deliveryStates = [
  'pending',
  'in_flight',
  'retry_scheduled',
  'succeeded',
  'dead_lettered',
  'cancelled',
  'skipped',
] as const
export type DeliveryState = (typeof deliveryStates)[number]
/** States of rows in `live_deliveries`. */
export type LiveState = 'pending' | 'in_flight' | 'retry_scheduled'
/** States of rows in `deliveries`. */
export type FinishedState = Exclude<DeliveryState, LiveState>

/**
 * Why a waiting delivery waits. `endpoint_disabled` and `behind_head` (others of its ordering key go first) are stored, and
 * so is `scheduled` until the first attempt; the others are worked out on reading.
 */
export type WaitReason =
  | 'endpoint_paused'
  | 'endpoint_disabled'
  | 'rate_limited'
  | 'scheduled'
  | 'behind_head'

export type AttemptStatus = 'success' | 'retryable_failure' | 'permanent_failure'

/** All but those of HTTP answers. */
export const plainErrorClasses = [
  'redirect_rejected',
  'timeout',
  'connection',
  'dns',
  'tls',
  'policy',
  'internal',
  'attempts_exhausted',
] as const

/** `http_<code>` for any HTTP answer that is not a success, else what went wrong. */
export type ErrorClass = `http_${number}` | (typeof plainErrorClasses)[number]

export const errorClassPattern = `^(?:http_[1-9][0-9]{2}|${plainErrorClasses.join('|')})$`

/** `accepted` between a transactional publish and its fan-out, and while an event for many is fanned out in slices. */
export type EventState = 'accepted' | 'fanned_out'

export interface OutboundEvent extends EventFields {
  readonly id: string
  readonly tenantId: string
  /** Null: a direct send. */
  readonly topic: string | null
  readonly state: EventState
  /** As it was published, also once the payload is gone. */
  readonly payloadBytes: number
  readonly createdAt: number
  /** When its payload was expunged on demand; null: it was not. */
  readonly expungedAt: number | null
}

/** `paused`: by hand, for a while; its users see an endpoint that is paused, not one that is disabled. */
export type DisabledReason = 'operator' | 'gone' | 'failing' | 'paused'

export interface Endpoint extends HealthSettings {
  readonly id: string
  readonly tenantId: string
  /** The user's own name for it, unique per tenant. */
  readonly uid: string | null
  /** What is sent to, such as `http`; `destinations/kinds.ts` has them. Never changes. */
  readonly kind: string
  /** The first of its pool. Of a kind whose address is a secret, what may be shown of it. */
  readonly url: string
  /** The whole address where `url` is not; null: it is. */
  readonly sealedUrl: Uint8Array | null
  /** The others of its pool, between which requests go round. */
  readonly moreUrls: readonly string[]
  /** An attempt goes on to the next URL where one cannot be reached. */
  readonly failOver: boolean
  /** What its kind asks for besides; null: nothing was given. */
  readonly settings: Readonly<Record<string, unknown>> | null
  readonly description: string
  readonly method: SendMethod
  readonly headers: Readonly<Record<string, string>>
  /** Of the body; null: JSON, unless the headers say otherwise. */
  readonly contentType: string | null
  /** Of one attempt; null: that of the server. */
  readonly timeoutMs: number | null
  readonly signingSchemes: readonly SigningScheme[]
  /** Requests in flight to it at one time. */
  readonly maxInFlight: number
  /** Requests to it per second, on average, with a burst of two seconds' worth; null: no limit. */
  readonly rateLimitRps: number | null
  /** Of its subscriptions that have none of their own; null: that of the tenant or the server. */
  readonly retryPolicy: StoredRetryPolicy | null
  /** What its requests authenticate with; null: nothing but their signature. */
  readonly credentialId: string | null
  /** What its connections show of themselves, beside a credential that is a header; null: nothing of their own. */
  readonly clientCertificateId: string | null
  readonly disabledReason: DisabledReason | null
  readonly disabledAt: number | null
  /** Of a pause by hand: why, in its maker's words, and the key of whoever made it. */
  readonly pausedReason: string | null
  readonly pausedBy: string | null
  readonly createdAt: number
  readonly updatedAt: number
  readonly deletedAt: number | null
  /** Another one after each change that somebody makes: for `ifMatch`. */
  readonly version: string
}

/** A secret as stored: sealed under the master key. `expiresAt` is set while a rotation overlaps. */
export interface SealedSecret {
  readonly id: string
  readonly endpointId: string
  readonly sealed: Uint8Array
  readonly createdAt: number
  readonly expiresAt: number | null
  /** Since when it is the one that signs where there is room for one; null: it was not made that. */
  readonly primarySince: number | null
  /** How often it was shown after its creation, when last, and to whose key. */
  readonly reveals: number
  readonly revealedAt: number | null
  readonly revealedBy: string | null
}

export interface Subscription {
  readonly id: string
  readonly tenantId: string
  readonly endpointId: string
  readonly topicPatterns: readonly string[]
  /** What an event's payload has to be like; null: it may be anything. */
  readonly filter: FilterJson | null
  /** Of the requests that its deliveries make, beside those of the endpoint; these win. */
  readonly headers: Readonly<Record<string, string>>
  /** Null: that of the endpoint, the tenant or the server, whichever is nearest. */
  readonly retryPolicy: StoredRetryPolicy | null
  /** Deliveries of events with an ordering key go one after the other, per key. Never changes. */
  readonly ordered: boolean
  readonly active: boolean
  /** Made together with its endpoint through `topics`. */
  readonly own: boolean
  readonly createdAt: number
  readonly updatedAt: number
  readonly deletedAt: number | null
  /** Another one after each change that somebody makes: for `ifMatch`. */
  readonly version: string
}

/** A named profile, or a policy of the subscription's own. */
export type StoredRetryPolicy = string | RetryPolicy

/** Health of one endpoint, stored on failure or transition only. Absent means healthy. */
export interface EndpointHealth {
  /** Transport failures in a row. */
  readonly consecutiveFailures: number
  /** Start of the run of failures of any kind; null after a success. */
  readonly failingSince: number | null
  /** While set, nothing is sent before it; afterwards one probe goes first. */
  readonly pausedUntil: number | null
  /** Length of the current pause, for doubling. */
  readonly pauseMs: number
}

export interface Delivery {
  readonly id: string
  readonly tenantId: string
  readonly eventId: string
  readonly subscriptionId: string | null
  readonly endpointId: string | null
  /** The endpoint's id, or for a direct send to a URL an id of its origin. */
  readonly targetId: string
  readonly topic: string | null
  readonly state: DeliveryState
  readonly reason: WaitReason | null
  /** Attempts since creation or the last replay. */
  readonly attemptCount: number
  readonly claimVersion: number
  /** Null when at an end, in flight, or waiting for a named reason. */
  readonly nextAttemptAt: number | null
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
  readonly orderingKey: string | null
  readonly createdAt: number
  readonly updatedAt: number
}

export interface Attempt {
  readonly deliveryId: string
  readonly attemptNo: number
  readonly claimVersion: number
  readonly status: AttemptStatus
  readonly httpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly error: string | null
  readonly latencyMs: number
  readonly startedAt: number
  readonly response: CapturedResponse | null
}

export interface CapturedResponse {
  /** Of an endpoint of several URLs, which of them answered: scheme, host and port. */
  readonly url?: string
  /** As received, in order, names in lower case. */
  readonly headers: readonly (readonly [string, string])[]
  /** At most 16 KiB. */
  readonly body: Uint8Array
  /** The body went on after what was kept, or broke off. */
  readonly truncated: boolean
}

export interface DeadLetter {
  readonly deliveryId: string
  readonly eventId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly topic: string | null
  /** The last attempt's error class, or `attempts_exhausted`. */
  readonly finalError: ErrorClass
  readonly lastError: string | null
  readonly lastHttpStatus: number | null
  readonly attemptCount: number
  readonly deadAt: number
}
