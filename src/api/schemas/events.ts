import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { sendMethods } from '../../core/direct-request.ts'
import { durationForms } from '../../core/duration.ts'
import { limits } from '../../core/model.ts'
import { maxScheduleMs } from '../../core/schedule.ts'
import { DeliveryOfEventBody } from './deliveries.ts'
import { PayloadWarnings } from './payload-warnings.ts'
import { Closed, Id, metadataInput, Nullable, ProblemBody, pageQuery, StringMap, Time } from './shapes.ts'
import { linePattern, Topic } from './text-limits.ts'

const Payload = Type.Unknown({
  description: 'any JSON value, at most 256 KiB; its exact bytes are what is delivered',
  examples: [{ id: 'o_1', amount: 42 }],
})
export const Metadata = metadataInput('sent as `outhook-meta-<name>` headers', { source: 'shop' })

export const idempotencyKey = Type.Optional(
  Nullable(
    Type.String({
      minLength: 1,
      maxLength: limits.maxIdempotencyKeyBytes,
      pattern: linePattern,
      description:
        'at most 255 bytes; the same key and content give the same answer for 24 hours, and nothing is made a second time',
    }),
  ),
)

const keys = {
  idempotency_key: idempotencyKey,
  ordering_key: Type.Optional(
    Nullable(
      Type.String({
        maxLength: limits.maxOrderingKeyBytes,
        pattern: linePattern,
        description: 'at most 256 bytes; also read from the payload’s member `"ordering_key"`',
      }),
    ),
  ),
}

const delayForms = Object.entries({ '(?:ms)?': 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }).map(
  ([unit, ms]) => `(?:${upTo(maxScheduleMs / ms)})${unit}`,
)

/** A pattern of the whole numbers from 0 to this one. */
function upTo(most: number): string {
  const digits = String(most)
  const below = [...digits].flatMap((digit, at) => {
    const rest = digits.length - at - 1
    return digit === '0' ? [] : [`${digits.slice(0, at)}[0-${Number(digit) - 1}]\\d{${rest}}`]
  })
  return [`\\d{1,${digits.length - 1}}`, ...below, digits].join('|')
}

export const schedule = {
  deliver_at: Type.Optional(
    Nullable(
      Type.String({
        format: 'date-time',
        description:
          'no delivery is made before this time, at most 366 days ahead; a time in the past is now. Not with `delay`',
        examples: ['2026-12-24T18:00:00Z'],
      }),
    ),
  ),
  delay: Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      minimum: 0,
      maximum: maxScheduleMs,
      pattern: `^0{0,4}(?:${delayForms.join('|')})$`,
      description: `the same as a duration from now: ${durationForms}`,
      examples: ['15m'],
    }),
  ),
}

/** The members of an event that is published. */
export const eventInput = {
  topic: Topic,
  payload: Payload,
  metadata: Type.Optional(Metadata),
  ...keys,
  ...schedule,
}

/** Documents; the body is read by hand, because the payload's bytes have to survive. */
export const PublishBody = Type.Object(eventInput, {
  title: 'PublishEvent',
  description: 'Other members are ignored.',
  examples: [{ topic: 'orders.created', payload: { id: 'o_1' }, idempotency_key: 'o_1' }],
})

/** Plain ASCII, which every client sends in the same way; any other text can stand in the body. Empty is none. */
const headerText = { pattern: '^(?:[!-~](?:[ -~]*[!-~])?)?$' }

/** Malformed ones count as none. */
export const traceHeaders = {
  traceparent: Type.Optional(
    Type.String({
      description: 'W3C’s trace context: kept with the event, and sent to the receivers',
      examples: ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    }),
  ),
  tracestate: Type.Optional(Type.String({ description: 'only with `traceparent`' })),
}

export const idempotencyHeader = Type.Optional(
  Type.String({
    ...headerText,
    maxLength: limits.maxIdempotencyKeyBytes,
    description: 'as the body’s `idempotency_key`, which must not differ',
  }),
)

export const PublishHeaders = Type.Object({
  'idempotency-key': idempotencyHeader,
  'outhook-ordering-key': Type.Optional(
    Type.String({
      ...headerText,
      maxLength: limits.maxOrderingKeyBytes,
      description: 'as the body’s `ordering_key`, which must not differ',
    }),
  ),
  'x-hookrail-ordering-key': Type.Optional(
    Type.String({
      ...headerText,
      maxLength: limits.maxOrderingKeyBytes,
      description: 'the same, under the name that clients of the webhook server Hookrail send',
    }),
  ),
  ...traceHeaders,
})

const receiptMembers = {
  warnings: PayloadWarnings,
  event_id: Id,
  delivery_ids: Type.Array(Id, {
    description: `one for each subscription that matches; empty where none does, and where \`state\` says \`accepted\``,
    maxItems: limits.maxDeliveriesAtOnce,
  }),
  filtered_subscriptions: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        'only where there are some: subscriptions whose topics match and whose filter did not let it through',
    }),
  ),
  state: Type.Optional(
    Type.String({
      enum: ['accepted'],
      description:
        `only of an event for more than ${limits.maxDeliveriesAtOnce} deliveries, or of a transaction: they are made ` +
        'after this answer, and `GET /v1/events/{id}` has them',
    }),
  ),
}

export const ReceiptBody = Type.Object({ id: Id, ...receiptMembers }, { title: 'PublishReceipt' })

const BatchItem = Closed(eventInput, { title: 'BatchEvent' })

/** Documents, as `PublishBody`. */
export const BatchBody = Closed(
  {
    events: Type.Array(
      Type.Unsafe<unknown>({
        anyOf: [BatchItem, { description: 'anything else is refused in its place, and hinders no other' }],
      }),
      { minItems: 1, maxItems: limits.maxBatchItems },
    ),
  },
  {
    title: 'PublishBatch',
    examples: [{ events: [{ topic: 'orders.created', payload: { id: 'o_1' }, idempotency_key: 'o_1' }] }],
  },
)

export const BatchResultBody = Type.Object(
  {
    items: Type.Array(
      Type.Object(
        {
          status: Type.Integer({ description: '202, or that of the problem' }),
          event_id: Type.Optional(receiptMembers.event_id),
          delivery_ids: Type.Optional(receiptMembers.delivery_ids),
          state: receiptMembers.state,
          filtered_subscriptions: receiptMembers.filtered_subscriptions,
          warnings: PayloadWarnings,
          replayed: Type.Optional(Type.Boolean()),
          type: Type.Optional(ProblemBody.properties.type),
          title: Type.Optional(ProblemBody.properties.title),
          detail: Type.Optional(ProblemBody.properties.detail),
          code: Type.Optional(ProblemBody.properties.code),
          path: ProblemBody.properties.path,
        },
        { title: 'BatchItemResult' },
      ),
      { description: 'in the order of the request' },
    ),
  },
  { title: 'BatchResult' },
)
export type BatchItemResult = Static<typeof BatchResultBody>['items'][number]

export const SentRequestBody = Type.Object(
  {
    url: Type.String(),
    method: Type.String({ enum: sendMethods }),
    headers: StringMap,
    timeout: Nullable(Type.String({ description: 'of one attempt; null: the server’s own' })),
    retry: Type.Unknown({ title: 'RetryPolicy' }),
  },
  { description: 'of a direct send, what was frozen when it was accepted; null: it was published' },
)

const eventMembers = {
  id: Id,
  event_id: Id,
  topic: Nullable(Type.String({ description: 'null: a direct send' })),
  state: Type.String({ enum: ['accepted', 'fanned_out'] }),
  payload_bytes: Type.Integer(),
  metadata: StringMap,
  ordering_key: Nullable(Type.String()),
  producer_key_id: Nullable(Id),
  deliver_at: Nullable(Time),
  trace_context: Nullable(
    Type.Object(
      { traceparent: Type.String(), tracestate: Type.Optional(Type.String()) },
      { description: 'the trace that its publisher was in, as W3C’s headers name it' },
    ),
  ),
  request: Nullable(SentRequestBody),
  filtered_subscriptions: Type.Integer({
    description:
      'subscriptions whose topics match and whose filter did not let it through; with no deliveries beside it, no filter did',
  }),
  has_idempotency_key: Type.Boolean({
    description:
      'whether it was published with an idempotency key, which itself is not shown; `false`, too, of what was published before this was kept',
  }),
  created_at: Time,
  expunged_at: Nullable({
    ...Time,
    description: 'when its payload was expunged on demand; null, too, where it is only past its retention',
  }),
}

export const ExpungeQuery = Closed({
  cancel: Type.Optional(
    Type.Boolean({
      description: 'cancel deliveries that have not come to an end, which is refused otherwise',
    }),
  ),
})

export const ExpungedBody = Type.Object(
  {
    event_id: Id,
    expunged_at: Time,
    cancelled: Type.Integer({ description: 'deliveries that were cancelled for it' }),
  },
  { title: 'Expunged' },
)

export const EventBody = Type.Object(eventMembers, { title: 'Event' })

export const EventStatusBody = Type.Object(
  {
    ...eventMembers,
    deliveries: Type.Array(DeliveryOfEventBody, {
      maxItems: limits.maxDeliveriesAtOnce,
      description: `oldest first, ${limits.maxDeliveriesAtOnce} at most; while \`state\` is \`accepted\`, those made so far`,
    }),
    next_cursor: Type.String({
      description: 'as the parameter `cursor`, gives the deliveries that follow; empty at the end',
    }),
  },
  { title: 'EventStatus' },
)

export const EventStatusQuery = Closed({ cursor: pageQuery.cursor })
