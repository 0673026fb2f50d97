/**
 * What came of an attempt, and where the delivery goes from there:
 *
 *     2xx                                        ─► succeeded
 *     retryable, attempts left                   ─► retry_scheduled
 *     retryable, none left (never for internal)  ─► dead_lettered
 *     permanent: 3xx, 410, policy refusals (but
 *       for what a name resolves to), and
 *       the statuses that the policy leaves out  ─► dead_lettered
 */
import type { AttemptStatus, ErrorClass } from './model.ts'
import { type DelayInput, delayAfter, isRetryableStatus, type RetryPolicy } from './retry-policy.ts'

/** The least that a classification needs of an attempt's result. */
export type AttemptObservation =
  | { readonly kind: 'response'; readonly httpStatus: number }
  | {
      readonly kind: 'failure'
      readonly errorClass: Extract<
        ErrorClass,
        'timeout' | 'connection' | 'dns' | 'tls' | 'policy' | 'internal'
      >
      /** Of the class `policy`: a name resolved to a refused address, and may resolve to another one later. */
      readonly mayChange?: boolean
      /** Set when it was a proxy that answered. */
      readonly httpStatus: number | null
    }

/**
 * What an attempt says about the endpoint: it answered, the network failed, or nothing (no request was made:
 * refused by policy, or an error of our own).
 */
export type Contact = 'reached' | 'transport_failure' | 'none'

export interface ClassifiedOutcome {
  readonly status: AttemptStatus
  /** Null for a success. */
  readonly errorClass: ErrorClass | null
  readonly contact: Contact
  /** The endpoint said 410: it wants no more. */
  readonly disable: boolean
}

export type NextStep =
  | { readonly state: 'succeeded' }
  | { readonly state: 'retry_scheduled'; readonly delayMs: number }
  | { readonly state: 'dead_lettered'; readonly finalError: ErrorClass }

/**
 * Errors of our own (a credential cannot be read, the store blinks) say nothing about the receiver: the retry
 * does not wait for hours, whatever the policy.
 */
export const maxInternalRetryDelayMs = 60_000

export function classifyAttempt(result: AttemptObservation, policy: RetryPolicy): ClassifiedOutcome {
  return result.kind === 'response' ? classifyStatus(result.httpStatus, policy) : classifyFailure(result)
}

function classifyStatus(status: number, policy: RetryPolicy): ClassifiedOutcome {
  if (status >= 200 && status < 300) {
    return { status: 'success', errorClass: null, contact: 'reached', disable: false }
  }
  if (status >= 300 && status < 400) return permanent('redirect_rejected', 'reached')
  if (status === 410) return { ...permanent('http_410', 'reached'), disable: true }
  const errorClass = `http_${status}` as const
  return isRetryableStatus(policy, status)
    ? retryable(errorClass, 'reached')
    : permanent(errorClass, 'reached')
}

function classifyFailure(result: Extract<AttemptObservation, { kind: 'failure' }>): ClassifiedOutcome {
  const { errorClass, httpStatus } = result
  switch (errorClass) {
    case 'policy':
      return result.mayChange === true ? retryable(errorClass, 'none') : permanent(errorClass, 'none')
    case 'internal':
      return retryable(errorClass, 'none')
    case 'timeout':
    case 'connection':
    case 'dns':
    case 'tls':
      return retryable(errorClass, httpStatus === null ? 'transport_failure' : 'reached')
  }
}

function retryable(errorClass: ErrorClass, contact: Contact): ClassifiedOutcome {
  return { status: 'retryable_failure', errorClass, contact, disable: false }
}

function permanent(errorClass: ErrorClass, contact: Contact): ClassifiedOutcome {
  return { status: 'permanent_failure', errorClass, contact, disable: false }
}

/**
 * What a refusal says of the endpoint as a whole (429; 503 with `Retry-After`): to be left alone for so many
 * milliseconds. Null for any other answer.
 * @param askedMs what its `Retry-After` says; null: nothing
 */
export function throttleAfter(httpStatus: number | null, askedMs: number | null): number | null {
  if (httpStatus === 429) return askedMs ?? unsaidThrottleMs
  return httpStatus === 503 ? askedMs : null
}

/** For a 429 that does not say when to come back. */
const unsaidThrottleMs = 1000

export interface OutcomeInput extends DelayInput {
  readonly classified: ClassifiedOutcome
  readonly policy: RetryPolicy
  /** What `throttleAfter` made of the answer. */
  readonly throttleMs: number | null
}

/** The delivery's next state after the attempt `attemptNo`. Exhausted attempts keep the last error's class. */
export function decideOutcome(input: OutcomeInput): { readonly next: NextStep } {
  const { classified, policy, attemptNo } = input
  switch (classified.status) {
    case 'success':
      return { next: { state: 'succeeded' } }
    case 'permanent_failure':
      return { next: deadLettered(classified) }
    case 'retryable_failure': {
      if (classified.errorClass === 'internal') {
        const delayMs = Math.min(delayAfter(policy, input), maxInternalRetryDelayMs)
        return { next: { state: 'retry_scheduled', delayMs } }
      }
      if (attemptNo >= policy.maxAttempts) return { next: deadLettered(classified) }
      // A refusal for want of room says nothing of this delivery: it waits as after its first attempt.
      const delayMs = delayAfter(policy, input.throttleMs === null ? input : { ...input, attemptNo: 1 })
      return { next: { state: 'retry_scheduled', delayMs } }
    }
  }
}

function deadLettered(classified: ClassifiedOutcome): NextStep {
  return { state: 'dead_lettered', finalError: classified.errorClass ?? 'internal' }
}
