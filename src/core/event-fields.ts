/**
 * What an event says besides its topic and its payload. Each of these is passed on as it is, from whoever publishes the
 * event to whoever reads it, and all that only passes them on goes by this table: requests, plans, messages between
 * threads, the columns and statements of both stores, the copy from one store to the other, and the API's answers.
 */
import type { DirectRequest } from './direct-request.ts'
import { type IdPrefix, idPrefixes } from './id-prefixes.ts'
import type { TraceContext } from './trace-context.ts'

export interface EventFields {
  readonly metadata: Readonly<Record<string, string>> | null
  readonly orderingKey: string | null
  /** Null: published by a program, in a transaction, or with an admin token. */
  readonly producerKeyId: string | null
  /** Of a scheduled event: before this time, on the store's line, none of its deliveries is due. Null: due at once. */
  readonly deliverAt: number | null
  /** Null: its publisher was in no trace. */
  readonly traceContext: TraceContext | null
  /** Of a direct send, which has no topic. Null: it was published. */
  readonly request: DirectRequest | null
  /** Subscriptions whose topics it has, and whose filter did not let it through. Null: none. */
  readonly filteredSubscriptions: number | null
  /** Its publisher gave an idempotency key, which is kept apart from it. */
  readonly hasIdempotencyKey: boolean
}

/** Of an event that was not published with a producer key. */
export const ofNoProducer = { producerKeyId: null } as const satisfies Partial<EventFields>

export type EventFieldName = keyof EventFields

interface EventField {
  /** In the stores, and as the API calls it. */
  readonly column: string
  /** A `flag` that is not set is kept as null, which takes no bytes on PostgreSQL and one on SQLite. */
  readonly kind: 'text' | 'json' | 'time' | 'count' | 'flag' | { readonly id: IdPrefix }
  /**
   * Can be given inside a caller's transaction: the table `outbox` and the function `accept_event` have it too.
   * `worked out`: only the table has it, and the function works it out from what else it is given.
   */
  readonly inTransactions: boolean | 'worked out'
}

export const eventFields = {
  metadata: { column: 'metadata', kind: 'json', inTransactions: true },
  orderingKey: { column: 'ordering_key', kind: 'text', inTransactions: true },
  producerKeyId: { column: 'producer_key_id', kind: { id: idPrefixes.producerKey }, inTransactions: false },
  deliverAt: { column: 'deliver_at', kind: 'time', inTransactions: true },
  traceContext: { column: 'trace_context', kind: 'json', inTransactions: true },
  request: { column: 'request', kind: 'json', inTransactions: false },
  filteredSubscriptions: { column: 'filtered_subscriptions', kind: 'count', inTransactions: false },
  hasIdempotencyKey: { column: 'has_idempotency_key', kind: 'flag', inTransactions: 'worked out' },
} as const satisfies Readonly<Record<EventFieldName, EventField>>

/** For messages between threads, where naming the fields costs half as much as asking the table. */
export function addEventFields(list: unknown[], event: EventFields): void {
  list.push(event.metadata, event.orderingKey, event.producerKeyId, event.deliverAt, event.traceContext)
  list.push(event.request, event.filteredSubscriptions, event.hasIdempotencyKey)
}

export function nextEventFields(list: { next<Value>(): Value }): EventFields {
  return {
    metadata: list.next(),
    orderingKey: list.next(),
    producerKeyId: list.next(),
    deliverAt: list.next(),
    traceContext: list.next(),
    request: list.next(),
    filteredSubscriptions: list.next(),
    hasIdempotencyKey: list.next(),
  }
}

type Fields = typeof eventFields

/** In the order of the columns. */
export const eventFieldNames = Object.keys(eventFields) as readonly EventFieldName[]

export type TransactionalFieldName = {
  [Name in EventFieldName]: Fields[Name]['inTransactions'] extends true ? Name : never
}[EventFieldName]

export const transactionalFieldNames = eventFieldNames.filter(
  (name): name is TransactionalFieldName => eventFields[name].inTransactions === true,
)

export type EventFieldColumn = Fields[EventFieldName]['column']

/** The fields under the names of their columns, as the API shows them. */
export type ShownEventFields = {
  readonly [Name in EventFieldName as Fields[Name]['column']]: EventFields[Name]
}

export function showEventFields(event: EventFields): ShownEventFields {
  const shown = eventFieldNames.map((name) => [eventFields[name].column, event[name]])
  return Object.fromEntries(shown) as ShownEventFields
}
