/** What one request to publish asks for, and its answer. */
import type { IncomingMessage } from 'node:http'
import { OuthookError } from '../core/errors.ts'
import { type EventEnvelope, parseEventEnvelope } from '../core/exact-json.ts'
import type { Principal } from '../engine/principal.ts'
import type { PublishReceipt, PublishRequest } from '../engine/publish.ts'
import { callerOf, toPublishRequest, traceContextOf } from './event-members.ts'

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
  const { members, payload } = envelope
  return toPublishRequest(
    {
      topic,
      members,
      payload: payload as Uint8Array,
      request,
      traceContext: traceContextOf(request),
      at: '',
    },
    callerOf(principal, tenantId),
  )
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

/** Ids are plain ASCII words: nothing in them needs escaping. Warnings may hold any text. */
export function renderReceipt({
  eventId,
  deliveryIds,
  state,
  filteredSubscriptions,
  warnings,
}: PublishReceipt): string {
  const ids = deliveryIds.length === 0 ? '' : `"${deliveryIds.join('","')}"`
  const accepted = state === 'accepted' ? ',"state":"accepted"' : ''
  const filtered = filteredSubscriptions === 0 ? '' : `,"filtered_subscriptions":${filteredSubscriptions}`
  const warned = warnings === undefined ? '' : `,"warnings":${JSON.stringify(warnings)}`
  return `{"id":"${eventId}","event_id":"${eventId}","delivery_ids":[${ids}]${accepted}${filtered}${warned}}\n`
}

export function lateError(): OuthookError {
  const message = 'the event could not be made durable in time; send it again'
  return new OuthookError('store_unavailable', message, { publicDetail: message })
}
