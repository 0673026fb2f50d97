/** From a checked event to what is inserted: one delivery for each matching subscription, or who they are. */
import type { IdFactory } from '../core/ids.ts'
import { limits, type Subscription } from '../core/model.ts'
import { packReceivers } from '../core/receivers.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { NewDelivery, NewEvent } from '../store/port.ts'
import type { Operational } from './publish-request.ts'

export interface FanOutInput
  extends Omit<
    NewEvent,
    'id' | 'topic' | 'request' | 'filteredSubscriptions' | 'routingVersion' | 'deliveries' | 'receivers'
  > {
  readonly topic: string
  /** Made elsewhere; default: a new one. */
  readonly eventId?: string | undefined
  readonly operational?: Operational
}

export function fanOut(input: FanOutInput, routing: TenantRouting, ids: IdFactory): NewEvent {
  return {
    ...input,
    id: input.eventId ?? ids.next('evt'),
    request: null,
    routingVersion: routing.version,
    ...planFanOut(input, routing, ids),
  }
}

export type FanOutPlanned = Pick<NewEvent, 'deliveries' | 'receivers' | 'filteredSubscriptions'>

export interface Matched extends Pick<NewEvent, 'orderingKey'> {
  readonly operational?: Operational
  readonly topic: string
  /** Read where a subscription that matches has a filter, and nowhere else. */
  readonly payload: Uint8Array
}

/**
 * Deliveries up to the limit; of an event for more only who receives it, which is decided now, while the deliveries are
 * made in slices afterwards. Hand-offs are asked for later, when the event is about to be written.
 */
export function planFanOut(event: Matched, routing: TenantRouting, ids: IdFactory): FanOutPlanned {
  const except = event.operational?.exceptEndpointId
  const ofTopic = routing.fanOut
    .match(event.topic)
    .filter(({ endpointId }) => endpointId !== except && routing.targets.has(endpointId))
  const matching = routing.filters === null ? ofTopic : routing.filters.let(ofTopic, event.payload)
  const filtered = ofTopic.length - matching.length
  const filteredSubscriptions = filtered === 0 ? null : filtered
  if (matching.length > limits.maxDeliveriesAtOnce) {
    const receivers = matching.map(({ id, endpointId }) => ({ subscriptionId: id, endpointId }))
    return { deliveries: [], receivers: packReceivers(receivers), filteredSubscriptions }
  }
  const planning = { routing, ids, hasKey: event.orderingKey !== null }
  return {
    deliveries: matching.map((subscription) => planDelivery(subscription, planning)),
    filteredSubscriptions,
  }
}

/** Some subscription that the topic matches has a filter, for which the payload has to be read. */
export function needsPayload(topic: string, { filters, fanOut: index }: TenantRouting): boolean {
  return filters !== null && index.match(topic).some(({ id }) => filters.has(id))
}

interface Planning {
  readonly routing: TenantRouting
  readonly ids: IdFactory
  /** The event has an ordering key. */
  readonly hasKey: boolean
}

function planDelivery(subscription: Subscription, { routing, ids, hasKey }: Planning): NewDelivery {
  const { endpointId, ordered } = subscription
  const endpoint = routing.targets.get(endpointId)?.endpoint
  return {
    id: ids.next('dlv'),
    subscriptionId: subscription.id,
    endpointId,
    targetId: endpointId,
    rateLimitRps: endpoint?.rateLimitRps ?? null,
    handOff: false,
    ordered: ordered && hasKey,
    parked: (endpoint?.disabledReason ?? null) === null ? null : 'endpoint_disabled',
  }
}
