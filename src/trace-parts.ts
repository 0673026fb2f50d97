/**
 * Puts spans around the parts of the engine from outside, where somebody traces; without that they are used as they are,
 * and a delivery costs what it does without tracing.
 */
import type { Clock } from './core/clock.ts'
import type { TraceContext } from './core/trace-context.ts'
import { readTraceContext } from './core/trace-context.ts'
import type { Engine } from './engine/engine.ts'
import type { PublishReceipt, PublishRequest, SendRequest } from './engine/publish.ts'
import type { PublishedSpan, Tracing } from './observability/tracing.ts'
import type { AttemptRequest, AttemptResult, Sender } from './sender/port.ts'
import type { Store } from './store/port.ts'

type Publishing = Engine['publisher']
type TransactionalPublishing = Engine['transactionalPublisher']

export function tracePublisher(publisher: Publishing, tracing: Tracing | null): Publishing {
  if (tracing === null) return publisher
  const publish = async (request: PublishRequest | SendRequest): Promise<PublishReceipt> => {
    const span = tracing.startPublish(request)
    try {
      const receipt = await publisher.publish({ ...request, traceContext: span.traceContext })
      end(span, receipt)
      return receipt
    } catch (error) {
      span.failed(error)
      throw error
    }
  }
  return { publish, publishMany: (requests) => Promise.allSettled(requests.map(publish)) }
}

/** The span says that the event became part of the transaction, not that this was committed. */
export function traceTransactionalPublisher(
  publisher: TransactionalPublishing,
  tracing: Tracing | null,
): TransactionalPublishing {
  if (tracing === null) return publisher
  return {
    async publishMany(client, requests) {
      const spans = requests.map((request) => tracing.startPublish(request))
      const traced = requests.map((request, index) => ({
        ...request,
        traceContext: spans[index]?.traceContext ?? null,
      }))
      try {
        const results = await publisher.publishMany(client, traced)
        results.forEach((result, index) => {
          const span = spans[index] as PublishedSpan
          if (result.status === 'fulfilled') end(span, result.value)
          else span.failed(result.reason)
        })
        return results
      } catch (error) {
        for (const span of spans) span.failed(error)
        throw error
      }
    },
  }
}

function end(span: PublishedSpan, { eventId, deliveryIds, replayed }: PublishReceipt): void {
  span.ended({ eventId, deliveries: deliveryIds.length, replayed })
}

export function traceStore(store: Store, tracing: Tracing, clock: Pick<Clock, 'now'>): Store {
  const claim: Store['claim'] = async (request) => {
    const startedAt = clock.now()
    const claimed = await store.claim(request)
    if (claimed.deliveries.length > 0) tracing.claimed(startedAt, claimed.deliveries)
    return claimed
  }
  const recordOutcomes: Store['recordOutcomes'] = async (outcomes, breaker) => {
    const startedAt = clock.now()
    const ids = outcomes.map(({ deliveryId }) => deliveryId)
    try {
      const result = await store.recordOutcomes(outcomes, breaker)
      tracing.recorded(startedAt, ids)
      return result
    } catch (error) {
      tracing.recorded(startedAt, ids, error)
      throw error
    }
  }
  const traced: Readonly<Record<PropertyKey, unknown>> = { claim, recordOutcomes }
  return new Proxy(store, {
    get(target, name) {
      if (Object.hasOwn(traced, name)) return traced[name]
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

export interface SenderTracing {
  readonly tracing: Tracing | null
  /** Whether receivers are told of the trace. */
  readonly passesTrace: boolean
}

/** The trace of the event comes in the headers of the request, and leaves with them as that of the attempt. */
export function traceSender(sender: Sender, { tracing, passesTrace }: SenderTracing): Sender {
  if (tracing === null && passesTrace) return sender
  return {
    totalTimeoutMs: sender.totalTimeoutMs,
    close: (options) => sender.close(options),
    async attempt(request) {
      const { headers } = request
      const published = readTraceContext(headers.traceparent, headers.tracestate)
      if (tracing === null) return sender.attempt(withTrace(request, null))
      const span = tracing.startAttempt({
        traceContext: published,
        url: request.destination.url,
        method: request.method,
        eventId: headers['outhook-event-id'] ?? '',
        deliveryId: headers['outhook-delivery-id'] ?? '',
        attemptNo: Number(headers['outhook-attempt'] ?? 1),
      })
      const result = await sender.attempt(withTrace(request, passesTrace ? span.traceContext : null))
      span.ended({ httpStatus: result.httpStatus, errorClass: errorOf(result) })
      return result
    },
  }
}

function withTrace(request: AttemptRequest, context: TraceContext | null): AttemptRequest {
  const { traceparent, tracestate, ...headers } = request.headers
  return { ...request, headers: { ...headers, ...context } }
}

function errorOf(result: AttemptResult): string | null {
  if (result.kind === 'failure') return result.errorClass
  return result.httpStatus >= 200 && result.httpStatus < 300 ? null : `http_${result.httpStatus}`
}
