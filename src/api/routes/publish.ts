/**
 * `POST /v1/events`: the hot path. The body stays the bytes that were received; nothing is validated twice, and the
 * answer is written by hand. The order of checks is part of the compatible surface.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import { type EventEnvelope, parseEventEnvelope } from '../../core/exact-json.ts'
import { parseMetadata } from '../../core/metadata.ts'
import { limits } from '../../core/model.ts'
import type { PublishReceipt, PublishRequest } from '../../engine/publish.ts'
import { requireAccess } from '../access.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { sendError } from '../errors.ts'
import { idempotencyKeyOf, orderingKeyOf, refuseMisspelledKeys } from '../event-keys.ts'
import { ingestResultOf, toIngestError } from '../ingest-error.ts'
import { readBodiesAsBytes } from '../json-body.ts'
import { PublishBody, PublishHeaders, ReceiptBody } from '../schemas/events.ts'

const schema = {
  operationId: 'publishEvent',
  'x-problems': [409],
  tags: ['events'],
  summary: 'Publish an event',
  description:
    'Answered once the event is durable. Of an event for more than 1000 deliveries they are made afterwards. A key that stands in a header and in the body has to be the same in both. ' +
    '`Idempotent-Replay: true` marks the answer of an earlier publish.',
  headers: PublishHeaders,
  body: PublishBody,
  response: { 202: ReceiptBody },
}

export function publishRoute(context: ApiContext) {
  const { auth, metrics, log, errorLog } = context
  return async (app: Api): Promise<void> => {
    readBodiesAsBytes(app, context.bodies)
    requireAccess(app, auth, 'producer')
    app.setErrorHandler((error, request, reply) => {
      const known = toIngestError(error, log)
      const result = ingestResultOf(known)
      if (result !== null) metrics.ingest(result)
      sendError(errorLog, known, request, reply)
    })
    app.post('/v1/events', {
      schema,
      bodyLimit: limits.maxEventBodyBytes,
      // The schema describes; what it would check is checked below, in order and without a second parse.
      validatorCompiler: () => () => true,
      config: { ownDeadline: true },
      handler: (request, reply) => handlePublish(context, request, reply),
    })
  }
}

function handlePublish(
  { engine, metrics, deadlines }: ApiContext,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  const publish = readRequest(request)
  const unwatch = deadlines.watch(() => void reply.send(lateError()))
  engine.publisher.publish(publish).then(
    (receipt) => {
      unwatch()
      if (reply.sent) return
      metrics.ingest(receipt.replayed ? 'replayed' : 'accepted')
      sendReceipt(reply, receipt)
    },
    (error: unknown) => {
      unwatch()
      if (!reply.sent) reply.send(error)
    },
  )
}

function readRequest(request: FastifyRequest): PublishRequest {
  const envelope = parseEventEnvelope(bodyOf(request))
  const topic = topicOf(envelope)
  const payload = envelope.payload as Uint8Array
  if (payload.length > limits.maxPayloadBytes)
    throw new OuthookError('payload_too_large', 'payload is capped at 256KB')
  refuseMisspelledKeys(envelope.members)
  const orderingKey = orderingKeyOf(request, envelope.members)
  const key = idempotencyKeyOf(request, envelope.members)
  const { tenantId, kind, keyId } = principalOf(request)
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

function bodyOf(request: FastifyRequest): Uint8Array {
  if (Buffer.isBuffer(request.body) && request.body.length > 0) return request.body
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

function sendReceipt(reply: FastifyReply, { eventId, deliveryIds, state, replayed }: PublishReceipt): void {
  if (replayed) reply.header('idempotent-replay', 'true')
  reply.code(202).header('content-type', 'application/json; charset=utf-8')
  // Ids are plain ASCII words: nothing in them needs escaping.
  const ids = deliveryIds.length === 0 ? '' : `"${deliveryIds.join('","')}"`
  const accepted = state === 'accepted' ? ',"state":"accepted"' : ''
  reply.send(`{"id":"${eventId}","event_id":"${eventId}","delivery_ids":[${ids}]${accepted}}\n`)
}

function lateError(): OuthookError {
  const message = 'the event could not be made durable in time; send it again'
  return new OuthookError('store_unavailable', message, { publicDetail: message })
}
