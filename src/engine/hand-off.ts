/** Deliveries that this node takes at once: they are inserted already leased to it and need no claim. */
import type { OuthookError } from '../core/errors.ts'
import type { Dispatcher } from '../delivery/dispatcher.ts'
import type { Reservation } from '../delivery/reservation.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { ClaimedDelivery, NewDelivery, NewEvent } from '../store/port.ts'
import type { PublishReceipt } from './publish-request.ts'

export interface Plan {
  readonly event: NewEvent
  readonly routing: TenantRouting
  /** The answer, unless the event's idempotency key has an earlier one. Null: the event is to be written. */
  readonly refusal: OuthookError | null
  /** What its receipt says of the payload, where there is something to say. */
  readonly warnings?: PublishReceipt['warnings']
}

/** What takes deliveries on and wakes claims for the others. */
export type HandOffTaker = Pick<Dispatcher, 'reserve' | 'pressure' | 'wake' | 'leaseMs'>

/** An event as it goes to the store, with what was reserved for its deliveries, in their order. */
export interface ReservedEvent {
  readonly event: NewEvent
  readonly reservations: readonly (Reservation | null)[]
}

const nothingReserved: readonly null[] = []

/** Asks for a hand-off where the dispatcher has room. Without one this process only publishes. */
export function reserveHandOffs({ event, routing }: Plan, dispatcher: HandOffTaker | null): ReservedEvent {
  if (dispatcher === null || event.deliveries.length === 0 || event.deliverAt !== null)
    return { event, reservations: nothingReserved }
  const reservations = event.deliveries.map(({ targetId, parked, ordered }) => {
    const target = routing.targets.get(targetId)
    if (target === undefined || parked !== null || ordered) return null
    return dispatcher.reserve(target, event.payload.length)
  })
  const deliveries = event.deliveries.map((delivery, index) =>
    reservations[index] === null ? delivery : { ...delivery, handOff: true },
  )
  return { event: { ...event, deliveries }, reservations }
}

/** The event was not inserted. */
export function cancelHandOffs({ reservations }: ReservedEvent): void {
  for (const reservation of reservations) reservation?.cancel()
}

export interface Granted {
  readonly routing: TenantRouting
  /** Per delivery, in order. */
  readonly handedOff: readonly boolean[]
  /** Elapsed scale. */
  readonly leaseEndsAt: number
  readonly createdAt: number
}

/** After the commit. True when some of its deliveries wait in the store. */
export function handOver({ event, reservations }: ReservedEvent, granted: Granted): boolean {
  let backlog = false
  event.deliveries.forEach((delivery, index) => {
    const reservation = reservations[index] ?? null
    if (reservation !== null && granted.handedOff[index] === true) {
      reservation.accept(toClaimed(event, delivery, granted.createdAt), granted.routing, granted.leaseEndsAt)
      return
    }
    reservation?.cancel()
    if (delivery.parked === null) backlog = true
  })
  return backlog
}

function toClaimed(event: NewEvent, delivery: NewDelivery, createdAt: number): ClaimedDelivery {
  return {
    id: delivery.id,
    tenantId: event.tenantId,
    eventId: event.id,
    subscriptionId: delivery.subscriptionId,
    endpointId: delivery.endpointId,
    targetId: delivery.targetId,
    topic: event.topic,
    metadata: event.metadata,
    traceContext: event.traceContext,
    request: event.request,
    payload: event.payload,
    claimVersion: 1,
    attemptCount: 0,
    lostClaims: 0,
    createdAt,
  }
}
