import type { TransactionalFieldName } from '../../core/event-fields.ts'
import type { NewEvent } from './ingest.ts'

/** A connection with an open transaction: a `Client` of `pg`, or one that its pool gave. */
export interface TransactionClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
  /** Newer versions of `pg` have it: `T` within a transaction. */
  getTransactionStatus?(): string | null
}

export interface OutboxEvent
  extends Pick<NewEvent, 'id' | 'tenantId' | 'topic' | 'payload' | TransactionalFieldName> {
  readonly idempotency: { readonly key: string; readonly ttlMs: number } | null
}

export type OutboxResult =
  | { readonly kind: 'accepted' }
  /** As of `PublishResult`; the first use may be one of the same transaction. */
  | { readonly kind: 'replayed'; readonly eventId: string }
  | { readonly kind: 'conflict'; readonly eventId: string }
  /** Another transaction that is still open has used the key. */
  | { readonly kind: 'key_held' }
  /** The store takes no such event. Nothing was written, and the transaction goes on. */
  | { readonly kind: 'refused'; readonly problem: string }

/** An event whose transaction has committed and whose deliveries do not exist yet. */
export type AcceptedEvent = Pick<NewEvent, 'id' | 'tenantId' | 'orderingKey' | 'deliverAt'> & {
  readonly topic: string
  readonly payloadBytes: number
  /** In the order of publishing. */
  readonly place: string
}

/** By the ids of accepted events. */
export type AcceptedPayloads = ReadonlyMap<string, Uint8Array>

export type FanOutPlan = Pick<
  NewEvent,
  | 'id'
  | 'tenantId'
  | 'orderingKey'
  | 'deliverAt'
  | 'filteredSubscriptions'
  | 'routingVersion'
  | 'deliveries'
  | 'receivers'
>

export interface FanOutResult {
  /** Events that were fanned out. */
  readonly count: number
  /** Tenants whose routing is newer than planned with; their events stay. */
  readonly stale: readonly string[]
  /** Events that stay until an earlier one of their ordering key is fanned out. */
  readonly held: readonly string[]
}

export interface OutboxStore {
  /**
   * Puts events and their idempotency keys into the outbox, in the client's transaction: they exist if and when it
   * commits. Errors: invalid_request (no transaction, another database); those of the client come through as they
   * are, because its owner decides by them whether to try the transaction again.
   */
  accept(client: TransactionClient, events: readonly OutboxEvent[]): Promise<readonly OutboxResult[]>
  /** How long the SQL function's idempotency keys are remembered: the last node to say so decides. 24 h until then. */
  setKeyTtl(ms: number): Promise<void>
  /** What waits for its fan-out, in the order of publishing, behind `after` (null: from the first). */
  listAccepted(limit: number, after?: string | null): Promise<readonly AcceptedEvent[]>
  /** Of events that wait for their fan-out; one that waits no longer is left out. */
  readAccepted(eventIds: readonly string[]): Promise<AcceptedPayloads>
  /**
   * Writes events, payloads, deliveries and ready rows and removes the events from the outbox, in one transaction,
   * and one caller at a time: another's does nothing. No hand-off is granted. An event with `receivers` is `accepted` on,
   * and fanned out by `fanOutSlice`.
   */
  fanOut(plans: readonly FanOutPlan[]): Promise<FanOutResult>
}
