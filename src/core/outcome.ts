/**
 * Where a delivery goes from an attempt, by what its destination made of it:
 *
 *     accepted                                   ─► succeeded
 *     to be tried again, attempts left           ─► retry_scheduled
 *     to be tried again, none left (never for
 *       a fault of ours)                         ─► dead_lettered
 *     refused for good                           ─► dead_lettered
 */
import type { AttemptStatus, ErrorClass } from './model.ts'
import { delayAfter, type RetryPolicy } from './retry-policy.ts'

/** An attempt that brought no answer. */
export interface FailureObservation {
  readonly kind: 'failure'
  readonly errorClass: Extract<ErrorClass, 'timeout' | 'connection' | 'dns' | 'tls' | 'policy' | 'internal'>
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

/** What holds wherever a request goes: the network and what is refused before it are tried again or not for all kinds. */
export function classifyFailure(result: FailureObservation): ClassifiedOutcome {
  const { errorClass, httpStatus } = result
  switch (errorClass) {
    case 'policy':
      return result.mayChange === true
        ? retryableFailure(errorClass, 'none')
        : permanentFailure(errorClass, 'none')
    case 'internal':
      return retryableFailure(errorClass, 'none')
    case 'timeout':
    case 'connection':
    case 'dns':
    case 'tls':
      return retryableFailure(errorClass, httpStatus === null ? 'transport_failure' : 'reached')
  }
}

export function retryableFailure(errorClass: ErrorClass, contact: Contact): ClassifiedOutcome {
  return { status: 'retryable_failure', errorClass, contact, disable: false }
}

export function permanentFailure(errorClass: ErrorClass, contact: Contact): ClassifiedOutcome {
  return { status: 'permanent_failure', errorClass, contact, disable: false }
}

/** What decides of a delivery's next state. */
export interface OutcomeFacts extends Pick<ClassifiedOutcome, 'status' | 'errorClass'> {
  /** The receiver wants the delivery no sooner; null: it did not say. */
  readonly askedMs: number | null
  /** The receiver wants to be left alone; null: it does not. */
  readonly throttleMs: number | null
}

export interface OutcomeRules {
  readonly policy: RetryPolicy
  /** Which one this was, from 1. */
  readonly attemptNo: number
  readonly random: () => number
}

const succeeded: NextStep = { state: 'succeeded' }

/** The delivery's next state after an attempt. Exhausted attempts keep the last error's class. */
export function decideOutcome(facts: OutcomeFacts, rules: OutcomeRules): NextStep {
  const { policy, attemptNo, random } = rules
  switch (facts.status) {
    case 'success':
      return succeeded
    case 'permanent_failure':
      return deadLettered(facts)
    case 'retryable_failure': {
      const { askedMs } = facts
      if (facts.errorClass === 'internal') {
        const delayMs = Math.min(delayAfter(policy, { attemptNo, askedMs, random }), maxInternalRetryDelayMs)
        return { state: 'retry_scheduled', delayMs }
      }
      if (attemptNo >= policy.maxAttempts) return deadLettered(facts)
      // A refusal for want of room says nothing of this delivery: it waits as after its first attempt.
      const asAfter = facts.throttleMs === null ? attemptNo : 1
      return {
        state: 'retry_scheduled',
        delayMs: delayAfter(policy, { attemptNo: asAfter, askedMs, random }),
      }
    }
  }
}

function deadLettered({ errorClass }: Pick<ClassifiedOutcome, 'errorClass'>): NextStep {
  return { state: 'dead_lettered', finalError: errorClass ?? 'internal' }
}
