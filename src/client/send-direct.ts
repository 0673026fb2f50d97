/** Direct sends: one delivery to a URL or an endpoint, whose body goes out exactly as it was given. */
import { traceHeadersOf } from './envelopes.ts'
import { ClientOptionError } from './errors.ts'
import type { DirectSend, DirectSendReceipt } from './generated/types.ts'
import { toSnakeCase } from './member-names.ts'
import type { CallOptions, Requester } from './requester.ts'

interface SendMembers {
  /** Default `'POST'`. `'GET'` and `'DELETE'` have no body; a payload is kept and not sent. */
  readonly method?: DirectSend['method']
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Of the body; default `'application/json'`. */
  readonly contentType?: string | undefined
  /** The id of a credential that the request authenticates with. Default: the endpoint's, if it goes to one. */
  readonly credentialId?: string | null | undefined
  /** The id of a client certificate that the connection shows. Default: the endpoint's, if it goes to one. */
  readonly clientCertificateId?: string | null | undefined
  /** A profile's name or a policy, as everywhere in the API. */
  readonly retry?: DirectSend['retry']
  /** Of one attempt: `'5s'` or milliseconds. */
  readonly timeout?: string | number | undefined
  /** Sent as `outhook-meta-<name>` headers. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** Sending it again with the same key makes no second delivery. Default: a new one for each call. */
  readonly idempotencyKey?: string | undefined
  /** No attempt is made before this time: a `Date`, or text of RFC 3339. */
  readonly deliverAt?: Date | string | undefined
  /** The same as a duration from now: `'15m'` or milliseconds. */
  readonly delay?: string | number | undefined
  /** W3C's trace context, as of an event. */
  readonly traceparent?: string | undefined
  readonly tracestate?: string | undefined
}

type Place =
  | { readonly url: string; readonly endpointId?: undefined }
  | { readonly endpointId: string; readonly url?: undefined }

type Content =
  | {
      /** Any value that JSON can hold; left out, the body is empty. */
      readonly payload?: unknown
      readonly body?: undefined
    }
  | {
      /** Exactly this: text, or bytes of any type. */
      readonly body: string | Uint8Array
      readonly payload?: undefined
    }

export type DirectSendInput = SendMembers & Place & Content

export interface SentDirectly extends DirectSendReceipt {
  /** The delivery was there already, under the same idempotency key. */
  readonly replayed: boolean
}

export async function sendDirect(
  requester: Requester,
  input: DirectSendInput,
  options?: Omit<CallOptions, 'idempotencyKey'>,
): Promise<SentDirectly> {
  const { value, headers } = await requester.answer<DirectSendReceipt>({
    method: 'POST',
    path: '/v1/deliveries',
    body: toBody(input),
    takesTenant: true,
    // The body always has a key.
    isRepeatable: true,
    options: { ...options, headers: { ...traceHeadersOf(input), ...options?.headers } },
  })
  return { ...value, replayed: headers.get('idempotent-replay') === 'true' }
}

function toBody(input: DirectSendInput): string {
  const { url, method, headers, retry, timeout, metadata, delay, payload, body } = input
  const isRaw = body !== undefined && (input.contentType !== undefined || typeof body !== 'string')
  const members = JSON.stringify({
    idempotency_key: input.idempotencyKey ?? crypto.randomUUID(),
    url,
    endpoint_id: input.endpointId,
    method,
    headers,
    content_type: input.contentType,
    credential_id: input.credentialId,
    client_certificate_id: input.clientCertificateId,
    retry: toSnakeCase(retry),
    timeout,
    metadata,
    deliver_at: input.deliverAt,
    delay,
    ...(isRaw && rawMembers(body)),
  })
  if (isRaw || (body === undefined && payload === undefined)) return members
  return `${members.slice(0, -1)},"payload":${typeof body === 'string' ? checkJson(body) : toJson(payload)}}`
}

function rawMembers(body: string | Uint8Array) {
  if (typeof body === 'string') return { body }
  let text = ''
  for (const byte of body) text += String.fromCharCode(byte)
  return { body: btoa(text), encoding: 'base64' }
}

function toJson(payload: unknown): string {
  const text = JSON.stringify(payload) as string | undefined
  if (text === undefined) throw new ClientOptionError('the payload is nothing that JSON can hold')
  return text
}

/** Text that is no JSON could end the payload and go on with members of its own. */
function checkJson(text: string): string {
  try {
    JSON.parse(text)
    return text
  } catch {
    throw new ClientOptionError('the body is not JSON; say by contentType what it is')
  }
}
