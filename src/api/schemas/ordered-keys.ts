import { Type } from '../../bundled/typebox.ts'
import { deliveryStates, limits } from '../../core/model.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, Time } from './shapes.ts'
import { idOf, linePattern, linesPattern } from './text-limits.ts'

export const OrderedKeyBody = Type.Object(
  {
    subscription_id: Id,
    endpoint_id: Id,
    ordering_key: Type.String(),
    state: Type.String({
      enum: ['blocked', 'active'],
      description:
        'blocked: its head was given up, and what is behind it waits until it is replayed or skipped',
    }),
    head_delivery_id: Type.String({ description: 'the one delivery of the key whose turn it is' }),
    head_state: Type.String({ enum: deliveryStates }),
    blocked_since: Nullable(Time),
    backlog_count: Type.Integer({
      description: 'deliveries of the key that have not come to an end, the head included',
    }),
    oldest_successor_age_sec: Nullable(
      Type.Integer({
        description: 'how long the oldest delivery behind the head waits; null: there is none',
      }),
    ),
  },
  { title: 'OrderedKey' },
)

export const OrderedKeyPage = PageOf(OrderedKeyBody)

export const OrderedKeyQuery = Closed({
  limit: pageQuery.limit,
  cursor: Type.Optional(
    Type.String({ pattern: '^(?:[A-Za-z0-9_-]{42,382})?$', description: '`next_cursor` of the page before' }),
  ),
  blocked: Type.Optional(
    Type.Boolean({ description: 'true: only those whose head was given up; false: only the others' }),
  ),
  subscription_id: Type.Optional(idOf('sub')),
  ordering_key: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.maxOrderingKeyBytes,
      pattern: linePattern,
      description: 'exact',
    }),
  ),
})

export const SkipBody = Closed(
  {
    reason: Type.Optional(
      Type.String({
        maxLength: limits.maxDescriptionChars,
        pattern: linesPattern,
        description: 'why, for whoever looks at the delivery: part of its `last_error`',
      }),
    ),
  },
  { title: 'Skip', examples: [{ reason: 'corrected by hand at the receiver' }] },
)

export const SkippedBody = Type.Object(
  {
    delivery_id: Id,
    state: Type.Literal('skipped'),
    next_head_delivery_id: Nullable(
      Type.String({ description: 'whose turn it became; null: nothing of the key waited' }),
    ),
  },
  { title: 'Skipped' },
)
