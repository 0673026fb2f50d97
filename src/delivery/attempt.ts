/**
 * One attempt: a leased delivery goes to its destination, and what came of it becomes an outcome to record.
 * The heart of Outhook; everything else brings work here or carries its result away.
 */
import { limits } from '../core/model.ts'
import { decideOutcome, type NextStep } from '../core/outcome.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import { toStoredText } from '../core/text.ts'
import type { AttemptRules, EndedAttempt, PutOff, AttemptDeps as SendingDeps } from '../destinations/port.ts'
import type { ClaimedDelivery, DeliveryOutcome } from '../store/port.ts'
import type { Target } from './routing-cache.ts'

export interface AttemptDeps extends SendingDeps {
  readonly random: () => number
}

/**
 * Always calls back, later and once: whatever goes wrong is an outcome, and a fault of our own is one that is retried.
 * No promise leaves it, because each one costs every delivery.
 */
export function runAttempt(
  delivery: ClaimedDelivery,
  route: { readonly target: Target; readonly policy: RetryPolicy },
  deps: AttemptDeps,
  onEnd: (end: DeliveryOutcome | PutOff) => void,
): void {
  const startedAt = deps.time.now()
  const { policy } = route
  const end = (ended: EndedAttempt | PutOff) =>
    onEnd(
      ended.status === 'wait'
        ? ended
        : toOutcome(delivery, ended, { policy, startedAt, random: deps.random }),
    )
  send(delivery, route, deps).then(end, (error) => end(notMade(error)))
}

/** What came of one attempt. Rejects when no request could be made. */
export function send(
  delivery: ClaimedDelivery,
  route: AttemptRules & { readonly target: Pick<Target, 'destination'> },
  deps: SendingDeps,
): Promise<EndedAttempt | PutOff> {
  const { destination } = route.target
  try {
    if (destination.refusal !== null) return Promise.resolve(refusedBefore(destination.refusal))
    return destination.attempt(delivery, route, deps)
  } catch (error) {
    return Promise.reject(error)
  }
}

const unsent = {
  contact: 'none',
  disable: false,
  askedMs: null,
  throttleMs: null,
  againInMs: null,
  httpStatus: null,
  latencyMs: 0,
  response: null,
} as const

/** No name is looked up and no socket opened. */
function refusedBefore(error: string): EndedAttempt {
  return { ...unsent, status: 'permanent_failure', errorClass: 'policy', counted: true, error }
}

function notMade(fault: unknown): EndedAttempt {
  const text = `the request could not be made: ${fault instanceof Error ? fault.message : String(fault)}`
  const error = toStoredText(text.slice(0, limits.maxLastErrorChars))
  return { ...unsent, status: 'retryable_failure', errorClass: 'internal', counted: false, error }
}

function toOutcome(
  delivery: ClaimedDelivery,
  ended: EndedAttempt,
  context: { readonly policy: RetryPolicy; readonly startedAt: number; readonly random: () => number },
): DeliveryOutcome {
  const { startedAt } = context
  const { status, errorClass, contact, throttleMs } = ended
  return {
    deliveryId: delivery.id,
    claimVersion: delivery.claimVersion,
    attempt: {
      attemptNo: delivery.attemptCount + (ended.counted ? 1 : 0),
      status,
      httpStatus: ended.httpStatus,
      errorClass,
      error: ended.error,
      latencyMs: ended.latencyMs,
      startedAt,
      response: ended.response,
    },
    next: nextStep(delivery, ended, context),
    observation: { contact, succeeded: status === 'success', startedAt, throttleMs },
    disableEndpoint: ended.disable ? 'gone' : null,
  }
}

function nextStep(
  delivery: ClaimedDelivery,
  ended: EndedAttempt,
  { policy, random }: { readonly policy: RetryPolicy; readonly random: () => number },
): NextStep {
  if (ended.againInMs !== null) return { state: 'retry_scheduled', delayMs: ended.againInMs }
  // What is not counted still waits longer each time: claims are counted all the same.
  const attemptNo = ended.counted
    ? delivery.attemptCount + 1
    : Math.max(1, delivery.claimVersion - delivery.attemptCount)
  return decideOutcome(ended, { policy, attemptNo, random })
}
