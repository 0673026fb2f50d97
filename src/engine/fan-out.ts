/** From a checked event to what is inserted: one delivery for each matching subscription. */
import type { IdFactory } from '../core/ids.ts'
import type { TenantRouting } from '../delivery/routing-cache.ts'
import type { NewDelivery, NewEvent, NewIdempotencyKey } from '../store/port.ts'

export interface FanOutInput
  extends Pick<NewEvent, 'tenantId' | 'topic' | 'payload' | 'metadata' | 'orderingKey' | 'producerKeyId'> {
  readonly idempotency: NewIdempotencyKey | null
}

/** Hand-offs are asked for later, when the event is about to be written. */
export function fanOut(input: FanOutInput, routing: TenantRouting, ids: IdFactory): NewEvent {
  const { tenantId, topic, payload, metadata, orderingKey, producerKeyId, idempotency } = input
  const id = ids.next('evt')
  const deliveries: NewDelivery[] = []
  for (const subscription of routing.fanOut.match(topic)) {
    const target = routing.targets.get(subscription.endpointId)
    if (target === undefined) continue
    deliveries.push({
      id: ids.next('dlv'),
      subscriptionId: subscription.id,
      endpointId: target.id,
      targetId: target.id,
      handOff: false,
      parked: target.endpoint.disabledReason === null ? null : 'endpoint_disabled',
    })
  }
  return {
    id,
    tenantId,
    topic,
    payload,
    metadata,
    orderingKey,
    producerKeyId,
    idempotency,
    routingVersion: routing.version,
    deliveries,
  }
}
