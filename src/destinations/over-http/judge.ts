/**
 * What an HTTP answer says of a delivery and of its endpoint, for the kinds that send over HTTP:
 *
 *     2xx                                        ─► accepted
 *     3xx, 410 (which disables the endpoint too),
 *       and the statuses that the policy leaves
 *       out                                      ─► refused for good
 *     any other                                  ─► to be tried again
 */
import type { Clock } from '../../core/clock.ts'
import { limits } from '../../core/model.ts'
import {
  type ClassifiedOutcome,
  classifyFailure,
  type FailureObservation,
  permanentFailure,
  retryableFailure,
} from '../../core/outcome.ts'
import { retryAfterMs } from '../../core/retry-after.ts'
import { isRetryableStatus, type RetryPolicy } from '../../core/retry-policy.ts'
import { toStoredText } from '../../core/text.ts'
import type { AttemptResult } from '../../sender/port.ts'
import type { EndedAttempt } from '../port.ts'

/** The least that a classification needs of an attempt's result. */
export type AttemptObservation =
  | { readonly kind: 'response'; readonly httpStatus: number }
  | FailureObservation

export function judge(result: AttemptResult, policy: RetryPolicy, clock: Pick<Clock, 'now'>): EndedAttempt {
  const said = result.kind === 'response' ? result.retryAfter : null
  // The clock is needed for a date alone.
  const askedMs = said === null ? null : retryAfterMs(said, clock.now())
  return endAttempt(result, classifyAttempt(result, policy), askedMs)
}

/** @param askedMs what the answer says of when to come back; null: nothing */
export function endAttempt(
  result: AttemptResult,
  { status, errorClass, contact, disable }: ClassifiedOutcome,
  askedMs: number | null,
): EndedAttempt {
  const { httpStatus, latencyMs } = result
  return {
    status,
    errorClass,
    contact,
    disable,
    counted: errorClass !== 'internal',
    askedMs,
    throttleMs: throttleAfter(httpStatus, askedMs),
    againInMs: null,
    httpStatus,
    error: status === 'success' ? null : describeFailure(result),
    latencyMs,
    response: result.kind === 'response' ? result.response : null,
  }
}

export function classifyAttempt(result: AttemptObservation, policy: RetryPolicy): ClassifiedOutcome {
  return result.kind === 'response' ? classifyStatus(result.httpStatus, policy) : classifyFailure(result)
}

const success: ClassifiedOutcome = {
  status: 'success',
  errorClass: null,
  contact: 'reached',
  disable: false,
}

function classifyStatus(status: number, policy: RetryPolicy): ClassifiedOutcome {
  if (status >= 200 && status < 300) return success
  if (status >= 300 && status < 400) return permanentFailure('redirect_rejected', 'reached')
  if (status === 410) return { ...permanentFailure('http_410', 'reached'), disable: true }
  const errorClass = `http_${status}` as const
  return isRetryableStatus(policy, status)
    ? retryableFailure(errorClass, 'reached')
    : permanentFailure(errorClass, 'reached')
}

/** For a 429 that does not say when to come back. */
const unsaidThrottleMs = 1000

/**
 * What a refusal says of the endpoint as a whole (429; 503 with `Retry-After`): to be left alone for so many
 * milliseconds. Null for any other answer.
 * @param askedMs what its `Retry-After` says; null: nothing
 */
function throttleAfter(httpStatus: number | null, askedMs: number | null): number | null {
  if (httpStatus === 429) return askedMs ?? unsaidThrottleMs
  return httpStatus === 503 ? askedMs : null
}

/** No request was made. */
export function notMade(error: string): AttemptResult {
  return { kind: 'failure', errorClass: 'internal', error, httpStatus: null, latencyMs: 0 }
}

/** Characters of a response body that stand in `last_error`; the whole capture is with the attempt. */
const excerptChars = 200

function describeFailure(result: AttemptResult): string {
  if (result.kind === 'failure') return toStoredText(result.error.slice(0, limits.maxLastErrorChars))
  const excerpt = Buffer.from(result.response.body.subarray(0, excerptChars * 4))
    .toString('utf8')
    .slice(0, excerptChars)
  const text = excerpt === '' ? `HTTP ${result.httpStatus}` : `HTTP ${result.httpStatus}: ${excerpt}`
  return result.brokeOff === undefined ? text : `${text} (${result.brokeOff})`
}
