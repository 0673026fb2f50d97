/** A delivery as its users see it: one that waits behind the head of its ordering key says behind which. */
import type { Delivery } from '../core/model.ts'
import type { LineName, OrderingStore } from '../store/port.ts'

export interface DeliveryView extends Delivery {
  /** Of one that waits as `behind_head`: the delivery of its ordering key whose turn it is. */
  readonly headDeliveryId: string | null
}

export type HeadStore = Pick<OrderingStore, 'findHeads'>

export async function viewDeliveries(
  store: HeadStore,
  tenantId: string,
  deliveries: readonly Delivery[],
): Promise<readonly DeliveryView[]> {
  const lines = new Map(deliveries.flatMap(lineOf).map((line) => [nameOf(line), line]))
  const heads = lines.size === 0 ? [] : await store.findHeads(tenantId, [...lines.values()])
  const headOf = new Map(Array.from(lines.keys(), (name, index) => [name, heads[index] ?? null]))
  return deliveries.map((delivery) => {
    const [line] = lineOf(delivery)
    const head = line === undefined ? null : (headOf.get(nameOf(line)) ?? null)
    // Its turn came between the two reads.
    return { ...delivery, headDeliveryId: head === delivery.id ? null : head }
  })
}

/** Of one that waits behind others. */
function lineOf({ reason, subscriptionId, orderingKey }: Delivery): readonly LineName[] {
  const isBehind = reason === 'behind_head' && subscriptionId !== null && orderingKey !== null
  return isBehind ? [{ subscriptionId, orderingKey }] : []
}

function nameOf({ subscriptionId, orderingKey }: LineName): string {
  return `${subscriptionId} ${orderingKey}`
}
