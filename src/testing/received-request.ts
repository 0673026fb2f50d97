/** A request as the test receiver keeps it, and whether its signature holds. */
import type { IncomingMessage } from 'node:http'
import { prepareSecret, signRequest } from '../core/signing.ts'

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
  const signed = (scheme: 'standard' | 'hookrail', timestampSeconds: number) =>
    signRequest([scheme], {
      eventId: headers['webhook-id'] ?? request.eventId ?? '',
      deliveryId: request.deliveryId ?? '',
      topic: request.topic,
      timestampSeconds,
      body: request.body,
      secrets: [prepareSecret(secret)],
    }).headers
  const standard = headers['webhook-signature']
  if (standard !== undefined) {
    const expected = signed('standard', Number(headers['webhook-timestamp']))['webhook-signature'] ?? ''
    return standard.split(' ').includes(expected)
  }
  const hookrail = headers['hookrail-signature']
  if (hookrail === undefined) return false
  const seconds = Number(/(?:^|,)\s*t=(\d+)/.exec(hookrail)?.[1])
  const expected = /v1=[0-9a-f]+/.exec(signed('hookrail', seconds)['hookrail-signature'] ?? '')?.[0] ?? ''
  return expected !== '' && hookrail.split(',').some((part) => part.trim() === expected)
}
