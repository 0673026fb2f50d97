/** From a checked event to what is inserted: one delivery for each matching subscription. */
import type { IdFactory } from '../core/ids.ts'
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
    deliveries: planDeliveries(topic, routing, ids),
  }
}

/** Hand-offs are asked for later, when the event is about to be written. */
export function planDeliveries(
  topic: string,
  routing: TenantRouting,
  ids: IdFactory,
): readonly NewDelivery[] {
  const deliveries: NewDelivery[] = []
  for (const subscription of routing.fanOut.match(topic)) {
    const target = routing.targets.get(subscription.endpointId)
    if (target === undefined) continue
    deliveries.push({
      id: ids.next('dlv'),
      subscriptionId: subscription.id,
      endpointId: target.id,
      targetId: target.id,
      rateLimitRps: target.endpoint.rateLimitRps,
      handOff: false,
      parked: target.endpoint.disabledReason === null ? null : 'endpoint_disabled',
    })
  }
  return deliveries
}
