/** What a tenant's settings may be. Every function throws `unprocessable`, which names the member. */
import { durationForms, parseDuration } from '../core/duration.ts'
import { OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import type { StoredRetryPolicy } from '../core/model.ts'
import { isPlainObject } from '../core/plain-object.ts'
import { maxRateLimitRps, minRateLimitRps } from '../core/rate-limit.ts'
import type { RetryPolicies } from '../core/retry-policies.ts'
import {
  maxAuthorizedDomains,
  maxMaxEndpoints,
  maxRetentionDays,
  maxTenantWeight,
  type TenantSettings,
} from '../core/tenant.ts'
import { checkPauses, type HealthInput, healthMembers } from './health-settings.ts'
import { readHosts } from './host-list.ts'

/** Members that are absent stay as they are; null is the server's setting. Durations are milliseconds or text. */
export interface TenantSettingsInput extends HealthInput {
  /** How long payloads are kept; 0 is for ever. */
  readonly retainPayloads?: number | string | null
  readonly retainAttempts?: number | string | null
  readonly retainEvents?: number | string | null
  readonly retainDeadLetters?: number | string | null
  /** Of subscriptions without one of their own: a profile's name or a policy object as in the API (snake_case JSON). */
  readonly retryPolicy?: unknown
  /** Events per second that it may publish, on average; up to two seconds' worth may come at once. Null: no limit. */
  readonly ingestRate?: number | null
  /** Endpoints that it may have at one time. Null: no limit. */
  readonly maxEndpoints?: number | null
  /** Its part of what is delivered while several tenants wait: one with 3 gets thrice what one with 1 gets. Null: 1. */
  readonly weight?: number | null
  /**
   * Hosts that its endpoints and direct sends may have, such as `example.com`; each stands for all below it too. Null or
   * an empty list: any.
   */
  readonly authorizedDomains?: readonly string[] | null
}

/** As its users see them: all members, durations in milliseconds. */
export interface TenantSettingsView extends Readonly<Record<keyof HealthInput, number | null>> {
  readonly retainPayloads: number | null
  readonly retainAttempts: number | null
  readonly retainEvents: number | null
  readonly retainDeadLetters: number | null
  readonly retryPolicy: StoredRetryPolicy | null
  readonly ingestRate: number | null
  readonly maxEndpoints: number | null
  readonly weight: number
  readonly authorizedDomains: readonly string[]
}

type Read = (value: unknown, member: string, policies: RetryPolicies) => unknown
type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

const members: Readonly<
  Record<keyof TenantSettingsInput, { readonly kept: keyof TenantSettings; readonly read: Read }>
> = {
  retainPayloads: { kept: 'retainPayloadsMs', read: readRetention },
  retainAttempts: { kept: 'retainAttemptsMs', read: readRetention },
  retainEvents: { kept: 'retainEventsMs', read: readRetention },
  retainDeadLetters: { kept: 'retainDeadLettersMs', read: readRetention },
  retryPolicy: { kept: 'retryPolicy', read: (value, member, policies) => policies.read(value, member) },
  ...healthMembers,
  ingestRate: { kept: 'ingestRate', read: readIngestRate },
  maxEndpoints: {
    kept: 'maxEndpoints',
    read: (value, member) => readWhole(value, member, [0, maxMaxEndpoints]),
  },
  weight: { kept: 'weight', read: (value, member) => readWhole(value, member, [1, maxTenantWeight]) },
  authorizedDomains: { kept: 'authorizedDomains', read: readDomains },
}

interface ReadContext {
  readonly words: FaceWords
  readonly retryPolicies: RetryPolicies
}

/** The members that are given, checked. */
export function readTenantSettings(
  given: unknown,
  { words: { member }, retryPolicies }: ReadContext,
): Partial<TenantSettings> {
  if (typeof given !== 'object' || given === null || !isPlainObject(given)) {
    throw refused('settings', 'must be an object of settings')
  }
  const settings: Partial<Mutable<TenantSettings>> = {}
  for (const [name, value] of Object.entries(given)) {
    const known = Object.hasOwn(members, name) ? members[name as keyof TenantSettingsInput] : undefined
    if (known === undefined) {
      const names = Object.keys(members).map((each) => member(snakeCase(each)))
      throw refused(`settings.${name.slice(0, 64)}`, `is not known; settings are ${names.join(', ')}`)
    }
    if (value === undefined) continue
    const read =
      value === null ? null : known.read(value, `settings.${member(snakeCase(name))}`, retryPolicies)
    Object.assign(settings, { [known.kept]: read })
  }
  checkPauses(settings, { member }, 'settings.')
  return settings
}

export function viewTenantSettings(settings: TenantSettings): TenantSettingsView {
  const shown = Object.entries(members).map(([name, { kept }]) => [name, settings[kept]])
  return Object.fromEntries(shown) as TenantSettingsView
}

function readRetention(value: unknown, member: string): number {
  const ms = parseDuration(value)
  if (ms !== null && ms <= maxRetentionDays * 86_400_000) return ms
  throw refused(member, `must be ${durationForms}, at most ${maxRetentionDays}d, 0 for ever, or null`)
}

function readIngestRate(value: unknown, member: string): number {
  if (typeof value === 'number' && value >= minRateLimitRps && value <= maxRateLimitRps) return value
  throw refused(
    member,
    `must be a number of events per second from ${minRateLimitRps} to ${maxRateLimitRps}, or null`,
  )
}

function readWhole(value: unknown, member: string, [least, most]: readonly [number, number]): number {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value)
  throw refused(member, `must be a whole number from ${least} to ${most}, or null`)
}

function readDomains(value: unknown, member: string): readonly string[] {
  if (!Array.isArray(value) || value.length > maxAuthorizedDomains) {
    throw refused(member, `must be a list of at most ${maxAuthorizedDomains} hosts, or null`)
  }
  return readHosts(value, member)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`)
}
