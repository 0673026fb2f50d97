/**
 * Ordered subscriptions. Deliveries of one subscription whose events have the same ordering key stand in a line, in the
 * order in which their publishes were committed: only its head is due or in flight, the others are parked as
 * `behind_head`. A head that waits (for a retry, a pause, a rate, its time, an endpoint that is disabled) keeps its line
 * waiting; one that was dead-lettered blocks it until it is replayed, which makes it the due head again, or skipped.
 * Whatever else ends a delivery takes it out of its line. The rules of `../port.ts` hold.
 */
import type { DeliveryState } from '../../core/model.ts'
import type { Page, PageRequest } from './reading.ts'

/** A line that is not empty. */
export interface OrderedKey {
  readonly tenantId: string
  readonly subscriptionId: string
  readonly endpointId: string
  readonly orderingKey: string
  readonly headDeliveryId: string
  /** Of the head. */
  readonly headState: DeliveryState
  /** When its head was dead-lettered, milliseconds since the epoch; null: it is not blocked. */
  readonly blockedSince: number | null
  /** Deliveries in the line, a blocked head included. */
  readonly length: number
  /** When the oldest delivery behind the head was made; null: there is none. */
  readonly oldestSuccessorAt: number | null
}

export interface OrderedKeyFilter {
  /** True: only blocked ones; false: only the others. */
  readonly blocked?: boolean
  readonly subscriptionId?: string
  readonly orderingKey?: string
}

/** Names the line of one ordering key in one subscription. */
export interface LineName {
  readonly subscriptionId: string
  readonly orderingKey: string
}

export interface OrderedCounts {
  /** Keys whose head is dead-lettered, of all tenants. */
  readonly blocked: number
  /** Deliveries that stand in lines of all tenants, their heads included. */
  readonly waiting: number
}

export type SkipResult =
  | {
      readonly kind: 'skipped'
      /** Who became the head then; null: nobody stood behind. A repeated skip is answered as the first one was. */
      readonly nextHeadDeliveryId: string | null
      /** Of what has become due, if something has. */
      readonly targetId: string | null
    }
  | { readonly kind: 'not_found' }
  /** It is no dead letter, or not the head of a line. */
  | { readonly kind: 'not_skippable'; readonly state: DeliveryState }

export interface OrderingStore {
  /** A dead-lettered head becomes `skipped` for good, with the reason as its last error, and the next one due. Atomic. */
  skipDelivery(tenantId: string, deliveryId: string, reason: string): Promise<SkipResult>
  /** By subscription and then by key, both ascending (keys by their bytes). */
  listOrderedKeys(tenantId: string, filter: OrderedKeyFilter, page: PageRequest): Promise<Page<OrderedKey>>
  /** The head of each line, in their order, in one read; null: the line is empty. */
  findHeads(tenantId: string, lines: readonly LineName[]): Promise<readonly (string | null)[]>
  countOrderedKeys(): Promise<OrderedCounts>
}
