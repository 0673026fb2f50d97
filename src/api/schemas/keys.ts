import { Type } from '../../bundled/typebox.ts'
import { adminRoles, keyAbilities, limits } from '../../core/model.ts'
import { maxTopicPatterns } from '../../core/topics.ts'
import { Closed, Id, Nullable, PageOf, pageQuery, RateLimitInput, Time } from './shapes.ts'
import { durationPattern, longerThanNothing, namePattern, TopicPattern } from './text-limits.ts'
import { Version } from './versions.ts'

export const KeyName = Type.String({
  minLength: 1,
  maxLength: limits.maxKeyNameChars,
  pattern: namePattern,
  description: 'whose key it is',
})

const maxExpiryDays = 36_500

/** When a key or token is no longer taken: one of the two. */
export const expiryMembers = {
  expires_at: Type.Optional(
    Type.Unsafe<string | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'from then on it is refused, RFC 3339; null: never. Not beside `expires_in`',
    }),
  ),
  expires_in: Type.Optional(
    Type.Unsafe<string | number>({
      type: ['string', 'integer'],
      pattern: longerThanNothing + durationPattern(maxExpiryDays),
      minimum: 1,
      maximum: maxExpiryDays * 86_400_000,
      examples: ['90d'],
      description: 'how long it is taken: "90d", "12h"',
    }),
  ),
}

const settings = {
  scopes: Type.Optional(
    Type.Array(TopicPattern, {
      minItems: 1,
      maxItems: maxTopicPatterns,
      description: 'the topics that it may publish; all when left out',
    }),
  ),
  abilities: Type.Optional(
    Type.Array(Type.Enum([...keyAbilities]), {
      minItems: 1,
      uniqueItems: true,
      description:
        '`publish`: events, and read those that were published with it; `read`: all events of its tenant; `send`: makes deliveries to URLs and endpoints that it names. Default `["publish"]`',
    }),
  ),
  rate_limit_rps: Type.Optional(RateLimitInput),
  ...expiryMembers,
}

export const KeyCreateBody = Closed(
  {
    name: KeyName,
    kind: Type.Optional(
      Type.Enum(['producer', 'admin'], {
        description:
          '`admin`: an admin token of role admin, without settings; `POST /v1/admin-tokens` makes all',
      }),
    ),
    ...settings,
  },
  { title: 'KeyCreate', examples: [{ name: 'checkout', scopes: ['orders.*'], expires_in: '90d' }] },
)

export const KeyChangeBody = Closed(
  { name: Type.Optional(KeyName), ...settings },
  { title: 'KeyChange', examples: [{ scopes: ['orders.*', 'refunds.*'] }] },
)

export const RotateKeyBody = Closed(
  {
    grace: Type.Optional(
      Type.Unsafe<string | number>({
        type: ['string', 'integer'],
        pattern: durationPattern(30),
        minimum: 0,
        maximum: 2_592_000_000,
        examples: ['24h'],
        description: 'how long what the key was before is taken too: "24h" (the default), at most 30 days',
      }),
    ),
  },
  { title: 'RotateKey' },
)

const keyMembers = {
  id: Id,
  tenant_id: Nullable(Type.String({ description: 'null: of an admin token for all tenants' })),
  kind: Type.String({ enum: ['producer', 'admin'] }),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  abilities: Type.Array(Type.String()),
  rate_limit_rps: Nullable(
    Type.Number({ description: 'events a second that it may publish; null: as the server is set' }),
  ),
  created_at: Time,
  expires_at: Nullable(Time),
  last_used_at: Nullable(
    Type.String({ format: 'date-time', description: 'within a minute or so; null: never' }),
  ),
  revoked_at: Nullable(Time),
  version: Version,
}

export const KeyBody = Type.Object(keyMembers, { title: 'Key' })

const ShownOnce = Type.String({ description: 'shown here once and never again' })

export const CreatedKeyBody = Type.Object({ ...keyMembers, key: ShownOnce }, { title: 'CreatedKey' })

export const RotatedKeyBody = Type.Object(
  {
    ...keyMembers,
    key: ShownOnce,
    previous_expires_at: Type.String({
      format: 'date-time',
      description: 'until when what the key was before is taken too',
    }),
  },
  { title: 'RotatedKey' },
)

export const KeyPage = PageOf(KeyBody)

export const KeyQuery = Closed({
  ...pageQuery,
  kind: Type.Optional(Type.Enum(['producer', 'admin'], { description: 'default `producer`' })),
})

export const WhoamiBody = Type.Object(
  {
    role: Type.String({ enum: ['producer', 'portal', ...adminRoles] }),
    tenant_id: Nullable(Type.String({ description: 'null for an admin token of all tenants' })),
    key_id: Nullable(Type.String({ description: 'null for the token of the configuration' })),
  },
  { title: 'Whoami' },
)
