import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { maxTopicPatterns } from '../../core/topics.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, RetryPolicyInput, Time } from './shapes.ts'
import { idOf, TopicPattern } from './text-limits.ts'
import { Version } from './versions.ts'

const ordered = Type.Boolean({
  description:
    'events with the same ordering key are delivered one after the other, in the order in which they were published; one that is given up keeps those behind it waiting until it is replayed or skipped',
})

const settings = {
  topic_patterns: Type.Optional(Type.Array(TopicPattern, { minItems: 1, maxItems: maxTopicPatterns })),
  topic_pattern: Type.Optional(
    Type.String({ ...TopicPattern, description: 'instead of `topic_patterns`, one' }),
  ),
  retry_policy: Type.Optional(RetryPolicyInput),
  max_attempts: Type.Optional(Type.Unknown({ title: 'HookrailMaxAttempts' })),
  backoff_policy: Type.Optional(Type.Unknown({ title: 'HookrailBackoff' })),
}

/** Hookrail's two members stand in the place of `retry_policy`. */
const onePolicy = {
  anyOf: [
    { properties: { retry_policy: false } },
    { properties: { max_attempts: false, backoff_policy: false } },
  ],
}

const patternsAsList = { topic_patterns: {}, topic_pattern: false }
const patternAlone = { topic_patterns: false, topic_pattern: {} }

export const SubscriptionCreateBody = Closed(
  {
    endpoint_id: idOf('ep'),
    ...settings,
    ordered: Type.Optional({ ...ordered, default: false }),
  },
  {
    title: 'SubscriptionCreate',
    allOf: [
      {
        anyOf: [
          { required: ['topic_patterns'], properties: patternsAsList },
          { required: ['topic_pattern'], properties: patternAlone },
        ],
      },
      onePolicy,
    ],
    examples: [{ endpoint_id: 'ep_01h455vb4pex5vsknk084sn02q', topic_patterns: ['orders.*'] }],
  },
)

export const SubscriptionChangeBody = Closed(
  {
    ...settings,
    active: Type.Optional(Type.Boolean()),
    ordered: Type.Optional({
      ...ordered,
      description: 'cannot be changed: only what it is already is taken',
    }),
  },
  {
    title: 'SubscriptionChange',
    allOf: [{ anyOf: [{ properties: patternsAsList }, { properties: patternAlone }] }, onePolicy],
    examples: [{ topic_patterns: ['orders.*', 'refunds.*'] }],
  },
)
/** What both have in common. */
export type SubscriptionSettings = Static<typeof SubscriptionChangeBody>

export const SubscriptionBody = Type.Object(
  {
    id: Id,
    endpoint_id: Id,
    topic_patterns: Type.Array(Type.String()),
    retry_policy: RetryPolicyInput,
    active: Type.Boolean(),
    ordered,
    own: Type.Boolean({ description: 'made with its endpoint through `topics`' }),
    created_at: Time,
    updated_at: Time,
    deleted_at: Nullable(Time),
    version: Version,
  },
  { title: 'Subscription' },
)

export const SubscriptionPage = PageOf(SubscriptionBody)

export const SubscriptionQuery = Closed({
  ...pageQuery,
  endpoint_id: Type.Optional(idOf('ep')),
  include_deleted: Type.Optional(Type.Boolean()),
})
