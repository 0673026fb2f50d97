import type { TraceContext } from '../../../core/trace-context.ts'

/**
 * The outbox in somebody else's SQLite file: one table, into which their own transactions write. Its words are those that
 * every version of SQLite of the last ten years knows, because any program in any language may run them.
 */
export const outboxTable = 'outhook_outbox'

/** They came later: a table may lack them. */
export const traceColumns = ['traceparent', 'tracestate'] as const

/** Adds them. */
export const addTraceColumnsSql = traceColumns
  .map((column) => `alter table ${outboxTable} add column ${column} text`)
  .join('; ')

/** What `publishInto` needs of a database: `DatabaseSync` of `node:sqlite` and `Database` of `better-sqlite3` have it. */
export interface SqliteDatabase {
  prepare(sql: string): { run(...values: (string | null)[]): unknown }
}

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const nowMs = `cast((julianday('now') - 2440587.5) * 86400000.0 as integer)`

/** One digit of an id, as `core/ids.ts` writes it. */
const digit = (value: string): string => `substr('${alphabet}', 1 + (${value}), 1)`
const randomDigit = digit('random() & 31')

/** A new event id, made by SQLite itself, so that a plain `insert` from any language has one. */
function newIdSql(): string {
  const time = [45, 40, 35, 30, 25, 20, 15, 10, 5, 0].map((bits) => digit(`${nowMs} >> ${bits} & 31`))
  // Version 7, and the variant of every UUID.
  const version = digit('14 + (random() & 1)')
  const variant = digit('8 + (random() & 19)')
  const random = (count: number): string[] => Array.from({ length: count }, () => randomDigit)
  return [`'evt_'`, ...time, version, ...random(2), variant, ...random(12)].join(' ||\n    ')
}

/**
 * The SQL that makes the outbox in a SQLite file of your own, for `publishInto` and for a plain `insert` from any
 * language. Where the table is there already it does nothing, so it can run at every start or as a migration.
 *
 * @example
 * const db = new DatabaseSync('app.db')
 * db.exec(outboxSql())
 */
export function outboxSql(): string {
  return `create table if not exists ${outboxTable} (
  -- The order of relaying.
  seq integer primary key,
  -- The event's id, and the key by which it is relayed once.
  id text not null unique default (${newIdSql()}),
  topic text not null,
  -- Id or uid; null: the tenant "default".
  tenant text,
  idempotency_key text,
  ordering_key text,
  -- A JSON object of short strings.
  metadata text,
  -- No delivery is made before: a time as SQLite's functions take it, in UTC unless it says its zone.
  deliver_at text,
  -- W3C's trace context of whoever publishes; malformed, it counts as none.
  traceparent text,
  tracestate text,
  created_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  -- Why the row was set aside; null: it waits to be relayed.
  error text,
  -- JSON, as text or blob: the bytes that are delivered.
  payload not null
);
create index if not exists ${outboxTable}_waiting on ${outboxTable} (seq) where error is null;
`
}

export interface NewOutboxRow {
  readonly id: string
  readonly topic: string
  readonly tenant: string | null
  readonly idempotencyKey: string | null
  readonly orderingKey: string | null
  /** JSON, as is `payload`. */
  readonly metadata: string | null
  readonly payload: string
  /** A time of RFC 3339; null: at once. */
  readonly deliverAt: string | null
  readonly traceContext: TraceContext | null
}

/** In the transaction that is open on the database. Returns and throws what its driver does. */
export function insertOutboxRow(db: SqliteDatabase, row: NewOutboxRow): unknown {
  const { id, topic, tenant, idempotencyKey, orderingKey, metadata, payload, deliverAt, traceContext } = row
  // Without a trace its columns are not named: a table that was made before there were any has none.
  const trace = traceContext === null ? [] : [traceContext.traceparent, traceContext.tracestate ?? null]
  const values = [id, topic, tenant, idempotencyKey, orderingKey, metadata, payload, deliverAt, ...trace]
  return db
    .prepare(
      `insert into ${outboxTable} (id, topic, tenant, idempotency_key, ordering_key, metadata, payload, deliver_at
         ${traceContext === null ? '' : `, ${traceColumns.join(', ')}`})
       values (${values.map(() => '?').join(', ')})`,
    )
    .run(...values)
}
