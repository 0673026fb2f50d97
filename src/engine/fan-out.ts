/** From a checked event to what is inserted: one delivery for each matching subscription, or who they are. */
import type { IdFactory } from '../core/ids.ts'
import { limits, type Subscription } from '../core/model.ts'
import { packReceivers } from '../core/receivers.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { NewDelivery, NewEvent, NewIdempotencyKey } from '../store/port.ts'

export interface FanOutInput
  extends Pick<NewEvent, 'tenantId' | 'topic' | 'payload' | 'metadata' | 'orderingKey' | 'producerKeyId'> {
  readonly idempotency: NewIdempotencyKey | null
}

export function fanOut(input: FanOutInput, routing: TenantRouting, ids: IdFactory): NewEvent {
  const { tenantId, topic, payload, metadata, orderingKey, producerKeyId, idempotency } = input
  return {
    id: ids.next('evt'),
    tenantId,
    topic,
    payload,
    metadata,
    orderingKey,
    producerKeyId,
    idempotency,
    routingVersion: routing.version,
    ...planFanOut(topic, routing, ids),
  }
}

/**
 * Deliveries up to the limit; of an event for more only who receives it, which is decided now, while the deliveries are
 * made in slices afterwards. Hand-offs are asked for later, when the event is about to be written.
 */
export function planFanOut(
  topic: string,
  routing: TenantRouting,
  ids: IdFactory,
): Pick<NewEvent, 'deliveries' | 'receivers'> {
  const matching = routing.fanOut.match(topic).filter(({ endpointId }) => routing.targets.has(endpointId))
  if (matching.length > limits.maxDeliveriesAtOnce) {
    const receivers = matching.map(({ id, endpointId }) => ({ subscriptionId: id, endpointId }))
    return { deliveries: [], receivers: packReceivers(receivers) }
  }
  return { deliveries: matching.map((subscription) => planDelivery(subscription, routing, ids)) }
}

function planDelivery(subscription: Subscription, routing: TenantRouting, ids: IdFactory): NewDelivery {
  const { endpointId } = subscription
  const endpoint = routing.targets.get(endpointId)?.endpoint
  return {
    id: ids.next('dlv'),
    subscriptionId: subscription.id,
    endpointId,
    targetId: endpointId,
    rateLimitRps: endpoint?.rateLimitRps ?? null,
    handOff: false,
    parked: (endpoint?.disabledReason ?? null) === null ? null : 'endpoint_disabled',
  }
}
