/**
 * Rows ⇄ model, written once for both databases. Rows arrive with snake_case names, ids as 16 bytes, times as
 * milliseconds, JSON as text; booleans as 0/1 or as booleans.
 */
import { splitUrl } from '../core/captured-url.ts'
import { bytesToId, type IdPrefix, idPrefixes } from '../core/ids.ts'
import type {
  AdminRole,
  ApiKey,
  Attempt,
  AttemptStatus,
  DeadLetter,
  Delivery,
  DeliveryState,
  DisabledReason,
  Endpoint,
  EndpointHealth,
  ErrorClass,
  SealedSecret,
} from '../core/model.ts'
import { type AddressColumns, toAddress } from './address-columns.ts'
import { type HealthColumns, toHealthSettings } from './health-columns.ts'
import type { FoundApiKey } from './port/keys.ts'
import { versionOfTime, versionOfValues } from './row-version.ts'
import { type WaitingRow, whyWaiting } from './why-waiting.ts'

export interface EndpointRow extends AddressColumns, HealthColumns {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly uid: string | null
  readonly more_urls: string | null
  readonly fail_over: number | boolean
  readonly description: string
  readonly method: Endpoint['method']
  readonly headers: string
  readonly content_type: string | null
  readonly timeout_ms: number | null
  readonly signing_schemes: string
  readonly max_in_flight: number
  readonly rate_limit_rps: number | null
  readonly retry_policy: string | null
  readonly credential_id: Uint8Array | null
  readonly client_certificate_id: Uint8Array | null
  readonly disabled_reason: DisabledReason | null
  readonly disabled_at: number | null
  readonly paused_reason: string | null
  readonly paused_by: string | null
  readonly created_at: number
  readonly updated_at: number
  readonly deleted_at: number | null
}

export interface SecretRow {
  readonly id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly sealed: Uint8Array
  readonly created_at: number
  readonly expires_at: number | null
  readonly primary_since: number | null
  readonly reveals: number
  readonly revealed_at: number | null
  readonly revealed_by: string | null
}

export interface ApiKeyRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array | null
  readonly kind: ApiKey['kind']
  readonly role: AdminRole | null
  readonly name: string
  readonly scopes: string
  readonly abilities: string
  readonly rate_limit_rps: number | null
  readonly created_at: number
  readonly expires_at: number | null
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

export interface FoundApiKeyRow extends ApiKeyRow {
  readonly hash_expires_at: number | null
}

/** What live and finished deliveries have in common, with the event's topic joined in. */
export interface DeliveryRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly target_id: Uint8Array
  readonly topic: string | null
  readonly state: DeliveryState
  readonly attempt_count: number
  readonly claim_version: number
  readonly last_http_status: number | null
  readonly error_class: ErrorClass | null
  readonly last_error: string | null
  readonly ordering_key: string | null
  readonly created_at: number
  readonly updated_at: number
}

/** A live one, with what its endpoint and target say joined in. */
export interface LiveDeliveryRow extends DeliveryRow, WaitingRow {}

export interface AttemptRow {
  readonly delivery_id: Uint8Array
  readonly claim_version: number
  readonly attempt_no: number
  readonly status: AttemptStatus
  readonly http_status: number | null
  readonly error_class: ErrorClass | null
  readonly error: string | null
  readonly latency_ms: number
  readonly started_at: number
  /** Null without a response, or when the capture was not asked for. */
  readonly response_headers: string | null
  readonly response_body: Uint8Array | null
  readonly response_truncated: number | boolean | null
}

export interface HealthRow {
  readonly target_id: Uint8Array
  readonly consecutive_failures: number
  readonly failing_since: number | null
  readonly paused_until: number | null
  readonly pause_ms: number
}

export function toEndpoint(row: EndpointRow): Endpoint {
  return {
    id: bytesToId(idPrefixes.endpoint, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    uid: row.uid,
    ...toAddress(row),
    moreUrls: row.more_urls === null ? [] : JSON.parse(row.more_urls),
    failOver: Boolean(row.fail_over),
    description: row.description,
    method: row.method,
    headers: JSON.parse(row.headers),
    contentType: row.content_type,
    timeoutMs: row.timeout_ms,
    signingSchemes: JSON.parse(row.signing_schemes),
    maxInFlight: row.max_in_flight,
    rateLimitRps: row.rate_limit_rps,
    retryPolicy: row.retry_policy === null ? null : JSON.parse(row.retry_policy),
    ...toHealthSettings(row),
    credentialId: optionalId(idPrefixes.credential, row.credential_id),
    clientCertificateId: optionalId(idPrefixes.credential, row.client_certificate_id),
    disabledReason: row.disabled_reason,
    disabledAt: row.disabled_at,
    pausedReason: row.paused_reason,
    pausedBy: row.paused_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at,
    version: versionOfTime(row.updated_at),
  }
}

export function toSecret(row: SecretRow): SealedSecret {
  return {
    id: bytesToId(idPrefixes.secret, row.id),
    endpointId: bytesToId(idPrefixes.endpoint, row.endpoint_id),
    sealed: row.sealed,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    primarySince: row.primary_since,
    reveals: row.reveals,
    revealedAt: row.revealed_at,
    revealedBy: row.revealed_by,
  }
}

export function toApiKey(row: ApiKeyRow): ApiKey {
  return {
    id: bytesToId(row.kind === 'admin' ? idPrefixes.adminToken : idPrefixes.producerKey, row.id),
    tenantId: optionalId(idPrefixes.tenant, row.tenant_id),
    kind: row.kind,
    role: row.role,
    name: row.name,
    scopes: JSON.parse(row.scopes),
    abilities: JSON.parse(row.abilities),
    rateLimitRps: row.rate_limit_rps,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    version: versionOfKey(row),
  }
}

function versionOfKey(row: ApiKeyRow): string {
  return versionOfValues([
    row.name,
    row.scopes,
    row.abilities,
    row.rate_limit_rps,
    row.expires_at,
    row.revoked_at,
  ])
}

export function toFoundApiKey(row: FoundApiKeyRow): FoundApiKey {
  const ends = [row.expires_at, row.hash_expires_at].filter((end) => end !== null)
  return { key: toApiKey(row), until: ends.length === 0 ? null : Math.min(...ends) }
}

export function toFinishedDelivery(row: DeliveryRow): Delivery {
  return { ...commonDelivery(row), reason: null, nextAttemptAt: null }
}

export function toLiveDelivery(row: LiveDeliveryRow, now: number): Delivery {
  return { ...commonDelivery(row), ...whyWaiting(row, now) }
}

function commonDelivery(row: DeliveryRow): Omit<Delivery, 'reason' | 'nextAttemptAt'> {
  return {
    id: bytesToId(idPrefixes.delivery, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    eventId: bytesToId(idPrefixes.event, row.event_id),
    subscriptionId: optionalId(idPrefixes.subscription, row.subscription_id),
    endpointId: optionalId(idPrefixes.endpoint, row.endpoint_id),
    targetId: bytesToId(idPrefixes.endpoint, row.target_id),
    topic: row.topic,
    state: row.state,
    attemptCount: row.attempt_count,
    claimVersion: row.claim_version,
    lastHttpStatus: row.last_http_status,
    errorClass: row.error_class,
    lastError: row.last_error,
    orderingKey: row.ordering_key,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

export function toDeadLetter(row: DeliveryRow): DeadLetter {
  return {
    deliveryId: bytesToId(idPrefixes.delivery, row.id),
    eventId: bytesToId(idPrefixes.event, row.event_id),
    endpointId: optionalId(idPrefixes.endpoint, row.endpoint_id),
    subscriptionId: optionalId(idPrefixes.subscription, row.subscription_id),
    topic: row.topic,
    finalError: row.error_class ?? 'internal',
    lastError: row.last_error,
    lastHttpStatus: row.last_http_status,
    attemptCount: row.attempt_count,
    deadAt: row.updated_at,
  }
}

export function toAttempt(row: AttemptRow): Attempt {
  return {
    deliveryId: bytesToId(idPrefixes.delivery, row.delivery_id),
    attemptNo: row.attempt_no,
    claimVersion: row.claim_version,
    status: row.status,
    httpStatus: row.http_status,
    errorClass: row.error_class,
    error: row.error,
    latencyMs: row.latency_ms,
    startedAt: row.started_at,
    response:
      row.response_headers === null
        ? null
        : splitUrl({
            headers: JSON.parse(row.response_headers),
            body: row.response_body ?? new Uint8Array(0),
            truncated: Boolean(row.response_truncated),
          }),
  }
}

export function toHealth(row: HealthRow): EndpointHealth {
  return {
    consecutiveFailures: row.consecutive_failures,
    failingSince: row.failing_since,
    pausedUntil: row.paused_until,
    pauseMs: row.pause_ms,
  }
}

function optionalId(prefix: IdPrefix, bytes: Uint8Array | null): string | null {
  return bytes === null ? null : bytesToId(prefix, bytes)
}
