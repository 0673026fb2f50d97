/**
 * Health of one endpoint: a circuit breaker over transport failures, and how long it has only failed.
 *
 *     closed ── failureThreshold transport failures in a row ──► paused until pausedUntil
 *       ▲                                                              │ time passes
 *       ├──────────────── any HTTP answer ◄────────────────────── probe (one attempt)
 *                                                                      │ transport failure
 *                                        paused, twice as long ◄───────┘
 *
 * An endpoint that asks for less (429, or 503 with `Retry-After`) is throttled: paused until then in the same way, with
 * no failures counted. After the pause one probe goes, and its success lets the others follow, at the pace that
 * `delivery/pace.ts` has learnt.
 *
 * Rows are written on failure or transition only: `nextHealth` gives back the same object when nothing changed,
 * and null for an endpoint that needs no row.
 */
import type { EndpointHealth } from './model.ts'
import type { Contact } from './outcome.ts'
import { agedNow, type TimeLine } from './time-line.ts'

export interface BreakerPolicy {
  /** Transport failures in a row that pause the endpoint; 0 switches the breaker off. */
  readonly failureThreshold: number
  /** The first pause; each failed probe doubles it. */
  readonly pauseMs: number
  readonly maxPauseMs: number
  /** An endpoint that has only failed for so long is disabled; 0 never. */
  readonly disableAfterMs: number
}

export const defaultBreakerPolicy: BreakerPolicy = {
  failureThreshold: 5,
  pauseMs: 30_000,
  maxPauseMs: 3_600_000,
  disableAfterMs: 5 * 86_400_000,
}

export interface HealthObservation {
  readonly contact: Contact
  readonly succeeded: boolean
  /** When the attempt began, milliseconds since the epoch. */
  readonly startedAt: number
  /** The endpoint asked to be left alone for so long; null: it did not. */
  readonly throttleMs: number | null
}

const healthy: EndpointHealth = { consecutiveFailures: 0, failingSince: null, pausedUntil: null, pauseMs: 0 }

/** The health after one more attempt; `now` is when it ended. */
export function nextHealth(
  health: EndpointHealth | null,
  observation: HealthObservation,
  policy: BreakerPolicy,
  now: number,
): EndpointHealth | null {
  // A success of a request that began before the endpoint asked for less says nothing of what it takes now.
  if (observation.succeeded) return isEarly(health, observation) ? health : null
  if (observation.throttleMs !== null) return afterThrottle(health, observation.throttleMs, now)
  switch (observation.contact) {
    case 'none':
      // No request was made, so nothing was learnt: a fault of ours must neither pause nor disable the endpoint.
      return health
    case 'reached':
      return isEarly(health, observation) ? health : afterAnswer(health, now)
    case 'transport_failure':
      return afterTransportFailure(health ?? healthy, observation.startedAt, policy, now)
  }
}

/** Paused because it asked for less, not because it failed. */
export function isThrottled(health: EndpointHealth | null): boolean {
  return health !== null && health.pausedUntil !== null && health.consecutiveFailures === 0
}

function isEarly(health: EndpointHealth | null, { startedAt }: HealthObservation): boolean {
  return isThrottled(health) && startedAt < (health?.pausedUntil ?? 0)
}

/** Refusals of requests that were under way together ask for about the same, and are written once. */
const sameRefusalMs = 500

function afterThrottle(health: EndpointHealth | null, throttleMs: number, now: number): EndpointHealth {
  const pausedUntil = now + throttleMs
  if (health !== null && (health.pausedUntil ?? 0) > pausedUntil - sameRefusalMs) return health
  return { consecutiveFailures: 0, failingSince: health?.failingSince ?? now, pausedUntil, pauseMs: 0 }
}

function afterAnswer(health: EndpointHealth | null, now: number): EndpointHealth {
  if (health === null) return { ...healthy, failingSince: now }
  const closed = health.consecutiveFailures === 0 && health.pausedUntil === null
  if (closed && health.failingSince !== null) return health
  return { ...healthy, failingSince: health.failingSince ?? now }
}

function afterTransportFailure(
  health: EndpointHealth,
  startedAt: number,
  policy: BreakerPolicy,
  now: number,
): EndpointHealth {
  const failingSince = health.failingSince ?? now
  if (policy.failureThreshold === 0) {
    const unchanged = health.failingSince !== null && health.pausedUntil === null
    return unchanged ? health : { ...healthy, failingSince }
  }
  if (health.pausedUntil === null || isThrottled(health)) {
    const consecutiveFailures = health.consecutiveFailures + 1
    const opens = consecutiveFailures >= policy.failureThreshold
    if (!opens) {
      const stays = isThrottled(health) && startedAt < (health.pausedUntil ?? 0)
      return stays ? health : { consecutiveFailures, failingSince, pausedUntil: null, pauseMs: 0 }
    }
    return { consecutiveFailures, failingSince, pausedUntil: now + policy.pauseMs, pauseMs: policy.pauseMs }
  }
  // Attempts that were already under way when the pause began all fail now; they tell nothing new.
  if (startedAt < health.pausedUntil) return health
  const pauseMs = Math.min(health.pauseMs * 2, policy.maxPauseMs)
  const consecutiveFailures = health.consecutiveFailures + 1
  return { consecutiveFailures, failingSince, pausedUntil: now + pauseMs, pauseMs }
}

/** `closed`: send freely. `paused`: send nothing before `pausedUntil`. `probe`: the pause is over, one attempt goes. */
export type BreakerState = 'closed' | 'paused' | 'probe'

export function breakerState(health: EndpointHealth | null, now: number): BreakerState {
  if (health === null || health.pausedUntil === null) return 'closed'
  return now < health.pausedUntil ? 'paused' : 'probe'
}

/**
 * Whether the endpoint has only failed for as long as the policy allows, and is to be disabled. While the clock is not
 * known to be right, nobody is.
 */
export function isFailingTooLong(
  health: EndpointHealth | null,
  policy: BreakerPolicy,
  time: { readonly line: TimeLine; readonly now: number },
): boolean {
  if (health === null || health.failingSince === null || policy.disableAfterMs === 0) return false
  if (time.line.unprovenSince !== null) return false
  return agedNow(time.line, health.failingSince, time.now) - health.failingSince >= policy.disableAfterMs
}
