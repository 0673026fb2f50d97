import { Type } from '../../bundled/typebox.ts'
import { describeSigningSchemes, signingSchemes } from '../../core/signing.ts'
import {
  Closed,
  Id,
  Nullable,
  PageOf,
  pageQuery,
  RateLimitInput,
  RetryPolicyInput,
  StringMap,
  Time,
} from './shapes.ts'

const settings = {
  uid: Type.Optional(
    Nullable(Type.String({ description: 'a name of your own, unique; creating it again updates it' })),
  ),
  description: Type.Optional(Type.String({ description: 'at most 1000 characters' })),
  headers: Type.Optional(
    Type.Record(Type.String(), Type.String(), { description: 'sent with each request' }),
  ),
  signing_schemes: Type.Optional(
    Type.Array(Type.Enum([...signingSchemes]), {
      description: `how requests to it are signed: ${describeSigningSchemes()}`,
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
  topics: Type.Optional(
    Type.Array(Type.String(), {
      description: 'patterns of the endpoint’s own subscription: `a.b`, `a.*` or `*`',
    }),
  ),
  retry_policy: Type.Optional(RetryPolicyInput),
}

export const EndpointCreateBody = Closed(
  {
    url: Type.String({ description: 'https, unless the server allows http' }),
    ...settings,
    secret: Type.Optional(Type.String({ description: '`whsec_…`; made when absent' })),
  },
  { title: 'EndpointCreate' },
)

export const EndpointChangeBody = Closed(
  {
    url: Type.Optional(Type.String()),
    ...settings,
    enabled: Type.Optional(
      Type.Boolean({ description: 'false parks its deliveries until it is true again' }),
    ),
  },
  { title: 'EndpointChange' },
)

const endpointMembers = {
  id: Id,
  uid: Nullable(Type.String()),
  url: Type.String(),
  description: Type.String(),
  headers: StringMap,
  signing_schemes: Type.Array(Type.String(), { description: describeSigningSchemes() }),
  max_in_flight: Type.Integer(),
  rate_limit_rps: Nullable(Type.Number({ description: 'null: no limit' })),
  topics: Nullable(
    Type.Array(Type.String(), { description: 'of its own subscription; null when it has none' }),
  ),
  retry_policy: RetryPolicyInput,
  enabled: Type.Boolean(),
  state: Type.String({
    enum: ['active', 'paused', 'throttled', 'disabled'],
    description:
      'paused: nothing is sent after failures, until `resumes_at`; throttled: the receiver asked for less until then; disabled: until it is enabled',
  }),
  resumes_at: Nullable(
    Type.String({ format: 'date-time', description: 'when a paused or throttled endpoint is sent to again' }),
  ),
  subscription_count: Type.Integer({
    description: 'active subscriptions, the endpoint’s own included; with 0 it gets no events',
  }),
  disabled_reason: Nullable(Type.String({ description: 'operator, gone (it answered 410) or failing' })),
  disabled_at: Nullable(Time),
  created_at: Time,
  updated_at: Time,
  deleted_at: Nullable(Time),
}

export const EndpointBody = Type.Object(endpointMembers, { title: 'Endpoint' })

export const CreatedEndpointBody = Type.Object(
  { ...endpointMembers, secret: Type.String({ description: 'shown here once and never again' }) },
  { title: 'CreatedEndpoint' },
)

export const EndpointPage = PageOf(EndpointBody)

export const EndpointQuery = Closed({
  ...pageQuery,
  uid: Type.Optional(
    Type.String({ description: 'the one live endpoint with this name of your own, or none' }),
  ),
  include_deleted: Type.Optional(Type.Boolean()),
})
export const DeletedQuery = Closed({ include_deleted: Type.Optional(Type.Boolean()) })

export const RotateSecretBody = Closed(
  {
    grace: Type.Optional(
      Type.Unsafe<string | number>({
        type: ['string', 'integer'],
        description: 'how long the old secret goes on signing: "24h" (the default), at most 30 days',
      }),
    ),
    secret: Type.Optional(Type.String({ description: '`whsec_…`; made when absent' })),
  },
  { title: 'RotateSecret' },
)

export const SecretBody = Type.Object({ secret: Type.String() })
