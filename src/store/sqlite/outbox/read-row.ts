/** What a row of an outbox says, checked as `publish` checks an event. Any program may have written it. */
import { OuthookError } from '../../../core/errors.ts'
import { checkJsonBytes } from '../../../core/exact-json.ts'
import { effectiveOrderingKey, validateIdempotencyKey } from '../../../core/idempotency.ts'
import { parseMetadata } from '../../../core/metadata.ts'
import { limits } from '../../../core/model.ts'
import type { Schedule } from '../../../core/schedule.ts'
import { checkProducerTopic } from '../../../core/topics.ts'
import { readTraceContext } from '../../../core/trace-context.ts'
import type { OutboxRow, RefusedOutboxRow } from '../../port.ts'

/** As it is selected: every column but the payload cast to text and cut behind what it may be. */
export interface SelectedRow {
  readonly place: string
  readonly id: string
  readonly tenant: string | null
  readonly topic: string
  readonly idempotency_key: string | null
  readonly ordering_key: string | null
  readonly metadata: string | null
  /** Milliseconds since the epoch; null: what stands there is no time, if anything does. */
  readonly deliver_at: number | null
  readonly has_deliver_at: number
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** Null: it is larger than any may be. Text only where the file's text is not UTF-8. */
  readonly payload: Uint8Array | string | null
}

export function readRow(row: SelectedRow): OutboxRow | RefusedOutboxRow {
  const { place, id } = row
  try {
    return { place, id, ...readEvent(row) }
  } catch (error) {
    if (!(error instanceof OuthookError)) throw error
    return { place, id, error: `${error.code}: ${error.message}` }
  }
}

function readEvent(row: SelectedRow): Omit<OutboxRow, 'place' | 'id'> {
  const topic = checkProducerTopic(row.topic)
  // It is the idempotency key where the row has no other.
  checkRowId(row.id)
  if (row.idempotency_key !== null) validateIdempotencyKey(row.idempotency_key)
  const metadata = parseMetadata(row.metadata === null ? null : parseJson(row.metadata))
  if (row.payload === null) throw tooLarge()
  const { bytes, value } = checkJsonBytes(row.payload)
  if (bytes.length > limits.maxPayloadBytes) throw tooLarge()
  return {
    tenant: row.tenant,
    topic,
    payload: bytes,
    metadata,
    orderingKey: effectiveOrderingKey(row.ordering_key, value, 'ordering_key'),
    idempotencyKey: row.idempotency_key,
    schedule: scheduleOf(row),
    traceContext: readTraceContext(row.traceparent, row.tracestate),
  }
}

function scheduleOf({ deliver_at: at, has_deliver_at: isGiven }: SelectedRow): Schedule | null {
  if (isGiven === 0) return null
  if (at !== null) return { at }
  throw new OuthookError('invalid_request', 'deliver_at must be a time such as 2026-12-24T18:00:00Z')
}

function checkRowId(id: string): void {
  try {
    validateIdempotencyKey(id)
  } catch (cause) {
    const most = limits.maxIdempotencyKeyBytes
    throw new OuthookError('invalid_request', `id must be 1 to ${most} bytes of printable text`, { cause })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const message = `metadata must be a JSON object of short strings, and is not JSON (${(cause as Error).message})`
    throw new OuthookError('invalid_request', message, { cause })
  }
}

function tooLarge(): OuthookError {
  return new OuthookError('payload_too_large', 'payload is capped at 256KB')
}
