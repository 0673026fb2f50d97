/** Many events in as few requests as the server takes them in. */
import { pause } from './clock.ts'
import { type EventInput, toBatchEnvelope, traceHeadersOf } from './envelopes.ts'
import { ApiError, ClientError, RetryError } from './errors.ts'
import type { BatchResult } from './generated/types.ts'
import type { CallOptions, Requester } from './requester.ts'

/** What became of one event: accepted (`status` 202), or the members of its problem. */
export type SentEvent = BatchResult['items'][number]

type TraceHeaders = ReturnType<typeof traceHeadersOf>

/** The server's limits. */
const maxBatchEvents = 1000
const maxBatchBytes = 4 * 1024 * 1024

/** Again as soon as the server may take them: what it had no room for. */
const retryableStatuses = [429, 503]
const maxRounds = 4
const roundWaitMs = 1000

/**
 * In the order of the events. An event that is refused hinders no other, and what was accepted is always told: when the
 * server falls silent after some, the others have the error as theirs. It is thrown when none was accepted.
 */
export async function sendMany(
  requester: Requester,
  events: readonly EventInput[],
  options: CallOptions = {},
): Promise<readonly SentEvent[]> {
  const envelopes = events.map(toBatchEnvelope)
  const traces = events.map(traceHeadersOf)
  const results = new Map<number, SentEvent>()
  let open = [...envelopes.keys()]
  for (let round = 1; open.length > 0; round++) {
    for (const batch of batchesOf(open, envelopes, traces)) {
      const bodies = batch.map((index) => envelopes[index] ?? '')
      const headers = { ...traces[batch[0] ?? 0], ...options.headers }
      try {
        const { items } = await sendBatch(requester, bodies, { ...options, headers })
        for (const [place, index] of batch.entries()) results.set(index, items[place] ?? unanswered)
      } catch (error) {
        const hasAccepted = [...results.values()].some(({ status }) => status === accepted)
        if (!hasAccepted || !(error instanceof ClientError)) throw error
        return [...envelopes.keys()].map((index) => results.get(index) ?? toResult(error))
      }
    }
    open = open.filter((index) => retryableStatuses.includes(results.get(index)?.status ?? 0))
    if (open.length === 0 || round === maxRounds || options.retry?.maxRetries === 0) break
    await pause(roundWaitMs, options.signal)
  }
  return [...envelopes.keys()].map((index) => results.get(index) ?? unanswered)
}

const accepted = 202
const unanswered: SentEvent = { status: 503, title: 'not sent', detail: 'the server said nothing of it' }

function toResult(error: ClientError): SentEvent {
  const cause = error instanceof RetryError ? error.cause : error
  return { status: cause instanceof ApiError ? cause.status : 503, title: 'not sent', detail: error.message }
}

/** A trace context goes as headers of a request, so events of one batch have the same. */
function batchesOf(
  indexes: readonly number[],
  envelopes: readonly string[],
  traces: readonly TraceHeaders[],
): readonly (readonly number[])[] {
  const traceOf = (index: number): string => JSON.stringify(traces[index])
  const batches: number[][] = []
  let bytes = 0
  for (const index of indexes) {
    const size = new TextEncoder().encode(envelopes[index]).length + 1
    const last = batches.at(-1)
    const hasRoom =
      last !== undefined &&
      last.length < maxBatchEvents &&
      bytes + size <= maxBatchBytes - 100 &&
      traceOf(last[0] ?? 0) === traceOf(index)
    if (hasRoom) last.push(index)
    else batches.push([index])
    bytes = hasRoom ? bytes + size : size
  }
  return batches
}

/** Each event has a key of its own, so the request can be repeated. */
function sendBatch(
  requester: Requester,
  envelopes: readonly string[],
  options: CallOptions,
): Promise<BatchResult> {
  const { idempotencyKey: _, ...others } = options
  return requester.json({
    method: 'POST',
    path: '/v1/events/batch',
    body: `{"events":[${envelopes.join(',')}]}`,
    takesTenant: true,
    isRepeatable: true,
    options: others,
  })
}
