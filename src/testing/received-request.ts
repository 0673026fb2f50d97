/** A request as the test receiver keeps it, and whether its signature holds. */
import type { IncomingMessage } from 'node:http'
import { signRequest } from '../core/signing.ts'
import type { NamedScheme } from '../core/signing-scheme.ts'
import { prepareSecret } from '../core/signing-secrets.ts'
import { hmacForms } from '../verify/forms/hmac-form.ts'

export interface ReceivedRequest {
  readonly method: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The exact bytes. */
  readonly body: Uint8Array
  /** From `outhook-delivery-id` or `hookrail-delivery-id`. */
  readonly deliveryId: string | null
  /** From `outhook-event-id`, `hookrail-event-id` or `webhook-id`. */
  readonly eventId: string | null
  readonly topic: string | null
  /** Milliseconds since the epoch. */
  readonly receivedAt: number
  /** Null when the receiver was given no secret. */
  readonly verified: boolean | null
  /** The status that it was answered with; null for a dropped connection. */
  readonly status: number | null
}

export type UnansweredRequest = Omit<ReceivedRequest, 'verified' | 'status'>

export function toReceivedRequest(
  message: IncomingMessage,
  body: Uint8Array,
  now: number,
): UnansweredRequest {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(message.headers)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  }
  return {
    method: message.method ?? '',
    path: message.url ?? '/',
    headers,
    body,
    deliveryId: headers['outhook-delivery-id'] ?? headers['hookrail-delivery-id'] ?? null,
    eventId: headers['outhook-event-id'] ?? headers['hookrail-event-id'] ?? headers['webhook-id'] ?? null,
    topic: headers['outhook-topic'] ?? headers['hookrail-topic'] ?? null,
    receivedAt: now,
  }
}

/** Signs again with the secret and compares, for the schemes whose headers are there. Old timestamps pass. */
export function hasValidSignature(request: UnansweredRequest, secret: string): boolean {
  const { headers } = request
  const prepared = prepareSecret(secret)
  const signed = (scheme: NamedScheme, timestampSeconds: number) =>
    signRequest([scheme], {
      eventId: headers['webhook-id'] ?? request.eventId ?? '',
      deliveryId: request.deliveryId ?? '',
      topic: request.topic,
      timestampSeconds,
      body: request.body,
      secrets: { active: [prepared], primary: prepared },
    }).headers
  const scheme = signatureHeaders.find(([, header]) => headers[header] !== undefined)
  if (scheme === undefined) return false
  const [name, header] = scheme
  const value = headers[header] ?? ''
  const expected = signed(name, signedAt(headers, value))[header] ?? ''
  // While a secret is rotated there are several, behind the time or beside one another.
  const parts = (text: string) => text.split(/[ ]|,(?=v1=)/).map((part) => part.trim())
  return parts(expected).every((part) => parts(value).includes(part))
}

const signatureHeaders: readonly (readonly [NamedScheme, string])[] = [
  ['standard', 'webhook-signature'],
  ['hookrail', 'hookrail-signature'],
  ...Object.entries(hmacForms).map(([name, { header }]) => [name as NamedScheme, header] as const),
]

function signedAt(headers: UnansweredRequest['headers'], signature: string): number {
  const separate = headers['webhook-timestamp'] ?? headers['x-slack-request-timestamp']
  return Number(separate ?? /(?:^|,)\s*t=(\d+)/.exec(signature)?.[1])
}
