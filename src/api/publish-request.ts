/** What one request to publish asks for, and its answer; the order of checks is part of the compatible surface. */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'
import { type EventEnvelope, parseEventEnvelope } from '../core/exact-json.ts'
import { parseMetadata } from '../core/metadata.ts'
import { limits } from '../core/model.ts'
import type { Principal } from '../engine/api-keys.ts'
import type { PublishReceipt, PublishRequest } from '../engine/publish.ts'
import { idempotencyKeyOf, orderingKeyOf, refuseMisspelledKeys } from './event-keys.ts'

export interface IncomingPublish {
  readonly request: IncomingMessage
  readonly principal: Principal
  readonly tenantId: string
  /** The bytes that were received; anything else is no body. */
  readonly body: unknown
}

export function readPublish({ request, principal, tenantId, body }: IncomingPublish): PublishRequest {
  const envelope = parseEventEnvelope(bytesOf(body))
  const topic = topicOf(envelope)
  const payload = envelope.payload as Uint8Array
  if (payload.length > limits.maxPayloadBytes)
    throw new OuthookError('payload_too_large', 'payload is capped at 256KB')
  refuseMisspelledKeys(envelope.members)
  const orderingKey = orderingKeyOf(request, envelope.members)
  const key = idempotencyKeyOf(request, envelope.members)
  const { kind, keyId } = principal
  // Admin tokens share one scope: a rotated token must not make old keys new again.
  const producerKeyId = kind === 'producer' ? keyId : null
  return {
    tenantId,
    topic,
    payload,
    metadata: parseMetadata(envelope.members.metadata),
    orderingKey,
    idempotency: key === null ? null : { scope: producerKeyId ?? '', key },
    producerKeyId,
  }
}

function bytesOf(body: unknown): Uint8Array {
  if (Buffer.isBuffer(body) && body.length > 0) return body
  throw new OuthookError('invalid_body', 'expected {"topic": string, "payload": object}: the body is empty')
}

function topicOf({ members, payload }: EventEnvelope): string {
  const topic = members.topic ?? ''
  if (typeof topic !== 'string') {
    throw new OuthookError('invalid_body', 'expected {"topic": string, "payload": object}')
  }
  if (topic === '' || payload === null)
    throw new OuthookError('invalid_body', 'topic and payload are required')
  return topic
}

export const receiptType = 'application/json; charset=utf-8'

/** Ids are plain ASCII words: nothing in them needs escaping. */
export function renderReceipt({ eventId, deliveryIds, state }: PublishReceipt): string {
  const ids = deliveryIds.length === 0 ? '' : `"${deliveryIds.join('","')}"`
  const accepted = state === 'accepted' ? ',"state":"accepted"' : ''
  return `{"id":"${eventId}","event_id":"${eventId}","delivery_ids":[${ids}]${accepted}}\n`
}

export function lateError(): OuthookError {
  const message = 'the event could not be made durable in time; send it again'
  return new OuthookError('store_unavailable', message, { publicDetail: message })
}
