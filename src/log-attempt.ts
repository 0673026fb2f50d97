import type { Logger } from './core/logger.ts'
import type { AttemptActivity, EndpointDisabledActivity } from './delivery/activity.ts'

function isAnswer(errorClass: AttemptActivity['errorClass']): boolean {
  return errorClass === 'redirect_rejected' || errorClass?.startsWith('http_') === true
}

/** One wide line per attempt; successes only at `debug`, where there may be thousands a second. */
export function logAttempt(log: Logger, attempt: AttemptActivity): void {
  const succeeded = attempt.status === 'success'
  if (succeeded && log.writesDebug === false) return
  const fields = {
    tenant_id: attempt.tenantId,
    event_id: attempt.eventId,
    delivery_id: attempt.deliveryId,
    endpoint_id: attempt.endpointId,
    topic: attempt.topic,
    url: attempt.url,
    attempt_no: attempt.attemptNo,
    status: attempt.status,
    http_status: attempt.httpStatus,
    error_class: attempt.errorClass,
    // What a receiver wrote may repeat the event; it is with the attempt, for those who may read that.
    error: isAnswer(attempt.errorClass) ? `HTTP ${attempt.httpStatus}` : attempt.error,
    latency_ms: attempt.latencyMs,
    state: attempt.state,
    next_attempt_in_ms: attempt.nextAttemptInMs,
  }
  if (succeeded) log.debug(fields, 'attempt')
  else if (attempt.state === 'dead_lettered') log.warn(fields, 'attempt')
  else log.info(fields, 'attempt')
}

/** Of an endpoint that was disabled, or is enabled again. */
export function endpointFields({ endpointId, reason }: EndpointDisabledActivity) {
  return { endpoint_id: endpointId, reason }
}

/** A delivery is at its end, with an attempt or, where its workers died, without one; or it has failed several times. */
export function logTrouble(log: Logger, attempt: AttemptActivity, message: string): void {
  const { tenantId, eventId, deliveryId, endpointId, topic, url, attemptNo, httpStatus, errorClass } = attempt
  const fields = {
    tenant_id: tenantId,
    event_id: eventId,
    delivery_id: deliveryId,
    endpoint_id: endpointId,
    topic,
    url,
    attempt_count: attemptNo,
    http_status: httpStatus,
    error_class: errorClass,
    next_attempt_in_ms: attempt.nextAttemptInMs,
  }
  log.warn(fields, message)
}
