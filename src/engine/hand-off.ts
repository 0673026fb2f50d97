/** Deliveries that may start right away: they are inserted already leased to this node and need no claim. */
import type { Dispatcher } from '../delivery/dispatcher.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { NewEvent } from '../store/port.ts'

export interface Plan {
  readonly event: NewEvent
  readonly routing: TenantRouting
}

type Slots = Pick<Dispatcher, 'reserve' | 'giveBack' | 'accept'>

/** The event with a hand-off asked for where there was a slot. Without a dispatcher this process only publishes. */
export function askForSlots({ event, routing }: Plan, dispatcher: Slots | null): NewEvent {
  if (dispatcher === null || event.deliveries.length === 0) return event
  const deliveries = event.deliveries.map((delivery) => {
    const target = routing.targets.get(delivery.targetId)
    if (target === undefined || delivery.parked !== null || !dispatcher.reserve(target)) return delivery
    return { ...delivery, handOff: true }
  })
  return { ...event, deliveries }
}

/** It was not inserted. */
export function giveSlotsBack(event: NewEvent, dispatcher: Slots | null): void {
  for (const delivery of event.deliveries) {
    if (delivery.handOff) dispatcher?.giveBack(delivery.targetId)
  }
}

export interface Granted {
  /** Per delivery, in order. */
  readonly handedOff: readonly boolean[]
  /** Elapsed scale. */
  readonly leasedAt: number
  readonly createdAt: number
}

/** After the commit. True when some of its deliveries wait in the store. */
export function handOver({ event, routing }: Plan, granted: Granted, dispatcher: Slots | null): boolean {
  if (dispatcher === null) return false
  let backlog = false
  event.deliveries.forEach((delivery, index) => {
    if (granted.handedOff[index] === true) {
      const claimed = {
        ...delivery,
        tenantId: event.tenantId,
        eventId: event.id,
        topic: event.topic,
        metadata: event.metadata,
        payload: event.payload,
        claimVersion: 1,
        attemptCount: 0,
        lostClaims: 0,
        createdAt: granted.createdAt,
      }
      dispatcher.accept(claimed, routing, granted.leasedAt)
      return
    }
    if (delivery.handOff) dispatcher.giveBack(delivery.targetId)
    if (delivery.parked === null) backlog = true
  })
  return backlog
}
