import type {
  Attempt,
  DeadLetter,
  Delivery,
  DeliveryState,
  ErrorClass,
  OutboundEvent,
} from '../../core/model.ts'

export interface PageRequest {
  /** Rows at most, 1 to 200. */
  readonly limit: number
  /** `nextCursor` of the page before; null or empty for the first. An unreadable one is `bad_cursor`. */
  readonly cursor: string | null
}

/**
 * Newest first, by id, where nothing else is said. Where few rows of very many match, a page of events, deliveries or dead
 * letters ends when it has read enough: with fewer items than its limit, or none.
 */
export interface Page<T> {
  readonly items: readonly T[]
  /** Empty at the end, and only there. */
  readonly nextCursor: string
}

export interface EventFilter {
  readonly topic?: string
  /** With a topic that begins like this; empty: with any topic, which a direct send has not. */
  readonly topicPrefix?: string
  readonly orderingKey?: string
  /** All of these, with exactly these values. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Of its first 100 deliveries one at least is in this state. */
  readonly deliveryState?: DeliveryState
  /** Created at or after, before: milliseconds since the epoch. */
  readonly since?: number
  readonly until?: number
}

/** A page of events. */
export interface EventListing extends Page<OutboundEvent> {
  /** Where few match, how far back this page has looked: milliseconds since the epoch. Null: it is full, or the last. */
  readonly searchedUntil: number | null
}

export interface DeliveryFilter {
  readonly state?: DeliveryState
  /** Of the last attempt, where that failed: none of those that succeeded. */
  readonly errorClass?: ErrorClass
  readonly endpointId?: string
  readonly subscriptionId?: string
  readonly eventId?: string
  readonly topic?: string
  readonly since?: number
  readonly until?: number
}

export interface DeadLetterFilter {
  /** Why it was given up. */
  readonly errorClass?: ErrorClass
  readonly endpointId?: string
  readonly topic?: string
  /** Given up at or after, before. */
  readonly since?: number
  readonly until?: number
}

/** How many dead letters were given up for which error. */
export interface DeadLetterReasons {
  /** The most frequent first. */
  readonly reasons: readonly { readonly errorClass: ErrorClass; readonly count: number }[]
  /** False: there may be more than were looked at, and these are the newest. */
  readonly isComplete: boolean
}

export interface StoreCounts {
  /** Deliveries by state, of all tenants. */
  readonly deliveries: Readonly<Record<DeliveryState, number>>
  /** Age of the oldest delivery that is due and not in flight; null: none. */
  readonly oldestDueMs: number | null
}

export interface ReadStore {
  getEvent(tenantId: string, id: string): Promise<OutboundEvent | null>
  listEvents(tenantId: string, filter: EventFilter, page: PageRequest): Promise<EventListing>
  getPayload(tenantId: string, eventId: string): Promise<Uint8Array | null>
  /**
   * Oldest first, by id: those that are kept, and of an event that is `accepted` those that were made so far.
   * Limits are 1 to 1000.
   */
  listDeliveriesOfEvent(tenantId: string, eventId: string, page: PageRequest): Promise<Page<Delivery>>
  getDelivery(tenantId: string, id: string): Promise<Delivery | null>
  listDeliveries(tenantId: string, filter: DeliveryFilter, page: PageRequest): Promise<Page<Delivery>>
  /** Ordered by delivery and claim version; without capture `response` is null. */
  listAttempts(
    deliveryIds: readonly string[],
    options: { readonly withCapture: boolean },
  ): Promise<readonly Attempt[]>
  listDeadLetters(tenantId: string, filter: DeadLetterFilter, page: PageRequest): Promise<Page<DeadLetter>>
  /** Of the newest 10 000 dead letters those that match. */
  countDeadLetterReasons(tenantId: string, filter: DeadLetterFilter): Promise<DeadLetterReasons>
  counts(): Promise<StoreCounts>
}
