/** A leased delivery in memory, with where it goes and how long its lease lasts. */
import type { ErrorClass } from '../core/model.ts'
import type { RetryPolicy } from '../core/retry-policy.ts'
import type { ClaimedDelivery, DeliveryOutcome } from '../store/port.ts'
import { directTarget } from './direct-target.ts'
import type { Target, TenantRouting } from './routing-cache.ts'
import type { Slot } from './slot.ts'
import type { Observed } from './target-state.ts'

export interface Work {
  readonly tenantId: string
  readonly targetId: string
  readonly delivery: ClaimedDelivery
  readonly target: Target
  readonly policy: RetryPolicy
  /** On the elapsed scale. */
  readonly leaseEndsAt: number
  /** The delivery was leased at publish, not by a claim. */
  readonly handedOff: boolean
  /** Its place in memory while it waits for a slot. */
  place: Slot | null
}

/** How a delivery came to this node. */
export type Arrival = Pick<Work, 'leaseEndsAt' | 'handedOff'>

/** Null when the delivery's endpoint is not in the routing. */
export function toWork(delivery: ClaimedDelivery, routing: TenantRouting, arrival: Arrival): Work | null {
  const { tenantId, targetId, request } = delivery
  const target = targetOf(delivery, routing)
  if (target === undefined) return null
  const policy =
    request === null ? routing.policyOf(delivery.subscriptionId, delivery.endpointId) : request.retryPolicy
  const { leaseEndsAt, handedOff } = arrival
  return { tenantId, targetId, delivery, target, policy, leaseEndsAt, handedOff, place: null }
}

type Addressed = Pick<ClaimedDelivery, 'subscriptionId' | 'targetId' | 'endpointId' | 'request'>

/** Undefined: its endpoint is not in the routing. */
export function targetOf(delivery: Addressed, routing: TenantRouting): Target | undefined {
  const { subscriptionId, targetId, request } = delivery
  return request === null
    ? routing.targetOf(subscriptionId, targetId)
    : directTarget(delivery, request, routing)
}

/** The outcome of a delivery that is given up without an attempt. */
export function giveUp({ delivery }: Work, finalError: ErrorClass): DeliveryOutcome {
  return {
    deliveryId: delivery.id,
    claimVersion: delivery.claimVersion,
    attempt: null,
    next: { state: 'dead_lettered', finalError },
    observation: null,
    disableEndpoint: null,
  }
}

/** What an attempt showed of its target; null where no request was made. */
export function observe({ attempt, observation }: DeliveryOutcome): Observed | null {
  if (attempt === null || observation === null || observation.contact === 'none') return null
  const { contact, throttleMs } = observation
  return { latencyMs: attempt.latencyMs, answered: contact === 'reached', throttleMs }
}
