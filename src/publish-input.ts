/** What a program gives `publish`: its types, and how it becomes a request to the engine. */
import { nearestName } from './config/nearest-name.ts'
import { OuthookError } from './core/errors.ts'
import { ofNoProducer } from './core/event-fields.ts'
import { checkJsonBytes, type ExactJson } from './core/exact-json.ts'
import { effectiveOrderingKey } from './core/idempotency.ts'
import { stringifyPayload } from './core/json-payload.ts'
import { parseMetadata } from './core/metadata.ts'
import { toSchedule } from './core/schedule.ts'
import { readTraceContext } from './core/trace-context.ts'
import type { PublishRequest } from './engine/publish.ts'

interface PublishCommon<Topic> {
  /** Dot-separated, such as `'orders.created'`. */
  readonly topic: Topic
  /** At most 16 short strings, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>>
  /** The same key with the same content within 24 h gives the first event again; with other content, an error. */
  readonly idempotencyKey?: string
  readonly orderingKey?: string
  /** No delivery is made before this time, at most 366 days ahead. A time in the past is now. */
  readonly deliverAt?: Date
  /** The same as a duration from now: `'15m'`, `'2h'` or milliseconds. */
  readonly delay?: string | number
  /**
   * W3C's trace context, as a request brought it: kept with the event and sent to the receivers. Malformed, it counts as
   * none. Default: that of the active span, where an OpenTelemetry SDK is registered.
   */
  readonly traceparent?: string
  /** Only with `traceparent`. */
  readonly tracestate?: string
}

type InputOf<Topic, Payload> =
  | (PublishCommon<Topic> & {
      /** Stringified once; changes to the object afterwards change nothing. */
      readonly payload: Payload
      readonly body?: never
    })
  | (PublishCommon<Topic> & {
      /** JSON that every receiver gets byte for byte. */
      readonly body: string | Uint8Array
      readonly payload?: never
    })

/**
 * An event to publish: its content as a value (`payload`) or as exact JSON (`body`). Of several topics it is one of
 * each, so that no topic is given the payload of another.
 */
export type PublishInput<
  Topics extends object,
  Topic extends keyof Topics & string = keyof Topics & string,
> = { readonly [Each in Topic]-?: InputOf<Each, Required<Topics>[Each]> }[Topic]

type AnyInput = InputOf<string, unknown>

/** Whose event it is, the caller says. */
export function toRequest(input: AnyInput): Omit<PublishRequest, 'tenantId'> {
  checkInput(input)
  const { bytes, value } = readContent(input)
  return {
    topic: input.topic,
    payload: bytes,
    // The caller's object may change while its tenant is looked up.
    metadata: parseMetadata(input.metadata),
    orderingKey: effectiveOrderingKey(input.orderingKey, value, 'orderingKey'),
    idempotency: input.idempotencyKey === undefined ? null : { scope: '', key: input.idempotencyKey },
    ...ofNoProducer,
    schedule: toSchedule({ at: timeOf(input.deliverAt), after: input.delay }, names),
    traceContext: readTraceContext(input.traceparent, input.tracestate),
  }
}

const inputMembers = Object.keys({
  topic: true,
  payload: true,
  body: true,
  metadata: true,
  idempotencyKey: true,
  orderingKey: true,
  deliverAt: true,
  delay: true,
  traceparent: true,
  tracestate: true,
} satisfies Record<keyof AnyInput, true>)

const names = { at: 'deliverAt', after: 'delay' } as const

export function timeOf(deliverAt: Date | undefined): number | undefined {
  if (deliverAt === undefined || deliverAt === null) return undefined
  const ms = deliverAt instanceof Date ? deliverAt.getTime() : Number.NaN
  if (Number.isNaN(ms)) throw invalid('deliverAt must be a Date that is a time')
  return ms
}

/** What no type keeps programs in JavaScript from. */
function checkInput(input: unknown): void {
  if (typeof input !== 'object' || input === null) {
    throw invalid('publish takes an event such as { topic, payload }')
  }
  const given = input as Partial<Record<keyof AnyInput, unknown>>
  const { body, payload, orderingKey } = given
  for (const name of Object.keys(input)) {
    if (inputMembers.includes(name)) continue
    const nearest = nearestName(name.slice(0, 64), inputMembers)
    const advice = nearest ? `did you mean ${nearest}?` : `the members are ${inputMembers.join(', ')}`
    throw invalid(`an event has no member ${JSON.stringify(name.slice(0, 64))}; ${advice}`)
  }
  if (body !== undefined && payload !== undefined) {
    throw invalid('payload and body are both given; give the value as payload or its exact JSON as body')
  }
  if (orderingKey !== undefined && orderingKey !== null && typeof orderingKey !== 'string') {
    throw invalid('orderingKey must be a string')
  }
  for (const name of ['traceparent', 'tracestate'] as const) {
    const value = given[name]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw invalid(`${name} must be a string`)
  }
}

function readContent({ body, payload }: AnyInput): ExactJson {
  if (body === undefined) return { bytes: stringifyPayload(payload), value: payload }
  if (typeof body === 'string' || (body as unknown) instanceof Uint8Array) return checkJsonBytes(body)
  throw new OuthookError('invalid_payload', 'body must be JSON as a string or bytes; give a value as payload')
}

export function invalid(message: string): OuthookError {
  return new OuthookError('invalid_request', message)
}
