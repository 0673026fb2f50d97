import { Type } from '../../bundled/typebox.ts'
import { maxDomainChars } from '../../core/domains.ts'
import { limits } from '../../core/model.ts'
import { maxRateLimitRps, minRateLimitRps } from '../../core/rate-limit.ts'
import {
  maxAuthorizedDomains,
  maxMaxEndpoints,
  maxRetentionDays,
  maxTenantWeight,
  type RemovedOfTenant,
  removalPhases,
} from '../../core/tenant.ts'
import { healthInput, healthMembers } from './health.ts'
import {
  Closed,
  Id,
  metadataInput,
  Nullable,
  PageOf,
  pageQuery,
  RetryPolicyInput,
  StringMap,
  Time,
} from './shapes.ts'
import { durationPattern, linePattern } from './text-limits.ts'
import { Version } from './versions.ts'

/** A name of the caller's own. Those that look like ids are refused by the engine. */
const uidForm = { minLength: 1, maxLength: limits.maxUidChars, pattern: linePattern } as const

export const TenantParameter = Type.Optional(
  Type.String({
    ...uidForm,
    description:
      'for an admin token of all tenants: id or uid of the tenant that is meant; without it an object is found by its id, and a list or a creation is about the tenant `default`',
  }),
)

const Retention = (what: string) =>
  Type.Optional(
    Type.Unsafe<string | number | null>({
      type: ['string', 'integer', 'null'],
      pattern: durationPattern(maxRetentionDays),
      minimum: 0,
      maximum: maxRetentionDays * 86_400_000,
      examples: ['30d'],
      description: `how long ${what}; "0" is for ever, null the server’s setting`,
    }),
  )

const SettingsInput = Closed(
  {
    retain_payloads: Retention('payloads are kept'),
    retain_attempts: Retention('attempts are kept'),
    retain_events: Retention('finished deliveries and events are kept'),
    retain_dead_letters: Retention('a dead letter can be replayed'),
    retry_policy: Type.Optional(RetryPolicyInput),
    ...healthInput('the server’s setting'),
    ingest_rate: Type.Optional(
      Nullable(
        Type.Number({
          minimum: minRateLimitRps,
          maximum: maxRateLimitRps,
          description: 'events per second that it may publish, on average; null: no limit',
        }),
      ),
    ),
    max_endpoints: Type.Optional(
      Nullable(
        Type.Integer({
          minimum: 0,
          maximum: maxMaxEndpoints,
          description: 'endpoints that it may have at one time; null: no limit',
        }),
      ),
    ),
    weight: Type.Optional(
      Nullable(
        Type.Integer({
          minimum: 1,
          maximum: maxTenantWeight,
          description:
            'its part of what is delivered while several tenants wait: one with 3 gets thrice what one with 1 gets; null: 1',
        }),
      ),
    ),
    authorized_domains: Type.Optional(
      Nullable(
        Type.Array(Type.String({ minLength: 1, maxLength: maxDomainChars, pattern: linePattern }), {
          maxItems: maxAuthorizedDomains,
          examples: [['example.com']],
          description:
            'hosts that its endpoints and direct sends may have; each stands for all below it too; null or empty: any',
        }),
      ),
    ),
  },
  {
    title: 'TenantSettingsChange',
    description: 'members that are absent stay; null is the server’s setting',
  },
)

const inputMembers = {
  uid: Type.Optional(
    Nullable(
      Type.String({
        minLength: 1,
        maxLength: limits.maxUidChars,
        pattern: `^(?!ten_)${linePattern.slice(1)}`,
        description:
          'your own name for it, unique; with one that exists, POST brings that tenant to what is given',
      }),
    ),
  ),
  name: Type.Optional(
    Type.String({ maxLength: limits.maxTenantNameChars, pattern: linePattern, description: 'for people' }),
  ),
  metadata: Type.Optional(metadataInput('of your own', { plan: 'pro' })),
  settings: Type.Optional(SettingsInput),
}

export const TenantCreateBody = Closed(inputMembers, {
  title: 'TenantCreate',
  examples: [{ uid: 'acme', name: 'Acme Inc.', settings: { ingest_rate: 100, max_endpoints: 20 } }],
})

export const TenantChangeBody = Closed(inputMembers, {
  title: 'TenantChange',
  examples: [{ settings: { retain_payloads: '7d' } }],
})

const Kept = Nullable(Type.String({ description: 'a duration; "0ms": for ever; null: as the server has it' }))

const SettingsBody = Type.Object(
  {
    retain_payloads: Kept,
    retain_attempts: Kept,
    retain_events: Kept,
    retain_dead_letters: Kept,
    retry_policy: RetryPolicyInput,
    ...healthMembers('as the server has it'),
    ingest_rate: Nullable(Type.Number()),
    max_endpoints: Nullable(Type.Integer()),
    weight: Type.Integer(),
    authorized_domains: Type.Array(Type.String(), {
      description: 'hosts that its requests may go to, with all below them; empty: any',
    }),
  },
  { title: 'TenantSettings' },
)

const RemovalBody = Type.Object(
  {
    phase: Type.String({
      enum: removalPhases,
      description:
        'cancelling: endpoints are deleted, and what waits for them is cancelled; draining: what was under way is waited for; counting: what there is; removing: it goes. Deleted tenants go one after the other',
    }),
    started_at: Time,
    left: Type.Unsafe<RemovedOfTenant | null>({
      type: ['object', 'null'],
      properties: {
        endpoints: { type: 'integer' },
        events: { type: 'integer' },
        deliveries: { type: 'integer' },
      },
      required: ['endpoints', 'events', 'deliveries'],
      description: 'how many are still to be removed; null: they are not counted yet',
    }),
  },
  { title: 'TenantRemoval', description: 'how far the removal of a deleted tenant has got' },
)

export const TenantBody = Type.Object(
  {
    id: Id,
    uid: Nullable(Type.String()),
    name: Type.String(),
    metadata: StringMap,
    settings: SettingsBody,
    state: Type.String({
      enum: ['active', 'deleting'],
      description: 'deleting: it takes nothing more, and what belongs to it is being removed',
    }),
    removed: Type.Unsafe<{ endpoints: number; events: number; deliveries: number } | null>({
      type: ['object', 'null'],
      properties: {
        endpoints: { type: 'integer' },
        events: { type: 'integer' },
        deliveries: { type: 'integer' },
      },
      required: ['endpoints', 'events', 'deliveries'],
      description: 'of a tenant that is being deleted: how many were removed so far',
    }),
    removal: Nullable(RemovalBody),
    created_at: Time,
    updated_at: Time,
    deleted_at: Nullable(Time),
    version: Version,
  },
  { title: 'Tenant' },
)

export const TenantPage = PageOf(TenantBody)

export const TenantQuery = Closed({
  ...pageQuery,
  uid: Type.Optional(Type.String({ ...uidForm, description: 'the one with this name of your own, or none' })),
})
