import { Type } from '../../bundled/typebox.ts'
import { sendMethods } from '../../core/direct-request.ts'
import { limits } from '../../core/model.ts'
import { idempotencyHeader, idempotencyKey, Metadata, schedule, traceHeaders } from './events.ts'
import { Closed, CustomHeaders, Id, MediaType, Nullable, RetryPolicyInput } from './shapes.ts'
import { durationPattern, idOf } from './text-limits.ts'

/** The form is checked by it; `payload` is cut out of the bytes, which have to survive. */
export const SendBody = Closed(
  {
    url: Type.Optional(
      Nullable(
        Type.String({
          maxLength: limits.maxUrlChars,
          description: 'where to; this or `endpoint_id`. The rules are those of an endpoint’s URL',
          examples: ['https://example.com/hook'],
        }),
      ),
    ),
    endpoint_id: Type.Optional(
      Nullable({
        ...idOf('ep'),
        description:
          'or to an endpoint, signed with its secrets: to its URL and with its headers as they are now',
      }),
    ),
    method: Type.Optional(
      Type.Enum([...sendMethods], {
        description:
          'default: that of the endpoint, or POST. GET and DELETE have no body; a payload is kept and not sent',
      }),
    ),
    headers: Type.Optional(
      CustomHeaders({
        description:
          'beside those of the endpoint; these win. Names that the sender sets itself are refused, and names of secrets',
        examples: [{ 'x-source': 'crm' }],
      }),
    ),
    content_type: Type.Optional(
      Nullable(
        Type.String({
          ...MediaType,
          description: 'of the body; default: what the endpoint says, or application/json',
          examples: ['text/plain; charset=utf-8'],
        }),
      ),
    ),
    credential_id: Type.Optional(
      Nullable({
        ...idOf('crd'),
        description:
          'what the request authenticates with; left out, what the endpoint does, if it goes to one',
      }),
    ),
    client_certificate_id: Type.Optional(
      Nullable({
        ...idOf('crd'),
        description:
          'a credential of the kind `client_certificate` that the connection shows; left out, that of the endpoint, if it goes to one',
      }),
    ),
    payload: Type.Optional(
      Type.Unknown({
        description:
          'any JSON value, at most 256 KiB; its exact bytes are the body. Left out, the body is empty',
        examples: [{ call: 42 }],
      }),
    ),
    body: Type.Optional(
      Type.String({
        description: 'instead of `payload`: the body as text, or as bytes with `encoding` base64',
      }),
    ),
    encoding: Type.Optional(Type.Enum(['utf8', 'base64'], { description: 'of `body`; default: utf8' })),
    retry: Type.Optional(RetryPolicyInput),
    timeout: Type.Optional(
      Type.Unsafe<string | number | null>({
        type: ['string', 'integer', 'null'],
        // As far as the setting goes that bounds it.
        pattern: durationPattern(1),
        minimum: 1000,
        maximum: 86_400_000,
        description: 'of one attempt, from 1s to the server’s `total-timeout`, which is the default',
        examples: ['5s'],
      }),
    ),
    metadata: Type.Optional(Metadata),
    idempotency_key: idempotencyKey,
    ...schedule,
  },
  {
    title: 'DirectSend',
    dependentRequired: { encoding: ['body'] },
    examples: [{ url: 'https://example.com/hook', payload: { call: 42 }, idempotency_key: 'run-7:node-2' }],
  },
)

export const SendHeaders = Type.Object({ 'idempotency-key': idempotencyHeader, ...traceHeaders })

export const SendReceiptBody = Type.Object(
  {
    id: Id,
    delivery_id: Id,
    event_id: Type.String({
      description: 'of the event without a topic that keeps its payload and its request',
    }),
  },
  { title: 'DirectSendReceipt' },
)
