/** `POST /v1/deliveries`: a direct send. The body stays the bytes that were received, as with an event. */
import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import { parseEventEnvelope } from '../../core/exact-json.ts'
import { limits } from '../../core/model.ts'
import type { SendOrder } from '../../engine/direct-sends.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { callerOf, idempotencyOf, scheduleOf, traceContextOf } from '../event-members.ts'
import { handleIngestErrors } from '../ingest-error.ts'
import { readBodiesAsBytes } from '../json-body.ts'
import { SendBody, SendHeaders, SendReceiptBody } from '../schemas/sends.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { strictCompiler } from '../validation.ts'

const schema = {
  operationId: 'sendDelivery',
  'x-problems': [404, 409, 410, 422],
  tags: ['deliveries'],
  summary: 'Make one delivery to a URL or an endpoint, without topic and subscription',
  description:
    'Answered once it is durable. Its request is frozen then: a later change of the endpoint’s URL or headers, or of a default retry policy, changes nothing. Secrets are looked up at each attempt; to a URL it is not signed. `Idempotent-Replay: true` marks the answer of an earlier send.',
  headers: SendHeaders,
  body: SendBody,
  response: { 202: SendReceiptBody },
}

const form = 'expected {"url": string, "payload": object}'
const checkForm = strictCompiler({ schema: SendBody, httpPart: 'body', method: 'POST', url: '' })

export function sendRoute(context: ApiContext) {
  const { engine, metrics } = context
  return async (app: Api): Promise<void> => {
    readBodiesAsBytes(app, context.bodies)
    handleIngestErrors(app, context)
    app.post('/v1/deliveries', {
      schema,
      onRequest: (request, _reply, done) =>
        context.ingestLimit.check(request.raw, principalOf(request), done),
      bodyLimit: limits.maxSendBodyBytes,
      // Checked below, once the payload's bytes are known.
      validatorCompiler: () => () => true,
      handler: async (request, reply) => {
        const { deliveryId, eventId, replayed } = await engine.directSends.send(readOrder(request))
        metrics.ingest(replayed ? 'replayed' : 'accepted')
        if (replayed) reply.header('idempotent-replay', 'true')
        return reply.code(202).send({ id: deliveryId, delivery_id: deliveryId, event_id: eventId })
      },
    })
  }
}

type Members = Readonly<Record<string, unknown>>

function readOrder(request: FastifyRequest): SendOrder {
  const { body, raw } = request
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new OuthookError('invalid_body', `${form}: the body is empty`)
  }
  const { members, payload } = parseEventEnvelope(body, form)
  refuseOtherForms(members)
  const { tenantId, producerKeyId } = callerOf(principalOf(request), tenantIdOf(request))
  const { url, method, headers, retry, timeout } = members
  const given = { members, request: raw, at: '' }
  return {
    tenantId,
    producerKeyId,
    asked: {
      url,
      endpointId: members.endpoint_id,
      method,
      headers,
      contentType: members.content_type,
      credentialId: members.credential_id,
      clientCertificateId: members.client_certificate_id,
      retry,
      timeout,
    },
    payload: payload ?? bytesOf(members),
    metadata: members.metadata as SendOrder['metadata'],
    idempotency: idempotencyOf(given, producerKeyId),
    schedule: scheduleOf(given),
    traceContext: traceContextOf(raw),
  }
}

function refuseOtherForms(members: Members): void {
  const verdict = checkForm(members) as { readonly error?: Error }
  if (verdict.error !== undefined) throw verdict.error
  if (Object.hasOwn(members, 'payload') && members.body !== undefined) {
    throw new OuthookError('invalid_body', 'payload and body are both given; give one of them')
  }
  if (members.encoding !== undefined && members.body === undefined) {
    throw new OuthookError('invalid_body', 'encoding is that of body, which is missing; leave it out')
  }
}

/** Of `body`; null: there is none. */
function bytesOf({ body, encoding }: Members): Uint8Array | null {
  if (body === undefined) return null
  const text = body as string
  if (encoding !== 'base64') {
    if (!text.isWellFormed()) {
      throw new OuthookError(
        'invalid_body',
        'body holds half of a surrogate pair; send well-formed text, or base64',
      )
    }
    return Buffer.from(text, 'utf8')
  }
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') === text) return bytes
  throw new OuthookError('invalid_body', 'body is not base64; send it with padding and without line breaks')
}
