import { Type } from '../../bundled/typebox.ts'
import { deliveryStates, errorClassPattern } from '../../core/model.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time, timeRangeQuery } from './shapes.ts'
import { idOf, Line } from './text-limits.ts'

const State = Type.String({ enum: deliveryStates })

const deliveryMembers = {
  id: Id,
  delivery_id: Id,
  event_id: Id,
  endpoint_id: Nullable(Id),
  subscription_id: Nullable(Id),
  topic: Nullable(Type.String()),
  state: State,
  reason: Nullable(
    Type.String({
      description:
        'why it waits: endpoint_paused, endpoint_disabled, rate_limited, scheduled or behind_head (another delivery of its ordering key goes first)',
    }),
  ),
  head_delivery_id: Nullable(
    Type.String({ description: 'of one that waits as behind_head: the delivery whose turn it is' }),
  ),
  attempt_count: Type.Integer({ description: 'since creation or the last replay' }),
  next_attempt_at: Nullable(Time),
  last_http_status: Nullable(Type.Integer()),
  error_class: Nullable(Type.String()),
  last_error: Nullable(Type.String({ description: 'at most 2000 characters' })),
  ordering_key: Nullable(Type.String()),
  created_at: Time,
  updated_at: Time,
}

const attemptMembers = {
  attempt_no: Type.Integer({
    description:
      'one that made no request (error class `internal`) is not counted, and has the number before',
  }),
  claim_version: Type.Integer({ description: 'grows over replays too' }),
  status: Type.String({ enum: ['success', 'retryable_failure', 'permanent_failure'] }),
  http_status: Nullable(Type.Integer()),
  error_class: Nullable(Type.String()),
  error: Nullable(Type.String()),
  latency_ms: Type.Integer(),
  started_at: Time,
}

export const CapturedResponseBody = Type.Object(
  {
    url: Type.Optional(
      Type.String({
        description: 'of an endpoint of several URLs, which of them answered: its scheme, host and port',
      }),
    ),
    headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
    body: Type.String({ description: 'at most 16 KiB of it' }),
    encoding: Type.String({ enum: ['utf8', 'base64'], description: 'of `body`' }),
    truncated: Type.Boolean({ description: 'the body went on after what was kept, or broke off' }),
  },
  { title: 'CapturedResponse' },
)

export const AttemptBody = Type.Object(attemptMembers, { title: 'Attempt' })

export const RebuiltRequestBody = Type.Object(
  {
    method: Type.String(),
    url: Type.String({
      description: 'its origin: path and query may be secret, and stand with the endpoint',
    }),
    headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() }), {
      description:
        'with its signature, as long as the payload is kept; without those of the connection, such as `host`',
    }),
    authorized: Type.Boolean({
      description: 'a credential adds headers, or shows a certificate, of which nothing is told',
    }),
    changed_since: Type.Boolean({
      description:
        'the endpoint, a secret of it or the subscription has been changed since the attempt, so that something else may have been sent',
    }),
  },
  {
    title: 'RebuiltRequest',
    description:
      'of the newest ten attempts; what was sent is not kept: this is built again from the event and from the settings and secrets that the endpoint has now',
  },
)

const AttemptWithResponseBody = Type.Object(
  {
    ...attemptMembers,
    rebuilt_request: Type.Optional(RebuiltRequestBody),
    // An object or absent rather than null: the serializer then needs no alternatives.
    response: Type.Optional(CapturedResponseBody),
  },
  { title: 'AttemptWithResponse' },
)

export const DeliveryBody = Type.Object(deliveryMembers, { title: 'Delivery' })

export const DeliveryOfEventBody = Type.Object(
  {
    ...deliveryMembers,
    attempts_truncated: Type.Boolean({ description: 'older attempts are past their retention' }),
    attempts: Type.Array(AttemptBody),
  },
  { title: 'DeliveryOfEvent' },
)

export const DeliveryDetailBody = Type.Object(
  {
    ...deliveryMembers,
    attempts_truncated: Type.Boolean({ description: 'older attempts are past their retention' }),
    attempts: Type.Array(AttemptWithResponseBody),
  },
  { title: 'DeliveryDetail' },
)

export const ResentBody = Type.Object(
  { delivery_id: Id, state: Type.Literal('pending') },
  { title: 'Resent' },
)

export const CancelledBody = Type.Object(
  { delivery_id: Id, state: Type.Literal('cancelled') },
  { title: 'Cancelled' },
)

export const DeliveryPage = PageOf(DeliveryBody)

export const DeliveryQuery = Closed({
  ...pageQuery,
  state: Type.Optional(Type.Enum([...deliveryStates])),
  endpoint_id: Type.Optional(idOf('ep')),
  subscription_id: Type.Optional(idOf('sub')),
  event_id: Type.Optional(idOf('evt')),
  topic: Type.Optional(Line),
  error_class: Type.Optional(
    Type.String({
      pattern: errorClassPattern,
      examples: ['http_503'],
      description:
        'why its last attempt failed: http_503 and the like, timeout, connection, dns, tls, redirect_rejected, policy, internal or attempts_exhausted',
    }),
  ),
  ...timeRangeQuery,
})
