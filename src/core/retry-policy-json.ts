/** Retry policies as API JSON: `"standard"`, an object of one's own, or hookrail's two members. */
import { durationForms, formatDuration, parseDuration } from './duration.ts'
import { OuthookError } from './errors.ts'
import type { StoredRetryPolicy } from './model.ts'
import {
  describeRetryProfiles,
  type ExponentialDelays,
  isRetryProfileName,
  type RetryOn,
  type RetryPolicy,
  retryProfiles,
} from './retry-policy.ts'

const maxAttemptsLimit = 100
const maxDelayMs = 7 * 86_400_000
const maxRetryOnEntries = 64
const members = ['max_attempts', 'delays', 'base', 'factor', 'cap', 'jitter', 'retry_on']
const retryOnForm = /^!?(?:[1-9]\d\d|[1-9]xx)$/

/** A policy as somebody gives it; what is left out is that of `standard`. */
export interface RetryPolicyObject {
  readonly max_attempts?: number
  /** In order, the last one repeating: text such as `'5s'`, or milliseconds. */
  readonly delays?: readonly (string | number)[]
  readonly base?: string | number
  readonly factor?: number
  readonly cap?: string | number
  readonly jitter?: 'none' | 'full' | number
  readonly retry_on?: string | readonly string[]
}

/** A policy as API JSON; durations as text. */
export type RetryPolicyJson =
  | string
  | {
      readonly max_attempts: number
      readonly delays?: readonly string[]
      readonly base?: string
      readonly factor?: number
      readonly cap?: string
      readonly jitter: 'none' | 'full' | number
      readonly retry_on: readonly string[]
    }

/**
 * Reads a profile's name or `{"max_attempts", "delays" or "base"+"factor"+"cap", "jitter", "retry_on"}`. What is
 * left out is that of `standard`; `max_attempts` then is one more than there are delays. An entry of `retry_on`
 * that begins with `!` is an exception to the others. Throws `unprocessable`, which names the member.
 */
export function parseRetryPolicy(input: unknown, member = 'retry_policy'): StoredRetryPolicy {
  if (typeof input === 'string') {
    if (isRetryProfileName(input)) return input
    throw refused(member, `"${input.slice(0, 64)}" is no profile; profiles are ${describeRetryProfiles()}`)
  }
  if (!isRecord(input))
    throw refused(member, `must be a profile's name (${describeRetryProfiles()}) or an object`)
  const unknownName = Object.keys(input).find((name) => !members.includes(name))
  if (unknownName !== undefined) {
    throw refused(`${member}.${unknownName}`, `is not known; members are ${members.join(', ')}`)
  }
  const delays = parseDelays(input, member)
  return {
    maxAttempts: parseMaxAttempts(input.max_attempts ?? defaultMaxAttempts(delays), `${member}.max_attempts`),
    delays,
    jitter: parseJitter(input.jitter, `${member}.jitter`),
    retryOn: parseRetryOn(input.retry_on, `${member}.retry_on`),
  }
}

/** The policy as API JSON that `parseRetryPolicy` reads back to the same. */
export function renderRetryPolicy(policy: StoredRetryPolicy): RetryPolicyJson {
  if (typeof policy === 'string') return policy
  const { maxAttempts, delays, jitter, retryOn } = policy
  const waits =
    'baseMs' in delays
      ? { base: formatDuration(delays.baseMs), factor: delays.factor, cap: formatDuration(delays.capMs) }
      : { delays: delays.map(formatDuration) }
  return {
    max_attempts: maxAttempts,
    ...waits,
    jitter,
    retry_on: [...retryOn.include, ...retryOn.except.map((entry) => `!${entry}`)],
  }
}

/**
 * Hookrail's `max_attempts` (0 or absent: 8) and `backoff_policy` `{"base_ms","cap_ms"}` (absent: 5 s and 6 h),
 * full jitter. Both members of `backoff_policy` are required and nothing else may stand in it.
 */
export function parseHookrailBackoff(input: {
  readonly maxAttempts?: unknown
  readonly backoffPolicy?: unknown
}): RetryPolicy {
  const { hookrail } = retryProfiles
  const given = input.maxAttempts
  const maxAttempts = given === undefined || given === null || given === 0 ? hookrail.maxAttempts : given
  return {
    ...hookrail,
    maxAttempts: parseMaxAttempts(maxAttempts, 'max_attempts', 'invalid subscription'),
    delays: parseHookrailDelays(input.backoffPolicy),
  }
}

function parseHookrailDelays(backoff: unknown): ExponentialDelays {
  if (backoff === undefined || backoff === null) return retryProfiles.hookrail.delays
  const title = 'invalid backoff_policy'
  if (!isRecord(backoff)) throw refused('backoff_policy', 'must be {"base_ms": int, "cap_ms": int}', title)
  const unknownName = Object.keys(backoff).find((name) => name !== 'base_ms' && name !== 'cap_ms')
  if (unknownName !== undefined) {
    throw refused(`backoff_policy.${unknownName}`, 'is not known; members are base_ms and cap_ms', title)
  }
  const [baseMs, capMs] = (['base_ms', 'cap_ms'] as const).map((name) => {
    const value = backoff[name]
    if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= maxDelayMs)
      return value as number
    throw refused(`backoff_policy.${name}`, `must be a whole number from 1 to ${maxDelayMs}`, title)
  }) as [number, number]
  if (capMs < baseMs) throw refused('backoff_policy.cap_ms', 'must not be less than base_ms', title)
  return { baseMs, factor: 2, capMs }
}

function parseDelays(input: Readonly<Record<string, unknown>>, member: string): RetryPolicy['delays'] {
  const { delays, base, factor, cap } = input
  if (delays !== undefined) {
    const extra = (['base', 'factor', 'cap'] as const).find((name) => input[name] !== undefined)
    if (extra !== undefined)
      throw refused(`${member}.${extra}`, 'cannot stand beside delays; give one or the other')
    if (!Array.isArray(delays) || delays.length === 0 || delays.length > maxAttemptsLimit) {
      throw refused(`${member}.delays`, `must be a list of 1 to ${maxAttemptsLimit} durations`)
    }
    return delays.map((delay, index) => parseDelay(delay, `${member}.delays[${index}]`))
  }
  if (base === undefined) {
    const extra = factor !== undefined ? 'factor' : cap !== undefined ? 'cap' : undefined
    if (extra !== undefined) throw refused(`${member}.${extra}`, 'needs base beside it')
    return retryProfiles.standard.delays
  }
  const baseMs = parseDelay(base, `${member}.base`)
  const capMs = cap === undefined ? Math.max(baseMs, 86_400_000) : parseDelay(cap, `${member}.cap`)
  if (baseMs === 0) throw refused(`${member}.base`, 'must be longer than 0')
  if (capMs < baseMs) throw refused(`${member}.cap`, 'must not be shorter than base')
  if (factor !== undefined && (typeof factor !== 'number' || !(factor >= 1 && factor <= 100))) {
    throw refused(`${member}.factor`, 'must be a number from 1 to 100')
  }
  return { baseMs, factor: factor ?? 2, capMs }
}

function parseDelay(value: unknown, member: string): number {
  const ms = parseDuration(value)
  if (ms !== null && ms <= maxDelayMs) return ms
  throw refused(member, `must be a duration of at most 7d: ${durationForms}`)
}

function defaultMaxAttempts(delays: RetryPolicy['delays']): number {
  return 'baseMs' in delays
    ? retryProfiles.standard.maxAttempts
    : Math.min(delays.length + 1, maxAttemptsLimit)
}

function parseMaxAttempts(value: unknown, member: string, title?: string): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxAttemptsLimit) {
    return value as number
  }
  throw refused(member, `must be a whole number from 1 to ${maxAttemptsLimit}`, title)
}

function parseJitter(value: unknown, member: string): RetryPolicy['jitter'] {
  if (value === undefined) return retryProfiles.standard.jitter
  if (value === 'none' || value === 'full') return value
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw refused(member, 'must be "none", "full" or a number from 0 to 1')
}

function parseRetryOn(value: unknown, member: string): RetryOn {
  if (value === undefined) return retryProfiles.standard.retryOn
  const list = typeof value === 'string' ? [value] : value
  if (!Array.isArray(list) || list.length > maxRetryOnEntries) {
    throw refused(
      member,
      `must be "non-2xx" or a list of at most ${maxRetryOnEntries} entries such as "429" or "5xx"`,
    )
  }
  const entries = list.map((entry, index) => parseRetryOnEntry(entry, `${member}[${index}]`))
  return {
    include: entries.filter((entry) => !entry.startsWith('!')),
    except: entries.filter((entry) => entry.startsWith('!')).map((entry) => entry.slice(1)),
  }
}

function parseRetryOnEntry(value: unknown, member: string): string {
  const entry = Number.isInteger(value) ? String(value) : value
  if (entry === 'non-2xx') return entry
  if (typeof entry !== 'string' || !retryOnForm.test(entry)) {
    throw refused(
      member,
      'must be a status such as "429", a class such as "5xx", "non-2xx", or one of these after "!"',
    )
  }
  if (/^(?:2|3|410)/.test(entry)) {
    throw refused(member, `"${entry}" is never retried: 2xx is success, redirects and 410 are final`)
  }
  return entry
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function refused(member: string, problem: string, title?: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`, title === undefined ? {} : { title })
}
