/** Events as the server takes them, with their payloads as they were given, byte for byte. */
import { ClientOptionError } from './errors.ts'

interface EventMembers {
  readonly topic: string
  /** Sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Sending it again with the same key makes no second event. Default: a new one for each call. */
  readonly idempotencyKey?: string | undefined
  readonly orderingKey?: string | undefined
  /** No delivery is made before this time, at most 366 days ahead: a `Date`, or text of RFC 3339. */
  readonly deliverAt?: Date | string | undefined
  /** The same as a duration from now: `'15m'` or milliseconds. */
  readonly delay?: string | number | undefined
  /**
   * W3C's trace context, such as a request brought it: kept with the event and sent to the receivers. Malformed, it counts
   * as none.
   */
  readonly traceparent?: string | undefined
  /** Only with `traceparent`. */
  readonly tracestate?: string | undefined
}

/** Either any value that JSON can hold, or JSON's own text, which is passed on as it stands. */
export type EventInput =
  | (EventMembers & { readonly payload: unknown; readonly body?: undefined })
  | (EventMembers & { readonly body: string | Uint8Array; readonly payload?: undefined })

/** The body of one event, and its idempotency key where that can be a header: a header cannot hold every text. */
export function toSingleEnvelope(event: EventInput): { readonly body: string; readonly key?: string } {
  const key = event.idempotencyKey ?? crypto.randomUUID()
  return /^[!-~]([ -~]*[!-~])?$/.test(key)
    ? { body: envelopeOf(event, undefined), key }
    : { body: envelopeOf(event, key) }
}

/** A trace context goes as headers. What no header can hold is malformed, and counts as none. */
export function traceHeadersOf({
  traceparent,
  tracestate,
}: Pick<EventMembers, 'traceparent' | 'tracestate'>): Readonly<Record<string, string>> {
  const isHeader = (text: unknown): text is string => typeof text === 'string' && /^[ -~]+$/.test(text)
  if (!isHeader(traceparent)) return {}
  return isHeader(tracestate) ? { traceparent, tracestate } : { traceparent }
}

/** An event of a batch, whose key is a member. */
export function toBatchEnvelope(event: EventInput): string {
  return envelopeOf(event, event.idempotencyKey ?? crypto.randomUUID())
}

/** Put together as text: parsing a payload and writing it again would change its bytes. */
function envelopeOf(event: EventInput, key: string | undefined): string {
  const { topic, metadata, orderingKey, deliverAt, delay } = event
  const members = JSON.stringify({
    idempotency_key: key,
    topic,
    metadata,
    ordering_key: orderingKey,
    deliver_at: deliverAt,
    delay,
  })
  return `${members.slice(0, -1)},"payload":${payloadText(event)}}`
}

function payloadText({ topic, payload, body }: EventInput): string {
  if (body !== undefined) {
    const text = typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body)
    checkJson(text, topic)
    return text
  }
  const text = JSON.stringify(payload) as string | undefined
  if (text === undefined) throw new ClientOptionError(`the event ${topic} has no payload that JSON can hold`)
  return text
}

/** Text that is no JSON could end the payload and go on with members of its own. */
function checkJson(text: string, topic: string): void {
  try {
    JSON.parse(text)
  } catch {
    throw new ClientOptionError(`the body of the event ${topic} is not JSON`)
  }
}
