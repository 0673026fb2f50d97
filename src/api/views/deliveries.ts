import type { Static } from 'typebox'
import type { Attempt, CapturedResponse } from '../../core/model.ts'
import type { DeliveryDetail } from '../../engine/deliveries.ts'
import type { DeliveryView } from '../../engine/delivery-view.ts'
import type { DeliveryWithAttempts } from '../../engine/events.ts'
import type { RebuiltRequest } from '../../engine/rebuilt-requests.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type {
  AttemptBody,
  CapturedResponseBody,
  DeliveryBody,
  DeliveryDetailBody,
  DeliveryOfEventBody,
  RebuiltRequestBody,
} from '../schemas/deliveries.ts'

export function toDelivery(delivery: DeliveryView): Static<typeof DeliveryBody> {
  return {
    id: delivery.id,
    delivery_id: delivery.id,
    event_id: delivery.eventId,
    endpoint_id: delivery.endpointId,
    subscription_id: delivery.subscriptionId,
    topic: delivery.topic,
    state: delivery.state,
    reason: delivery.reason,
    head_delivery_id: delivery.headDeliveryId,
    attempt_count: delivery.attemptCount,
    next_attempt_at: formatOptionalTime(delivery.nextAttemptAt),
    last_http_status: delivery.lastHttpStatus,
    error_class: delivery.errorClass,
    last_error: delivery.lastError,
    ordering_key: delivery.orderingKey,
    created_at: formatTime(delivery.createdAt),
    updated_at: formatTime(delivery.updatedAt),
  }
}

export function toDeliveryOfEvent(delivery: DeliveryWithAttempts): Static<typeof DeliveryOfEventBody> {
  const attempts = delivery.attempts.map(toAttempt)
  return { ...toDelivery(delivery), attempts_truncated: isTruncated(delivery), attempts }
}

export function toDeliveryDetail(delivery: DeliveryDetail): Static<typeof DeliveryDetailBody> {
  const attempts = delivery.attempts.map((attempt) => ({
    ...toAttempt(attempt),
    ...(attempt.request !== null && { rebuilt_request: toRebuiltRequest(attempt.request) }),
    ...(attempt.response !== null && { response: toCapturedResponse(attempt.response) }),
  }))
  return { ...toDelivery(delivery), attempts_truncated: isTruncated(delivery), attempts }
}

function toRebuiltRequest({
  method,
  url,
  headers,
  isAuthorized,
  isChangedSince,
}: RebuiltRequest): Static<typeof RebuiltRequestBody> {
  return {
    method,
    url,
    headers: Object.entries(headers).map(([name, value]) => ({ name, value })),
    authorized: isAuthorized,
    changed_since: isChangedSince,
  }
}

/** Attempts are missing: the oldest go first, so the first that is left is not number 1, or there are too few. */
function isTruncated({ attempts, attemptCount, lastHttpStatus }: DeliveryWithAttempts): boolean {
  const first = attempts[0]
  if (first === undefined) return attemptCount > 0 || lastHttpStatus !== null
  return first.attemptNo > 1 || attempts.length < attemptCount
}

function toAttempt(attempt: Attempt): Static<typeof AttemptBody> {
  return {
    attempt_no: attempt.attemptNo,
    claim_version: attempt.claimVersion,
    status: attempt.status,
    http_status: attempt.httpStatus,
    error_class: attempt.errorClass,
    error: attempt.error,
    // Clients read it as an integer and fail on anything else.
    latency_ms: Math.round(attempt.latencyMs),
    started_at: formatTime(attempt.startedAt),
  }
}

export function toCapturedResponse({
  url,
  headers,
  body,
  truncated,
}: CapturedResponse): Static<typeof CapturedResponseBody> {
  const text = textOf(body, truncated)
  return {
    ...(url !== undefined && { url }),
    headers: headers.map(([name, value]) => ({ name, value })),
    body: text ?? Buffer.from(body).toString('base64'),
    encoding: text === null ? 'base64' : 'utf8',
    truncated,
  }
}

/** Null when it is no UTF-8. A body that was cut may end inside a character, which then is left out. */
function textOf(body: Uint8Array, truncated: boolean): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body, { stream: truncated })
  } catch {
    return null
  }
}
