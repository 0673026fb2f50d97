import type { Static } from 'typebox'
import { Type } from '../../bundled/typebox.ts'
import { defaultPreviewed, maxPreviewed, previewReasons } from '../../core/filter/preview.ts'
import { maxTopicPatterns } from '../../core/topics.ts'
import {
  AnyJson,
  Closed,
  CustomHeaders,
  EffectiveRetryPolicyBody,
  FilterInput,
  Id,
  Nullable,
  PageOf,
  pageQuery,
  RetryPolicyInput,
  StringMap,
  Time,
} from './shapes.ts'
import { idOf, Topic, TopicPattern } from './text-limits.ts'
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
  filter: Type.Optional(FilterInput),
  headers: Type.Optional(
    CustomHeaders({
      description:
        'sent with each request that its deliveries make, at most 8 KiB in all; they win over those of the endpoint. Not those that the sender makes, and no secrets: those belong in a credential',
      examples: [{ 'x-feed': 'orders' }],
    }),
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
    active: Type.Optional(
      Type.Boolean({ default: true, description: 'false: events do not go to it until it is true' }),
    ),
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
    filter: FilterInput,
    headers: StringMap,
    retry_policy: RetryPolicyInput,
    effective_retry_policy: EffectiveRetryPolicyBody,
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

export const PreviewBody = Closed(
  {
    filter: FilterInput,
    topic_patterns: Type.Optional(Type.Array(TopicPattern, { minItems: 1, maxItems: maxTopicPatterns })),
    payload: Type.Optional({ ...AnyJson, description: 'looked at in place of recent events' }),
    topic: Type.Optional({ ...Topic, description: 'of `payload`' }),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: maxPreviewed,
        default: defaultPreviewed,
        description: 'events at most, the newest that have a topic of `topic_patterns`',
      }),
    ),
  },
  {
    title: 'SubscriptionPreview',
    dependentRequired: { topic: ['payload'] },
    examples: [{ filter: { total: { $gte: 100 } }, topic_patterns: ['orders.*'] }],
  },
)

const FailedCondition = Type.Object(
  {
    path: Type.String({ description: 'of the value in the payload; empty: the payload itself' }),
    condition: { ...AnyJson, description: 'what does not hold, as the filter has it there' },
    found: Nullable(
      Type.String({ description: 'the value’s JSON, at most 200 characters; null: there is none' }),
    ),
  },
  { title: 'FailedCondition' },
)

export const PreviewAnswerBody = Type.Object(
  {
    passed: Type.Integer({ description: 'events that the subscription would get' }),
    looked_at: Type.Integer({ description: 'events, also those of other topics' }),
    items: Type.Array(
      Type.Object({
        event_id: Nullable(Type.String({ description: 'null: of the `payload` that was given' })),
        topic: Nullable(Type.String()),
        created_at: Nullable(Time),
        passes: Type.Boolean(),
        reason: Nullable(
          Type.String({
            enum: [...previewReasons, null],
            description:
              'why it does not pass. `filter`: a condition does not hold, which `failed` names; `topic`: its topic is none of `topic_patterns`; `not_json`: the payload is not JSON; `too_costly`: the filter would take too long for this payload; `payload_gone`: the payload is not kept any more',
          }),
        ),
        failed: Type.Unsafe<Static<typeof FailedCondition> | null>({
          anyOf: [FailedCondition, { type: 'null' }],
        }),
      }),
      { description: 'newest first' },
    ),
  },
  { title: 'SubscriptionPreviewed' },
)
