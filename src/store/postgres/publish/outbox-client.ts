/** The connection of a caller: whose settings, parsers and errors are the caller's own. */
import { OuthookError } from '../../../core/errors.ts'
import type { OutboxEvent, OutboxResult, TransactionClient } from '../../port.ts'
import { quoteName } from '../connection/schema.ts'
import { inOrder, now, query, type Values } from '../connection/statement.ts'
import { sqlState } from '../connection/store-error.ts'
import { acceptedColumns, acceptedLists, acceptedParameters, acceptedValues } from '../rows/event-fields.ts'
import { BytesParameter, uuidOfId } from '../rows/wire-types.ts'

export interface OutboxTarget {
  readonly schema: string
  /** Says which database it is. */
  readonly storeId: string | null
  readonly moment: number
}

interface AcceptRow {
  readonly nth: string
  readonly outcome: 'accepted' | 'replayed' | 'conflict' | 'held' | 'other_store' | 'refused'
  /** When refused, why. */
  readonly event_id: string | null
}

/** All in one round trip. Results in the order of the events. */
export async function acceptInTransaction(
  client: TransactionClient,
  events: readonly OutboxEvent[],
  target: OutboxTarget,
): Promise<readonly OutboxResult[]> {
  await checkTransaction(client)
  const ordered = inKeyOrder(events)
  const statement = acceptStatement(target.schema)
  const values = inOrder(statement, acceptValues(ordered, target.storeId), target.moment)
  const rows = await queryAsCaller(client, statement.text, values)
  const results = new Map<OutboxEvent, OutboxResult>()
  for (const row of rows as readonly AcceptRow[]) {
    results.set(ordered[Number(row.nth) - 1] as OutboxEvent, toResult(row))
  }
  return events.map((event) => results.get(event) as OutboxResult)
}

/**
 * A status says so at once; older drivers have to ask. A pool has no status either, and each of its queries may run on
 * another connection: there the question fails.
 */
async function checkTransaction(client: TransactionClient): Promise<void> {
  if (client.getTransactionStatus?.() === 'T') return
  try {
    await client.query('savepoint outhook_publish; release savepoint outhook_publish')
  } catch (error) {
    const state = sqlState(error)
    if (state === '25P01') {
      throw new OuthookError(
        'invalid_request',
        'the client has no open transaction; await its "begin" first, on one connection (a pool has many), and ' +
          'publish before "commit"',
        { cause: error },
      )
    }
    throw state === '25P02' ? failedTransaction(error) : error
  }
}

function failedTransaction(cause: unknown): OuthookError {
  return new OuthookError(
    'invalid_request',
    'a statement of the transaction has failed before, so it takes no more; roll it back',
    { cause },
  )
}

/** Two transactions with the same keys wait for each other and never in a circle. */
function inKeyOrder(events: readonly OutboxEvent[]): readonly OutboxEvent[] {
  const keyOf = (event: OutboxEvent): string => event.idempotency?.key ?? ''
  return events.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : keyOf(a) > keyOf(b) ? 1 : 0))
}

const acceptParameters = {
  store: 'text',
  ids: 'uuid[]',
  tenants: 'text[]',
  topics: 'text[]',
  payloads_at: 'integer[]',
  payload_lengths: 'integer[]',
  keys: 'text[]',
  ttls: 'bigint[]',
  bytes: 'bytea',
  ...acceptedParameters,
} as const

/** Named in full, because the caller's search path is the caller's. */
function acceptStatement(schema: string) {
  const fields = acceptedColumns.map((column) => `${column} => e.${column}`)
  return query<AcceptRow>()(
    null,
    acceptParameters,
    `
select e.nth::text, a.outcome, a.event_id
from unnest($ids, $tenants, $topics, $payloads_at, $payload_lengths, $keys, $ttls, ${acceptedLists})
  with ordinality as e (id, tenant, topic, payload_at, payload_bytes, key, ttl_ms, ${acceptedColumns.join(', ')}, nth),
  lateral ${quoteName(schema)}.accept_event(store => $store, new_id => e.id, tenant => e.tenant, topic => e.topic,
    payload => substring($bytes from e.payload_at for e.payload_bytes), idempotency_key => e.key, ttl_ms => e.ttl_ms,
    moment => ${now}, ${fields.join(', ')}) a`,
  )
}

function acceptValues(
  events: readonly OutboxEvent[],
  storeId: string | null,
): Values<typeof acceptParameters> {
  const bytes = new BytesParameter()
  const payloadsAt = events.map((event) => bytes.add(event.payload))
  return {
    store: storeId,
    ids: events.map((event) => uuidOfId(event.id)),
    tenants: events.map((event) => event.tenantId),
    topics: events.map((event) => event.topic),
    payloads_at: payloadsAt,
    payload_lengths: events.map((event) => event.payload.byteLength),
    keys: events.map((event) => event.idempotency?.key ?? null),
    ttls: events.map((event) => event.idempotency?.ttlMs ?? 0),
    bytes: bytes.value(),
    ...acceptedValues(events),
  }
}

async function queryAsCaller(
  client: TransactionClient,
  text: string,
  values: unknown[],
): Promise<readonly unknown[]> {
  try {
    return (await client.query(text, values)).rows
  } catch (error) {
    const state = sqlState(error)
    // No such function, schema or right to use it.
    if (state === '42883' || state === '3F000' || state === '42501') throw otherDatabase(error)
    if (state === '22023' && error instanceof Error) {
      throw new OuthookError('invalid_request', `the database refused the event: ${error.message}`, {
        cause: error,
      })
    }
    throw state === '25P02' ? failedTransaction(error) : error
  }
}

function toResult({ outcome, event_id: eventId }: AcceptRow): OutboxResult {
  if (outcome === 'other_store') throw otherDatabase()
  if (outcome === 'held') return { kind: 'key_held' }
  if (outcome === 'refused') return { kind: outcome, problem: eventId ?? '' }
  return outcome === 'accepted' ? { kind: outcome } : { kind: outcome, eventId: eventId ?? '' }
}

function otherDatabase(cause?: unknown): OuthookError {
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  return new OuthookError(
    'invalid_request',
    `the client's transaction cannot reach the store that this Outhook uses${reason}; connect it to the same ` +
      'database, as a role that may use the schema of the store',
    { cause },
  )
}
