/**
 * One attempt: a leased delivery becomes a signed request, and the answer becomes an outcome to record.
 * The heart of Outhook; everything else brings work here or carries its result away.
 */
import type { Clock } from '../core/clock.ts'
import { carriesBody } from '../core/direct-request.ts'
import { toHeaderValue } from '../core/header-value.ts'
import { hideInResponse, hideInText } from '../core/hide-secrets.ts'
import { limits } from '../core/model.ts'
import {
  type ClassifiedOutcome,
  classifyAttempt,
  decideOutcome,
  type NextStep,
  throttleAfter,
} from '../core/outcome.ts'
import { retryAfterMs } from '../core/retry-after.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import { signRequest } from '../core/signing.ts'
import { toStoredText } from '../core/text.ts'
import type { AttemptRequest, AttemptResult, Sender } from '../sender/port.ts'
import type { ClaimedDelivery, DeliveryOutcome, StoreTime } from '../store/port.ts'
import type { Authorization, CredentialSource } from './credential-source.ts'
import type { Target } from './routing-cache.ts'

export interface AttemptDeps {
  /** What receivers see and say: signatures and `Retry-After`. */
  readonly clock: Pick<Clock, 'now'>
  /** What the store is told. */
  readonly time: StoreTime
  readonly random: () => number
  readonly sender: Sender
  readonly credentials: Pick<CredentialSource, 'authorize' | 'answered'>
  readonly userAgent: string
}

/** Never rejects: whatever goes wrong is an outcome, and a fault of our own is one that is retried. */
export function runAttempt(
  delivery: ClaimedDelivery,
  route: { readonly target: Target; readonly policy: RetryPolicy },
  deps: AttemptDeps,
): Promise<DeliveryOutcome | PutOff> {
  const startedAt = deps.time.now()
  const end = (result: Sent | PutOff) =>
    result.kind === 'wait' ? result : toOutcome(delivery, result, { policy: route.policy, startedAt, deps })
  return send(delivery, route.target, deps).then(end, (error) => end(notMade(error)))
}

/** `wantsAnother`: the receiver refused a token that may have ended, so it is asked once more with the next one. */
type Sent = AttemptResult & { readonly wantsAnother?: boolean }

/** Nothing was sent, and nothing is to be recorded: what the request authenticates with comes soon. */
export type PutOff = Extract<Authorization, { kind: 'wait' }>

/**
 * What came of the request of one attempt. Rejects when it could not be made.
 *
 * @param patienceMs for what it authenticates with
 */
export function send(
  delivery: ClaimedDelivery,
  target: Target,
  deps: AttemptDeps,
  patienceMs?: number,
): Promise<Sent | PutOff> {
  try {
    if (target.refusal !== null) return Promise.resolve(refusedBefore(target.refusal))
    return target.credentialId === null
      ? deps.sender.attempt(toRequest(delivery, target, deps))
      : sendAuthorized(delivery, target, deps, patienceMs)
  } catch (error) {
    return Promise.reject(error)
  }
}

/** No name is looked up and no socket opened. */
function refusedBefore(refusal: string): AttemptResult {
  return { kind: 'failure', errorClass: 'policy', error: refusal, httpStatus: null, latencyMs: 0 }
}

/** One request with the target's credential; without the credential none. */
async function sendAuthorized(
  delivery: ClaimedDelivery,
  target: Target,
  deps: AttemptDeps,
  patienceMs?: number,
): Promise<Sent | PutOff> {
  const authorization = await deps.credentials.authorize(delivery.tenantId, target, patienceMs)
  switch (authorization.kind) {
    case 'wait':
      return authorization
    case 'failed':
      return { ...notMade(null), error: authorization.error }
    case 'ready': {
      const { headers, hidden, identity } = authorization
      const request = toRequest(delivery, target, deps, headers)
      const destination = identity === undefined ? request.destination : { ...request.destination, identity }
      const result = await deps.sender.attempt({ ...request, destination })
      const { httpStatus } = result
      const wantsAnother = deps.credentials.answered(authorization, { targetId: target.id, httpStatus })
      return { ...hideSecrets(result, hidden), ...(wantsAnother && { wantsAnother }) }
    }
  }
}

/** Neither what is kept of the answer nor an error names what the request authenticated with. */
function hideSecrets(result: AttemptResult, hidden: readonly string[]): AttemptResult {
  if (hidden.length === 0) return result
  if (result.kind === 'failure') return { ...result, error: hideInText(result.error, hidden) }
  return { ...result, response: hideInResponse(result.response, hidden) }
}

function notMade(error: unknown): Extract<AttemptResult, { kind: 'failure' }> {
  return {
    kind: 'failure',
    errorClass: 'internal',
    error: `the request could not be made: ${error instanceof Error ? error.message : String(error)}`,
    httpStatus: null,
    latencyMs: 0,
  }
}

/** @param credential headers that it authenticates with; they win over those of the target */
function toRequest(
  delivery: ClaimedDelivery,
  target: Target,
  deps: AttemptDeps,
  credential: Readonly<Record<string, string>> = {},
): AttemptRequest {
  const { destination, method, timeoutMs } = target
  const { headers, signatures, body } = signedRequest(delivery, target, { deps, credential })
  const request = { destination, method, headers, signatures, body }
  if (timeoutMs === null) return request
  // The lease was measured by the sender's own.
  return { ...request, timeoutMs: Math.min(timeoutMs, deps.sender.totalTimeoutMs) }
}

const nothing = new Uint8Array(0)

function signedRequest(
  delivery: ClaimedDelivery,
  target: Target,
  { deps, credential }: { readonly deps: AttemptDeps; readonly credential: Readonly<Record<string, string>> },
): Required<Pick<AttemptRequest, 'headers' | 'signatures' | 'body'>> {
  const { topic } = delivery
  const headers: Record<string, string> = {
    'user-agent': deps.userAgent,
    ...target.headers,
    ...credential,
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
  return { headers: Object.assign(headers, signed.headers), signatures: signed.headers, body: signed.body }
}

/** Until a request whose token was refused is made with another one. */
const anotherTokenMs = 1000

function toOutcome(
  delivery: ClaimedDelivery,
  result: Sent,
  context: { readonly policy: RetryPolicy; readonly startedAt: number; readonly deps: AttemptDeps },
): DeliveryOutcome {
  const { policy, startedAt, deps } = context
  const wantsAnother = result.wantsAnother === true
  const judged = classifyAttempt(result, policy)
  const classified: ClassifiedOutcome = wantsAnother ? { ...judged, status: 'retryable_failure' } : judged
  // A fault of ours uses up none of the attempts that the receiver is to get.
  const isOurs = classified.errorClass === 'internal' || wantsAnother
  const attemptNo = delivery.attemptCount + (isOurs ? 0 : 1)
  const retryAfter = result.kind === 'response' ? result.retryAfter : null
  // Only a date in it is measured against the calendar.
  const now = retryAfter === null ? startedAt : deps.clock.now()
  const throttleMs = throttleAfter(result.httpStatus, retryAfterMs(retryAfter, now))
  const { random } = deps
  // What is not counted still waits longer each time: claims are counted all the same.
  const tries = isOurs ? Math.max(1, delivery.claimVersion - delivery.attemptCount) : attemptNo
  const decided = { classified, policy, attemptNo: tries, retryAfter, throttleMs, now, random }
  const next: NextStep = wantsAnother
    ? { state: 'retry_scheduled', delayMs: anotherTokenMs }
    : decideOutcome(decided).next
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
