/** A delivery as its users see it: one that waits behind the head of its ordering key says behind which. */
import type { Delivery } from '../core/model.ts'
import type { OrderingStore } from '../store/port.ts'

export interface DeliveryView extends Delivery {
  /** Of one that waits as `behind_head`: the delivery of its ordering key whose turn it is. */
  readonly headDeliveryId: string | null
}

type HeadStore = Pick<OrderingStore, 'listOrderedKeys'>

export async function viewDeliveries(
  store: HeadStore,
  tenantId: string,
  deliveries: readonly Delivery[],
): Promise<readonly DeliveryView[]> {
  const waiting = Map.groupBy(deliveries.filter(isBehindHead), lineOf)
  const heads = new Map<string, string | null>()
  await Promise.all(
    Array.from(waiting, async ([line, [one]]) => {
      if (one !== undefined) heads.set(line, await findHead(store, tenantId, one))
    }),
  )
  return deliveries.map((delivery) => {
    const head = isBehindHead(delivery) ? (heads.get(lineOf(delivery)) ?? null) : null
    // Its turn came between the two reads.
    return { ...delivery, headDeliveryId: head === delivery.id ? null : head }
  })
}

async function findHead(store: HeadStore, tenantId: string, delivery: Delivery): Promise<string | null> {
  const { subscriptionId, orderingKey } = delivery
  if (subscriptionId === null || orderingKey === null) return null
  const page = await store.listOrderedKeys(
    tenantId,
    { subscriptionId, orderingKey },
    { limit: 1, cursor: null },
  )
  return page.items[0]?.headDeliveryId ?? null
}

function isBehindHead({ reason }: Delivery): boolean {
  return reason === 'behind_head'
}

function lineOf({ subscriptionId, orderingKey }: Delivery): string {
  return `${subscriptionId} ${orderingKey}`
}
