import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { DeliveryOfEventBody } from './deliveries.ts'
import {
  Closed,
  Id,
  Nullable,
  PageOf,
  ProblemBody,
  pageQuery,
  StringMap,
  Time,
  timeRangeQuery,
} from './shapes.ts'

const Topic = Type.String({ minLength: 1, maxLength: 255, description: 'such as `orders.created`' })
const Payload = Type.Unknown({
  description: 'any JSON value, at most 256 KiB; its exact bytes are what is delivered',
})
const Metadata = Type.Record(Type.String(), Type.String(), {
  description: 'up to 16 short strings, sent as `outhook-meta-<name>` headers',
})

const keys = {
  idempotency_key: Type.Optional(
    Nullable(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'the same key and content give the same answer for 24 hours, and no second event',
      }),
    ),
  ),
  ordering_key: Type.Optional(
    Nullable(
      Type.String({
        maxLength: 256,
        description: 'at most 256 bytes; also read from the payload’s member `ordering_key`',
      }),
    ),
  ),
}

/** Documents; the body is read by hand, because the payload's bytes have to survive. */
export const PublishBody = Type.Object(
  { topic: Topic, payload: Payload, metadata: Type.Optional(Metadata), ...keys },
  { title: 'PublishEvent', description: 'Other members are ignored.' },
)

export const PublishHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'as the body’s `idempotency_key`, which must not differ' }),
  ),
  'outhook-ordering-key': Type.Optional(
    Type.String({ description: 'as the body’s `ordering_key`, which must not differ' }),
  ),
  'x-hookrail-ordering-key': Type.Optional(
    Type.String({
      description: 'the same, under the name that clients of the webhook server Hookrail send',
    }),
  ),
})

export const ReceiptBody = Type.Object(
  { id: Id, event_id: Id, delivery_ids: Type.Array(Id) },
  { title: 'PublishReceipt' },
)

/** Documents, as `PublishBody`. */
export const BatchBody = Closed(
  {
    events: Type.Array(
      Closed({
        topic: Topic,
        payload: Payload,
        metadata: Type.Optional(Metadata),
        ...keys,
      }),
      { minItems: 1, maxItems: 1000 },
    ),
  },
  { title: 'PublishBatch' },
)

export const BatchResultBody = Type.Object(
  {
    items: Type.Array(
      Type.Object({
        status: Type.Integer({ description: '202, or that of the problem' }),
        event_id: Type.Optional(Id),
        delivery_ids: Type.Optional(Type.Array(Id)),
        replayed: Type.Optional(Type.Boolean()),
        type: Type.Optional(ProblemBody.properties.type),
        title: Type.Optional(ProblemBody.properties.title),
        detail: Type.Optional(ProblemBody.properties.detail),
        code: Type.Optional(ProblemBody.properties.code),
      }),
      { description: 'in the order of the request' },
    ),
  },
  { title: 'BatchResult' },
)
export type BatchItemResult = Static<typeof BatchResultBody>['items'][number]

const eventMembers = {
  id: Id,
  event_id: Id,
  topic: Type.String(),
  state: Type.String({ enum: ['accepted', 'fanned_out'] }),
  payload_bytes: Type.Integer(),
  metadata: StringMap,
  ordering_key: Nullable(Type.String()),
  producer_key_id: Nullable(Id),
  created_at: Time,
}

export const EventBody = Type.Object(eventMembers, { title: 'Event' })

export const EventStatusBody = Type.Object(
  { ...eventMembers, deliveries: Type.Array(DeliveryOfEventBody) },
  { title: 'EventStatus' },
)

export const EventPage = PageOf(EventBody)

export const EventQuery = Closed({
  ...pageQuery,
  topic: Type.Optional(Type.String({ description: 'exact' })),
  ...timeRangeQuery,
})
