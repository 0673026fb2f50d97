import { Type } from '../../bundled/typebox.ts'
import { endpointTimeouts } from '../../core/attempt-timeout.ts'
import { sendMethods } from '../../core/direct-request.ts'
import { limits } from '../../core/model.ts'
import { maxSchemes } from '../../core/signing-schemes.ts'
import { maxTopicPatterns } from '../../core/topics.ts'
import { kindNames, kinds } from '../../destinations/kinds.ts'
import { CapturedResponseBody } from './deliveries.ts'
import { KeyType, PublicKey, Secret, secretOrKeyType } from './endpoint-secrets.ts'
import { pool, urlAlone, urlsAlone } from './endpoint-urls.ts'
import { EffectiveHealthBody, healthInput, healthMembers } from './health.ts'
import {
  Closed,
  CustomHeaders,
  EffectiveRetryPolicyBody,
  EndpointSettingsInput,
  FilterInput,
  Id,
  MediaType,
  Nullable,
  PageOf,
  pageQuery,
  RateLimitInput,
  RetryPolicyInput,
  SigningSchemeInput,
  StringMap,
  Time,
} from './shapes.ts'
import { idOf, linePattern, linesPattern, Topic, TopicPattern, timeoutPattern } from './text-limits.ts'
import { Version } from './versions.ts'

const Kind = Type.Enum([...kindNames], {
  description: `what is sent to; it never changes. ${kindNames.map((name) => `${name}: ${kinds[name].title}`).join('; ')}`,
})

const settings = {
  kind: Type.Optional(Kind),
  settings: Type.Optional(EndpointSettingsInput),
  uid: Type.Optional(
    Nullable(
      Type.String({
        minLength: 1,
        maxLength: limits.maxUidChars,
        pattern: linePattern,
        description: 'a name of your own, unique; creating it again updates it',
      }),
    ),
  ),
  description: Type.Optional(Type.String({ maxLength: limits.maxDescriptionChars, pattern: linesPattern })),
  method: Type.Optional(
    Type.Enum([...sendMethods], {
      description: 'of requests to it; default: POST. Those of GET and DELETE carry no body',
    }),
  ),
  headers: Type.Optional(
    CustomHeaders({
      description:
        'sent with each request, at most 8 KiB in all; not those that the sender makes, and no secrets, because they are shown here: those belong in a credential',
      examples: [{ 'x-shop': 'berlin' }],
    }),
  ),
  content_type: Type.Optional(
    Nullable({
      ...MediaType,
      description:
        'of the body; null, the default: application/json. Not beside a `content-type` in `headers`, which says the same',
      examples: ['application/cloudevents+json'],
    }),
  ),
  timeout: Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      pattern: timeoutPattern,
      minimum: endpointTimeouts.minMs,
      maximum: endpointTimeouts.maxMs,
      description:
        'of one attempt, from 1s to 60s, whatever the server’s `total-timeout`, which is the default (null)',
      examples: ['30s'],
    }),
  ),
  signing_schemes: Type.Optional(
    Type.Array(SigningSchemeInput, {
      description: 'how requests to it are signed; `none` stands alone, and no two may set the same header',
      minItems: 1,
      maxItems: maxSchemes,
      uniqueItems: true,
      anyOf: [{ maxItems: 1 }, { items: { not: { const: 'none' } } }],
    }),
  ),
  max_in_flight: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'requests at one time, from all processes together',
    }),
  ),
  rate_limit_rps: Type.Optional(RateLimitInput),
  credential_id: Type.Optional(
    Nullable({ ...idOf('crd'), description: 'what its requests authenticate with; null: nothing' }),
  ),
  client_certificate_id: Type.Optional(
    Nullable({
      ...idOf('crd'),
      description:
        'a credential of the kind `client_certificate` that its connections show, besides a `credential_id` of another kind; null: none',
    }),
  ),
  topics: Type.Optional(
    Type.Array(TopicPattern, {
      minItems: 1,
      maxItems: maxTopicPatterns,
      description: 'patterns of the endpoint’s own subscription',
    }),
  ),
  filter: Type.Optional(FilterInput),
  retry_policy: Type.Optional(RetryPolicyInput),
  ...healthInput('that of the tenant, or the server'),
}

/** The filter is that of the endpoint's own subscription, which `topics` makes. */
const filterOfTopics = { dependentRequired: { filter: ['topics'] } }

export const EndpointCreateBody = Closed(
  {
    ...pool,
    ...settings,
    secret: Type.Optional(Secret),
    key_type: Type.Optional(KeyType),
  },
  {
    title: 'EndpointCreate',
    allOf: [
      {
        anyOf: [
          { required: ['url'], ...urlAlone },
          { required: ['urls'], ...urlsAlone },
        ],
      },
    ],
    ...filterOfTopics,
    ...secretOrKeyType,
    examples: [{ uid: 'billing', url: 'https://billing.example/hooks', topics: ['orders.*'] }],
  },
)

export const EndpointChangeBody = Closed(
  {
    ...pool,
    ...settings,
    enabled: Type.Optional(
      Type.Boolean({ description: 'false parks its deliveries until it is true again' }),
    ),
  },
  {
    title: 'EndpointChange',
    allOf: [{ anyOf: [urlAlone, urlsAlone] }],
    ...filterOfTopics,
    examples: [{ enabled: true }],
  },
)

const endpointMembers = {
  id: Id,
  uid: Nullable(Type.String()),
  kind: Type.String({ description: `what is sent to: ${kindNames.join(', ')}` }),
  url: Type.String({
    description:
      'the first of `urls`; with `***` in place of what is secret in it, where the kind’s URLs are secrets',
  }),
  urls: Type.Array(Type.String(), { description: 'its pool' }),
  fail_over: Type.Boolean(),
  settings: EndpointSettingsInput,
  description: Type.String(),
  method: Type.Enum([...sendMethods]),
  headers: StringMap,
  content_type: Nullable(Type.String({ description: 'of the body; null: application/json' })),
  timeout: Nullable(Type.String({ description: 'of one attempt; null: that of the server' })),
  signing_schemes: Type.Array(SigningSchemeInput),
  max_in_flight: Type.Integer(),
  in_flight: Type.Integer({ minimum: 0, description: 'its deliveries in flight, of all processes' }),
  rate_limit_rps: Nullable(Type.Number({ description: 'null: no limit' })),
  credential_id: Nullable(Type.String({ description: 'what its requests authenticate with' })),
  client_certificate_id: Nullable(Type.String({ description: 'what its connections show besides' })),
  topics: Nullable(
    Type.Array(Type.String(), { description: 'of its own subscription; null when it has none' }),
  ),
  filter: FilterInput,
  retry_policy: RetryPolicyInput,
  effective_retry_policy: EffectiveRetryPolicyBody,
  ...healthMembers('that of the tenant, or the server'),
  effective_health: EffectiveHealthBody,
  enabled: Type.Boolean(),
  state: Type.String({
    enum: ['active', 'paused', 'throttled', 'disabled'],
    description:
      'paused: nothing is sent, after failures until `resumes_at`, or by hand until it is resumed; throttled: the receiver asked for less until then; disabled: until it is enabled',
  }),
  resumes_at: Nullable(
    Type.String({ format: 'date-time', description: 'when a paused or throttled endpoint is sent to again' }),
  ),
  failing_since: Nullable(
    Type.String({
      format: 'date-time',
      description: 'since when no request to it has succeeded; null: nothing has failed since one did',
    }),
  ),
  consecutive_failures: Type.Integer({
    description: 'transport failures in a row, which the circuit breaker counts',
  }),
  subscription_count: Type.Integer({
    description: 'active subscriptions, the endpoint’s own included; with 0 it gets no events',
  }),
  disabled_reason: Nullable(Type.String({ description: 'operator, gone (it answered 410) or failing' })),
  disabled_at: Nullable(Time),
  paused_at: Nullable(Type.String({ format: 'date-time', description: 'since when it is paused by hand' })),
  paused_reason: Nullable(Type.String({ description: 'why, in the words of whoever paused it' })),
  paused_by: Nullable(
    Type.String({ description: 'the key of whoever paused it; null: the configured token, or a program' }),
  ),
  created_at: Time,
  updated_at: Time,
  deleted_at: Nullable(Time),
  version: Version,
}

export const EndpointBody = Type.Object(endpointMembers, { title: 'Endpoint' })

export const CreatedEndpointBody = Type.Object(
  {
    ...endpointMembers,
    secret: Type.String({
      description: 'keep it; afterwards only `reveal` shows it. Empty where the kind signs nothing',
    }),
    public_key: PublicKey,
  },
  { title: 'CreatedEndpoint' },
)

export const EndpointPage = PageOf(EndpointBody)

export const EndpointQuery = Closed({
  ...pageQuery,
  uid: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: limits.maxUidChars,
      pattern: linePattern,
      description: 'the one live endpoint with this name of your own, or none',
    }),
  ),
  include_deleted: Type.Optional(Type.Boolean()),
})
export const DeletedQuery = Closed({ include_deleted: Type.Optional(Type.Boolean()) })

export const PauseBody = Closed(
  {
    reason: Type.Optional(
      Type.String({
        maxLength: limits.maxDescriptionChars,
        pattern: linePattern,
        description: 'why, for whoever looks at the endpoint',
      }),
    ),
  },
  { title: 'Pause', examples: [{ reason: 'maintenance until noon' }] },
)

export const EnableBody = Closed(
  {
    backlog: Type.Optional(
      Type.Enum(['deliver', 'skip'], {
        description:
          'what becomes of deliveries that wait for it: deliver (the default) sends them; skip cancels them first, as a job',
      }),
    ),
  },
  { title: 'Enable', examples: [{ backlog: 'skip' }] },
)

export const TestBody = Closed(
  {
    topic: Type.Optional({ ...Topic, description: 'default: outhook.test' }),
    payload: Type.Optional(Type.Unknown({ description: 'any JSON; default: {"test":true}' })),
  },
  { title: 'EndpointTest', examples: [{ topic: 'orders.created', payload: { id: 'o_1' } }] },
)

export const TestResultBody = Type.Object(
  {
    event_id: Id,
    succeeded: Type.Boolean({ description: 'the receiver answered 2xx' }),
    http_status: Nullable(Type.Integer()),
    error_class: Nullable(Type.String()),
    error: Nullable(Type.String()),
    latency_ms: Type.Integer(),
    response: Type.Optional(CapturedResponseBody),
  },
  { title: 'EndpointTestResult' },
)
