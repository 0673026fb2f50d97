/**
 * Spans for OpenTelemetry: names and attributes in one place. Only `openTracing` loads the API of OpenTelemetry, and it
 * does so only where an SDK is registered or given, so that nobody else pays for it.
 *
 * Every span of a delivery is in the trace of whoever published its event, whatever time has passed and whichever
 * process makes the attempt: the context of the publish span is kept with the event. Attempts are children of the
 * publish span and linked to it. Claims and records are about many deliveries at once, so they are roots of their own,
 * linked to the publish spans and the attempts that they are about.
 */
import type {
  Attributes,
  Context,
  ContextManager,
  Link,
  Span,
  SpanContext,
  Tracer,
  TracerProvider,
} from '@opentelemetry/api'
import { readTraceContext, type TraceContext, traceIdOf } from '../core/trace-context.ts'

type Api = typeof import('@opentelemetry/api')

/** Where every copy of OpenTelemetry's API, of whatever version 1, keeps what was registered. */
const registry = Symbol.for('opentelemetry.js.api.1')

interface Registered {
  readonly trace?: TracerProvider
  readonly context?: ContextManager
}

function findRegistered(): Registered {
  return (globalThis as { readonly [registry]?: Registered })[registry] ?? {}
}

/**
 * Null where nobody traces: no SDK is registered, and no provider given. The registry is read without the API, which
 * ours would refuse to do where the SDK's copy is an older one.
 */
export async function openTracing(version: string, given?: TracerProvider | null): Promise<Tracing | null> {
  const provider = given ?? findRegistered().trace
  if (provider === undefined) return null
  return new Tracing(await import('@opentelemetry/api'), provider.getTracer('outhook', version))
}

/** Attempts whose outcome is not recorded; the oldest are forgotten beyond it. */
const maxAttemptsKept = 10_000
/** As many links as SDKs keep of a span. */
const maxLinks = 128

export interface PublishedSpan {
  /** Of the span; to be kept with the event. Null where the SDK makes none. */
  readonly traceContext: TraceContext | null
  ended(result: { readonly eventId: string; readonly deliveries: number; readonly replayed: boolean }): void
  failed(error: unknown): void
}

export interface AttemptSpan {
  /** What the receiver is told. */
  readonly traceContext: TraceContext | null
  ended(result: { readonly httpStatus: number | null; readonly errorClass: string | null }): void
}

export class Tracing {
  readonly #api: Api
  readonly #tracer: Tracer
  /** By delivery. */
  readonly #attempts = new Map<string, SpanContext>()

  constructor(api: Api, tracer: Tracer) {
    this.#api = api
    this.#tracer = tracer
  }

  /** In the active span's trace, unless the publisher names another one. */
  startPublish(event: {
    /** Null: a direct send. */
    readonly topic: string | null
    readonly tenantId: string
    readonly traceContext: TraceContext | null
  }): PublishedSpan {
    const { SpanKind } = this.#api
    const attributes = {
      'messaging.system': 'outhook',
      'messaging.operation.type': 'send',
      'messaging.operation.name': event.topic === null ? 'send' : 'publish',
      ...(event.topic !== null && { 'messaging.destination.name': event.topic }),
      'outhook.tenant.id': event.tenantId,
    }
    const parent = this.#parentOf(event.traceContext)
    const span = this.#tracer.startSpan(
      event.topic === null ? 'outhook.send' : 'outhook.publish',
      { kind: SpanKind.PRODUCER, attributes },
      parent,
    )
    return {
      traceContext: this.#toTraceContext(span.spanContext()) ?? event.traceContext,
      ended: ({ eventId, deliveries, replayed }) => {
        span.setAttributes({
          'messaging.message.id': eventId,
          'outhook.deliveries': deliveries,
          'outhook.replayed': replayed,
        })
        span.end()
      },
      failed: (error) => this.#fail(span, error),
    }
  }

  startAttempt(attempt: {
    readonly traceContext: TraceContext | null
    readonly url: URL
    readonly method: string
    readonly eventId: string
    readonly deliveryId: string
    readonly attemptNo: number
  }): AttemptSpan {
    const { SpanKind, SpanStatusCode, ROOT_CONTEXT } = this.#api
    const { traceContext, url } = attempt
    const published = traceContext === null ? null : toSpanContext(traceContext, this.#api)
    const attributes: Attributes = {
      'messaging.system': 'outhook',
      'messaging.message.id': attempt.eventId,
      'http.request.method': attempt.method,
      // Not the path: it may be a credential.
      'server.address': url.hostname,
      'server.port': Number(url.port) || (url.protocol === 'http:' ? 80 : 443),
      'url.scheme': url.protocol.slice(0, -1),
      'outhook.delivery.id': attempt.deliveryId,
      'outhook.attempt_no': attempt.attemptNo,
      ...(attempt.attemptNo > 1 && { 'http.request.resend_count': attempt.attemptNo - 1 }),
    }
    const parent = published === null ? ROOT_CONTEXT : this.#contextOf(published)
    const links = published === null ? [] : [{ context: published }]
    const span = this.#tracer.startSpan(
      'outhook.attempt',
      { kind: SpanKind.CLIENT, attributes, links },
      parent,
    )
    this.#keepAttempt(attempt.deliveryId, span.spanContext())
    return {
      traceContext: this.#toTraceContext(span.spanContext()) ?? traceContext,
      ended: ({ httpStatus, errorClass }) => {
        if (httpStatus !== null) span.setAttribute('http.response.status_code', httpStatus)
        if (errorClass !== null) {
          span.setAttribute('error.type', errorClass)
          span.setStatus({ code: SpanStatusCode.ERROR, message: errorClass })
        }
        span.end()
      },
    }
  }

  /** A claim that gave something; `startedAt` is in milliseconds since the epoch. */
  claimed(startedAt: number, deliveries: readonly { readonly traceContext: TraceContext | null }[]): void {
    const published = deliveries.flatMap(({ traceContext }) =>
      traceContext === null ? [] : [toSpanContext(traceContext, this.#api)],
    )
    const attributes = {
      'messaging.system': 'outhook',
      'messaging.operation.type': 'receive',
      'messaging.operation.name': 'claim',
      'messaging.batch.message_count': deliveries.length,
    }
    this.#startBatch('outhook.claim', { startedAt, attributes, linked: published }).end()
  }

  /** `error` is undefined where the batch was written. */
  recorded(startedAt: number, deliveryIds: readonly string[], error?: unknown): void {
    const linked = deliveryIds.flatMap((id) => this.#attempts.get(id) ?? [])
    const attributes = {
      'messaging.system': 'outhook',
      'messaging.operation.type': 'settle',
      'messaging.operation.name': 'record',
      'messaging.batch.message_count': deliveryIds.length,
    }
    const span = this.#startBatch('outhook.record', { startedAt, attributes, linked })
    if (error !== undefined) {
      this.#fail(span, error)
      return
    }
    for (const id of deliveryIds) this.#attempts.delete(id)
    span.end()
  }

  #startBatch(
    name: string,
    about: {
      readonly startedAt: number
      readonly attributes: Attributes
      readonly linked: readonly SpanContext[]
    },
  ): Span {
    const links: Link[] = about.linked.slice(0, maxLinks).map((context) => ({ context }))
    const { startedAt: startTime, attributes } = about
    const options = { root: true, kind: this.#api.SpanKind.INTERNAL, startTime, attributes, links }
    return this.#tracer.startSpan(name, options, this.#api.ROOT_CONTEXT)
  }

  #fail(span: Span, error: unknown): void {
    const code = (error as { readonly code?: unknown } | null)?.code
    const type = typeof code === 'string' ? code : 'internal'
    span.setAttribute('error.type', type)
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: type })
    span.end()
  }

  /** The active span goes on where it is of the trace that the publisher names: it is the server's for that request. */
  #parentOf(given: TraceContext | null): Context {
    const { ROOT_CONTEXT, trace, isSpanContextValid } = this.#api
    const active = findRegistered().context?.active() ?? ROOT_CONTEXT
    if (given === null) return active
    const known = trace.getSpanContext(active)
    const isSame = known !== undefined && isSpanContextValid(known) && known.traceId === traceIdOf(given)
    return isSame ? active : this.#contextOf(toSpanContext(given, this.#api), active)
  }

  #contextOf(span: SpanContext, within: Context = this.#api.ROOT_CONTEXT): Context {
    return this.#api.trace.setSpanContext(within, span)
  }

  #toTraceContext(span: SpanContext): TraceContext | null {
    const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0')
    return readTraceContext(`00-${span.traceId}-${span.spanId}-${flags}`, span.traceState?.serialize())
  }

  #keepAttempt(deliveryId: string, span: SpanContext): void {
    this.#attempts.delete(deliveryId)
    this.#attempts.set(deliveryId, span)
    if (this.#attempts.size <= maxAttemptsKept) return
    const oldest = this.#attempts.keys().next().value
    if (oldest !== undefined) this.#attempts.delete(oldest)
  }
}

function toSpanContext({ traceparent, tracestate }: TraceContext, { createTraceState }: Api): SpanContext {
  const [, traceId = '', spanId = '', flags = '0'] = traceparent.split('-')
  return {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16),
    isRemote: true,
    ...(tracestate !== undefined && { traceState: createTraceState(tracestate) }),
  }
}
