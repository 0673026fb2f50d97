/**
 * `POST /v1/events`: the hot path. The body stays the bytes that were received; nothing is validated twice, and the
 * answer is written by hand. What is plain does not come here: see `quick-publish.ts`.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { limits } from '../../core/model.ts'
import type { PublishReceipt } from '../../engine/publish.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { handleIngestErrors } from '../ingest-error.ts'
import { readBodiesAsBytes } from '../json-body.ts'
import { lateError, readPublish, receiptType, renderReceipt } from '../publish-request.ts'
import { PublishBody, PublishHeaders, ReceiptBody } from '../schemas/events.ts'
import { tenantIdOf } from '../tenant-scope.ts'

const schema = {
  operationId: 'publishEvent',
  'x-problems': [409, 422],
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
  return async (app: Api): Promise<void> => {
    readBodiesAsBytes(app, context.bodies)
    handleIngestErrors(app, context)
    app.post('/v1/events', {
      schema,
      onRequest: (request, _reply, done) =>
        context.ingestLimit.check(request.raw, principalOf(request), done),
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
  const publish = readPublish({
    request: request.raw,
    principal: principalOf(request),
    tenantId: tenantIdOf(request),
    body: request.body,
  })
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

function sendReceipt(reply: FastifyReply, receipt: PublishReceipt): void {
  if (receipt.replayed) reply.header('idempotent-replay', 'true')
  reply.code(202).header('content-type', receiptType).send(renderReceipt(receipt))
}
