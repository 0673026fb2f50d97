import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, RetryPolicyInput, Time } from './shapes.ts'

const settings = {
  topic_patterns: Type.Optional(Type.Array(Type.String(), { description: '`a.b`, `a.*` or `*`' })),
  topic_pattern: Type.Optional(Type.String({ description: 'instead of `topic_patterns`, one' })),
  retry_policy: Type.Optional(RetryPolicyInput),
  max_attempts: Type.Optional(
    Type.Unknown({
      description: '1 to 100, instead of `retry_policy`: what clients of the webhook server Hookrail send',
    }),
  ),
  backoff_policy: Type.Optional(
    Type.Unknown({
      description:
        '`{"base_ms","cap_ms"}`, instead of `retry_policy`: what clients of the webhook server Hookrail send',
    }),
  ),
}

export const SubscriptionCreateBody = Closed(
  { endpoint_id: Type.String(), ...settings },
  { title: 'SubscriptionCreate' },
)

export const SubscriptionChangeBody = Closed(
  { ...settings, active: Type.Optional(Type.Boolean()) },
  { title: 'SubscriptionChange' },
)
/** What both have in common. */
export type SubscriptionSettings = Static<typeof SubscriptionChangeBody>

export const SubscriptionBody = Type.Object(
  {
    id: Id,
    endpoint_id: Id,
    topic_patterns: Type.Array(Type.String()),
    retry_policy: RetryPolicyInput,
    ordered: Type.Boolean(),
    active: Type.Boolean(),
    own: Type.Boolean({ description: 'made with its endpoint through `topics`' }),
    created_at: Time,
    updated_at: Time,
    deleted_at: Nullable(Time),
  },
  { title: 'Subscription' },
)

export const SubscriptionPage = PageOf(SubscriptionBody)

export const SubscriptionQuery = Closed({
  ...pageQuery,
  endpoint_id: Type.Optional(Type.String()),
  include_deleted: Type.Optional(Type.Boolean()),
})
