import type { EventFields } from '../../core/event-fields.ts'
import type { Schedule } from '../../core/schedule.ts'

/** Names one row of an outbox in a SQLite file of the caller's. */
export interface OutboxRowKey {
  /** In the order of relaying, as text: it may be any 64-bit integer. */
  readonly place: string
  readonly id: string
}

/** A row that says what an event has to say. Whether its tenant exists is for the store to know. */
export interface OutboxRow
  extends OutboxRowKey,
    Pick<EventFields, 'metadata' | 'orderingKey' | 'traceContext'> {
  /** Id or uid. */
  readonly tenant: string | null
  readonly topic: string
  /** Exact JSON. */
  readonly payload: Uint8Array
  readonly idempotencyKey: string | null
  /** Null: its deliveries are due at once. */
  readonly schedule: Schedule | null
}

/** A row that is no event, and why. */
export interface RefusedOutboxRow extends OutboxRowKey {
  readonly error: string
}

export interface OutboxQuery {
  /** Only rows behind this place; null: from the first. */
  readonly after: string | null
  /** Rows of these tenants are left out; null among them stands for rows that name none. */
  readonly without: readonly (string | null)[]
  /** Answers null when nothing was committed to the file since it had this version. */
  readonly unlessVersion: string | null
}

export interface OutboxRead {
  /** Of the file, before the rows were read. */
  readonly version: string
  readonly rows: readonly OutboxRow[]
  readonly refused: readonly RefusedOutboxRow[]
  /** Of the last row that was looked at; null: there is none behind `after`. */
  readonly last: string | null
}

export interface OutboxFinish {
  /** Removed. */
  readonly relayed: readonly OutboxRowKey[]
  /** Stay, with their error, and are not read again. */
  readonly refused: readonly RefusedOutboxRow[]
}

/**
 * The outbox in a SQLite file that belongs to the caller: it may be away, locked, damaged or replaced at any moment. Each
 * call opens it where it is not open, and rejects with `store_unavailable`, whose message says what is wrong and what to
 * do.
 */
export interface OutboxFile {
  /** Committed rows without an error, in their order, as many as make a batch. */
  read(query: OutboxQuery): Promise<OutboxRead | null>
  /** One transaction, the only one that takes the file's write lock. */
  finish(finish: OutboxFinish): Promise<void>
  close(): Promise<void>
}
