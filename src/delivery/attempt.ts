/**
 * One attempt: a leased delivery becomes a signed request, and the answer becomes an outcome to record.
 * The heart of Outhook; everything else brings work here or carries its result away.
 */
import type { Clock } from '../core/clock.ts'
import { carriesBody } from '../core/direct-request.ts'
import { toHeaderValue } from '../core/header-value.ts'
import { limits } from '../core/model.ts'
import { classifyAttempt, decideOutcome, throttleAfter } from '../core/outcome.ts'
import { retryAfterMs } from '../core/retry-after.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import { type SignedRequest, signRequest } from '../core/signing.ts'
import { toStoredText } from '../core/text.ts'
import type { AttemptRequest, AttemptResult, Sender } from '../sender/port.ts'
import type { ClaimedDelivery, DeliveryOutcome, StoreTime } from '../store/port.ts'
import type { Target } from './routing-cache.ts'

export interface AttemptDeps {
  /** What receivers see and say: signatures and `Retry-After`. */
  readonly clock: Pick<Clock, 'now'>
  /** What the store is told. */
  readonly time: StoreTime
  readonly random: () => number
  readonly sender: Sender
  readonly userAgent: string
}

/** Never rejects: whatever goes wrong is an outcome, and a fault of our own is one that is retried. */
export function runAttempt(
  delivery: ClaimedDelivery,
  route: { readonly target: Target; readonly policy: RetryPolicy },
  deps: AttemptDeps,
): Promise<DeliveryOutcome> {
  const startedAt = deps.time.now()
  const end = (result: AttemptResult) =>
    toOutcome(delivery, result, { policy: route.policy, startedAt, deps })
  return send(delivery, route.target, deps).then(end, (error) => end(notMade(error)))
}

/** What came of the request of one attempt. Rejects when it could not be made. */
export function send(delivery: ClaimedDelivery, target: Target, deps: AttemptDeps): Promise<AttemptResult> {
  try {
    if (target.refusal !== null) return Promise.resolve(refusedBefore(target.refusal))
    return deps.sender.attempt(toRequest(delivery, target, deps))
  } catch (error) {
    return Promise.reject(error)
  }
}

/** No name is looked up and no socket opened. */
function refusedBefore(refusal: string): AttemptResult {
  return { kind: 'failure', errorClass: 'policy', error: refusal, httpStatus: null, latencyMs: 0 }
}

function notMade(error: unknown): AttemptResult {
  return {
    kind: 'failure',
    errorClass: 'internal',
    error: `the request could not be made: ${error instanceof Error ? error.message : String(error)}`,
    httpStatus: null,
    latencyMs: 0,
  }
}

function toRequest(delivery: ClaimedDelivery, target: Target, deps: AttemptDeps): AttemptRequest {
  const { destination, method, timeoutMs } = target
  const { headers, body } = signedRequest(delivery, target, deps)
  if (timeoutMs === null) return { destination, method, headers, body }
  // The lease was measured by the sender's own.
  return { destination, method, headers, body, timeoutMs: Math.min(timeoutMs, deps.sender.totalTimeoutMs) }
}

const nothing = new Uint8Array(0)

function signedRequest(delivery: ClaimedDelivery, target: Target, deps: AttemptDeps): SignedRequest {
  const { topic } = delivery
  const headers: Record<string, string> = {
    'user-agent': deps.userAgent,
    ...target.headers,
    'outhook-event-id': delivery.eventId,
    'outhook-delivery-id': delivery.id,
    'outhook-attempt': String(delivery.attemptCount + 1),
  }
  if (topic !== null) headers['outhook-topic'] = toHeaderValue(topic)
  for (const name in delivery.metadata) {
    headers[`outhook-meta-${name}`] = toHeaderValue(delivery.metadata[name] ?? '')
  }
  if (delivery.traceContext !== null) Object.assign(headers, delivery.traceContext)
  const signed = signRequest(target.signingSchemes, {
    eventId: delivery.eventId,
    deliveryId: delivery.id,
    topic,
    timestampSeconds: Math.floor(deps.clock.now() / 1000),
    body: carriesBody(target.method) ? delivery.payload : nothing,
    secrets: target.secrets(deps.time),
  })
  return { headers: Object.assign(headers, signed.headers), body: signed.body }
}

function toOutcome(
  delivery: ClaimedDelivery,
  result: AttemptResult,
  context: { readonly policy: RetryPolicy; readonly startedAt: number; readonly deps: AttemptDeps },
): DeliveryOutcome {
  const { policy, startedAt, deps } = context
  const attemptNo = delivery.attemptCount + 1
  const classified = classifyAttempt(result, policy)
  const retryAfter = result.kind === 'response' ? result.retryAfter : null
  // Only a date in it is measured against the calendar.
  const now = retryAfter === null ? startedAt : deps.clock.now()
  const throttleMs = throttleAfter(result.httpStatus, retryAfterMs(retryAfter, now))
  const { random } = deps
  const { next } = decideOutcome({ classified, policy, attemptNo, retryAfter, throttleMs, now, random })
  return {
    deliveryId: delivery.id,
    claimVersion: delivery.claimVersion,
    attempt: {
      attemptNo,
      status: classified.status,
      httpStatus: result.httpStatus,
      errorClass: classified.errorClass,
      error: describeFailure(result, classified.status),
      latencyMs: result.latencyMs,
      startedAt,
      response: result.kind === 'response' ? result.response : null,
    },
    next,
    observation: {
      contact: classified.contact,
      succeeded: classified.status === 'success',
      startedAt,
      throttleMs,
    },
    disableEndpoint: classified.disable ? 'gone' : null,
  }
}

/** Characters of a response body that stand in `last_error`; the whole capture is with the attempt. */
const excerptChars = 200

function describeFailure(result: AttemptResult, status: string): string | null {
  if (status === 'success') return null
  if (result.kind === 'failure') return toStoredText(result.error.slice(0, limits.maxLastErrorChars))
  const excerpt = Buffer.from(result.response.body.subarray(0, excerptChars * 4))
    .toString('utf8')
    .slice(0, excerptChars)
  const text = excerpt === '' ? `HTTP ${result.httpStatus}` : `HTTP ${result.httpStatus}: ${excerpt}`
  return result.brokeOff === undefined ? text : `${text} (${result.brokeOff})`
}
