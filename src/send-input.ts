/** What a program gives `send`: its type, and how it becomes an order to the engine. */
import { nearestName } from './config/nearest-name.ts'
import type { SendMethod } from './core/direct-request.ts'
import { OuthookError } from './core/errors.ts'
import { ofNoProducer } from './core/event-fields.ts'
import { checkJsonBytes } from './core/exact-json.ts'
import { stringifyPayload } from './core/json-payload.ts'
import { parseMetadata } from './core/metadata.ts'
import { toSchedule } from './core/schedule.ts'
import { readTraceContext } from './core/trace-context.ts'
import type { SendOrder } from './engine/direct-sends.ts'
import { invalid, timeOf } from './publish-input.ts'

interface SendCommon {
  /** Default: that of the endpoint, or `'POST'`. Of `'GET'` and `'DELETE'` the request has no body; a payload is kept and not sent. */
  readonly method?: SendMethod
  /** At most 32, beside those of the endpoint; the ones given here win. Names of secrets are refused. */
  readonly headers?: Readonly<Record<string, string>>
  /** Of the body. Default: what the endpoint says, or `'application/json'`. */
  readonly contentType?: string
  /** The id of a credential that the request authenticates with. Default: the endpoint's, if it goes to one. */
  readonly credentialId?: string | null
  /** The id of a client certificate that the connection shows. Default: the endpoint's, if it goes to one. */
  readonly clientCertificateId?: string | null
  /** A profile's name or a policy object as in the API (snake_case JSON). Default: the tenant's. */
  readonly retry?: unknown
  /** Of one attempt: `'5s'` or milliseconds, from a second to the option `totalTimeout`, which is the default. */
  readonly timeout?: string | number
  /** At most 16 short strings, sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>>
  /** The same key with the same request within 24 h gives the first delivery again; with another request, an error. */
  readonly idempotencyKey?: string
  /** No attempt is made before this time, at most 366 days ahead. A time in the past is now. */
  readonly deliverAt?: Date
  /** The same as a duration from now: `'15m'`, `'2h'` or milliseconds. */
  readonly delay?: string | number
  /** W3C's trace context, as with `publish`. */
  readonly traceparent?: string
  readonly tracestate?: string
}

type Place =
  | { readonly url: string; readonly endpointId?: never }
  | { readonly endpointId: string; readonly url?: never }

type Content =
  | {
      /** Any value that JSON can hold; left out, the body is empty. Stringified once. */
      readonly payload?: unknown
      readonly body?: never
    }
  | {
      /** Exactly these bytes: JSON, unless `contentType` says what else. */
      readonly body: string | Uint8Array
      readonly payload?: never
    }

/** A direct send: where to, and what. */
export type SendInput = SendCommon & Place & Content

const inputMembers = Object.keys({
  url: true,
  endpointId: true,
  method: true,
  headers: true,
  contentType: true,
  credentialId: true,
  clientCertificateId: true,
  payload: true,
  body: true,
  retry: true,
  timeout: true,
  metadata: true,
  idempotencyKey: true,
  deliverAt: true,
  delay: true,
  traceparent: true,
  tracestate: true,
} satisfies Record<keyof SendInput, true>)

const names = { at: 'deliverAt', after: 'delay' } as const

/** Whose it is, the caller says. */
export function toSendOrder(input: SendInput): Omit<SendOrder, 'tenantId'> {
  checkInput(input)
  const { url, endpointId, method, headers, contentType, retry, timeout } = input
  const { credentialId, clientCertificateId } = input
  return {
    // The caller's objects may change while its tenant is looked up.
    asked: copyOf({
      ...{ url, endpointId, method, headers, contentType, retry, timeout },
      ...{ credentialId, clientCertificateId },
    }),
    payload: readContent(input),
    metadata: parseMetadata(input.metadata),
    idempotency: input.idempotencyKey === undefined ? null : { scope: '', key: input.idempotencyKey },
    ...ofNoProducer,
    schedule: toSchedule({ at: timeOf(input.deliverAt), after: input.delay }, names),
    traceContext: readTraceContext(input.traceparent, input.tracestate),
  }
}

/** What no type keeps programs in JavaScript from. */
function checkInput(input: unknown): void {
  if (typeof input !== 'object' || input === null)
    throw invalid('send takes an object such as { url, payload }')
  for (const name of Object.keys(input)) {
    if (inputMembers.includes(name)) continue
    const nearest = nearestName(name.slice(0, 64), inputMembers)
    const advice = nearest ? `did you mean ${nearest}?` : `the members are ${inputMembers.join(', ')}`
    throw invalid(`a send has no member ${JSON.stringify(name.slice(0, 64))}; ${advice}`)
  }
  const given = input as Partial<Record<keyof SendInput, unknown>>
  if (given.body !== undefined && given.payload !== undefined) {
    throw invalid('payload and body are both given; give the value as payload or exact bytes as body')
  }
  for (const name of ['traceparent', 'tracestate'] as const) {
    const value = given[name]
    if (value !== undefined && value !== null && typeof value !== 'string')
      throw invalid(`${name} must be a string`)
  }
}

function copyOf(asked: SendOrder['asked']): SendOrder['asked'] {
  try {
    return structuredClone(asked)
  } catch (cause) {
    throw new OuthookError('invalid_request', 'a send holds something that is no data, such as a function', {
      cause,
    })
  }
}

function readContent({ body, payload, contentType }: SendInput): Uint8Array | null {
  if (body === undefined) return payload === undefined ? null : stringifyPayload(payload)
  if (typeof body !== 'string' && !((body as unknown) instanceof Uint8Array)) {
    throw new OuthookError('invalid_payload', 'body must be a string or bytes; give a value as payload')
  }
  if (contentType === undefined) return checkJsonBytes(body).bytes
  if (typeof body !== 'string') return Uint8Array.from(body)
  if (body.isWellFormed()) return new TextEncoder().encode(body)
  throw new OuthookError(
    'invalid_payload',
    'body holds half of a surrogate pair; give well-formed text, or bytes',
  )
}
