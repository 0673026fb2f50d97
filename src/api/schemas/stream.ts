import { Type } from '../../bundled/typebox.ts'
import { jobKinds, jobStates } from '../../core/jobs.ts'
import { deliveryStates } from '../../core/model.ts'
import { endpointChanges, missedReasons, streamKinds } from '../../core/stream-item.ts'
import { AttemptBody } from './deliveries.ts'
import { Closed, Id, Nullable, Time } from './shapes.ts'
import { idOf, TopicPattern } from './text-limits.ts'

const kind = `(?:${streamKinds.join('|')})`

export const StreamQuery = Closed({
  kinds: Type.Optional(
    Type.String({
      pattern: `^${kind}(?:,${kind})*$`,
      examples: ['event,delivery'],
      description: `which are told, with commas between them: ${streamKinds.join(', ')}; default all`,
    }),
  ),
  topic_pattern: Type.Optional({
    ...TopicPattern,
    description: 'what is of these topics only: a topic, `prefix.*` for all below the prefix, or `*` for all',
  }),
  endpoint_id: Type.Optional(
    Type.Unsafe<string>({
      ...idOf('ep'),
      description: 'what is of this endpoint only, which events and jobs are not',
    }),
  ),
})

const told = { at: Time, tenant_id: Id }
const ofDelivery = {
  event_id: Id,
  delivery_id: Id,
  endpoint_id: Nullable(Id),
  subscription_id: Nullable(Id),
  topic: Nullable(Type.String()),
}

const StreamedEventBody = Type.Object(
  {
    kind: Type.Literal('event'),
    ...told,
    event_id: Id,
    topic: Nullable(Type.String({ description: 'null: a direct send' })),
    ordering_key: Nullable(Type.String()),
    payload_bytes: Nullable(Type.Integer()),
    deliveries: Type.Integer({ description: 'those that it has, or will have' }),
    state: Type.String({ enum: ['accepted', 'fanned_out'] }),
  },
  { title: 'StreamedEvent', description: 'an event was accepted; its payload is asked for by its id' },
)

const StreamedAttemptBody = Type.Object(
  {
    kind: Type.Literal('attempt'),
    ...told,
    ...ofDelivery,
    url: Type.String({ description: 'scheme, host and port of the receiver' }),
    attempt_no: Type.Integer(),
    status: AttemptBody.properties.status,
    http_status: Nullable(Type.Integer()),
    error_class: Nullable(Type.String()),
    error: Nullable(Type.String()),
    latency_ms: Type.Integer(),
  },
  { title: 'StreamedAttempt', description: 'an attempt has ended' },
)

const StreamedDeliveryBody = Type.Object(
  {
    kind: Type.Literal('delivery'),
    ...told,
    ...ofDelivery,
    state: Type.String({ enum: deliveryStates }),
    attempt_count: Type.Integer(),
    error_class: Nullable(Type.String()),
    next_attempt_at: Nullable(Time),
  },
  { title: 'StreamedDelivery', description: 'a delivery has another state, or waits for another attempt' },
)

const StreamedEndpointBody = Type.Object(
  {
    kind: Type.Literal('endpoint'),
    ...told,
    endpoint_id: Id,
    change: Type.String({ enum: [...endpointChanges] }),
    reason: Nullable(
      Type.String({
        description: 'why it was disabled or paused; `failing` and `throttled`: by what it answered',
      }),
    ),
  },
  { title: 'StreamedEndpoint', description: 'an endpoint was changed, or its state is another one' },
)

const StreamedJobBody = Type.Object(
  {
    kind: Type.Literal('job'),
    ...told,
    job_id: Id,
    job_kind: Type.String({ enum: [...jobKinds] }),
    state: Type.String({ enum: [...jobStates] }),
    total: Nullable(Type.Integer()),
    done: Type.Integer(),
    skipped: Type.Integer(),
    failed: Type.Integer(),
  },
  { title: 'StreamedJob', description: 'a job was made, has got on or has ended' },
)

const StreamMissedBody = Type.Object(
  {
    kind: Type.Literal('missed'),
    at: Time,
    reason: Type.String({
      enum: [...missedReasons],
      description:
        '`reconnected`: you were away; `too_many`: more than 2000 in a second; `other_process`: another process of the server was not heard, or told less than happened',
    }),
    count: Nullable(
      Type.Integer({ description: 'of `other_process`, whatever your filter; null: nobody knows' }),
    ),
  },
  { title: 'StreamMissed', description: 'something happened that you were not told' },
)

const StreamStartedBody = Type.Object(
  {
    kind: Type.Literal('started'),
    at: Time,
    tenant_id: Nullable(Type.String({ description: 'of which you are told; null: of all' })),
  },
  { title: 'StreamStarted', description: 'the first of each connection: from here on you are told' },
)

const StreamEndedBody = Type.Object(
  {
    kind: Type.Literal('ended'),
    at: Time,
    reason: Type.String({
      enum: ['shutting_down', 'unauthorized'],
      description: '`unauthorized`: the token or the sign-in is good no more',
    }),
  },
  { title: 'StreamEnded', description: 'the last one, where the server ends it' },
)

export const StreamItemBody = Type.Union(
  [
    StreamedEventBody,
    StreamedAttemptBody,
    StreamedDeliveryBody,
    StreamedEndpointBody,
    StreamedJobBody,
    StreamMissedBody,
    StreamStartedBody,
    StreamEndedBody,
  ],
  { title: 'StreamItem', description: 'the data of one server-sent event, whose name is `kind`' },
)
