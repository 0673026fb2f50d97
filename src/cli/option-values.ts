/** Reads the values of options; what is wrong with one becomes the usage error of its command. */
import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import type { EndpointChange, EndpointSettings, Filter, RetryPolicy } from '../client/generated/types.ts'
import { createSystemClock } from '../core/clock.ts'
import { durationForms, parseDuration } from '../core/duration.ts'
import { maxRateLimitRps, minRateLimitRps } from '../core/rate-limit.ts'

/** For options that may be given several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}

/** The same, where the word takes all of them back. */
export function collectOrDefault(
  value: string,
  previous: readonly string[] | 'default' | undefined,
): readonly string[] | 'default' {
  if (value === 'default') return value
  return collect(value, previous === 'default' ? undefined : previous)
}

/** Likewise, where `any` is no restriction. */
export function collectOrAny(
  value: string,
  previous: readonly string[] | 'any' | undefined,
): readonly string[] | 'any' {
  if (value === 'any') return value
  return collect(value, previous === 'any' ? undefined : previous)
}

export function wholeNumber(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value)
    if (!/^\d{1,15}$/.test(value) || number < min || number > max) {
      throw new InvalidArgumentError(`Use a whole number from ${min} to ${max}.`)
    }
    return number
  }
}

/** Commander makes an empty text of null, so the word stays what it is. */
export function rateLimit(value: string): number | 'none' {
  if (value === 'none') return value
  const rps = Number(value)
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(value) || rps < minRateLimitRps || rps > maxRateLimitRps) {
    throw new InvalidArgumentError(
      `Use requests per second from ${minRateLimitRps} to ${maxRateLimitRps}, or none for no limit.`,
    )
  }
  return rps
}

export function oneOf<Name extends string>(names: readonly Name[]): (value: string) => Name {
  return (value) => {
    const known = names.find((name) => name === value)
    if (known === undefined) throw new InvalidArgumentError(`Use one of ${names.join(', ')}.`)
    return known
  }
}

/** The rest of its limits are the server's to know. */
export function positiveNumber(value: string): number {
  const number = Number(value)
  if (!/^\d{1,7}(\.\d{1,9})?$/.test(value) || number <= 0) {
    throw new InvalidArgumentError('Use a number above 0, such as 2.5.')
  }
  return number
}

/** Commander makes an empty text of null, so the word for it stays what it is. */
export function orDefault<T>(read: (value: string) => T): (value: string) => T | 'default' {
  return (value) => (value === 'default' ? value : read(value))
}

export function durationMs(value: string): number {
  const ms = parseDuration(value)
  if (ms === null) throw new InvalidArgumentError(`Use ${durationForms}.`)
  return ms
}

/** A time of RFC 3339, or how long ago: `2h`. Gives RFC 3339. */
export function moment(value: string): string {
  const ago = /[a-z]$/.test(value) ? parseDuration(value) : null
  if (ago !== null) return new Date(createSystemClock().now() - ago).toISOString()
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError('Use a time such as 2026-01-31T12:00:00Z, or how long ago, such as 2h.')
  }
  return new Date(time).toISOString()
}

export interface Expiry {
  readonly expiresAt?: string | null
  readonly expiresIn?: string
}

/** How long from now, a time of RFC 3339, or `never`. */
export function expiry(value: string): Expiry {
  if (value === 'never') return { expiresAt: null }
  if (parseDuration(value) !== null) return { expiresIn: value }
  if (/^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value))) return { expiresAt: value }
  throw new InvalidArgumentError('Use how long, such as 90d, a time such as 2030-01-31T12:00:00Z, or never.')
}

/** `name=value`, or `name: value` for headers; given several times. */
export function pair(separator: '=' | ':') {
  return (value: string, previous: Readonly<Record<string, string>> | undefined) => {
    const at = value.indexOf(separator)
    if (at < 1) throw new InvalidArgumentError(`Use name${separator}value.`)
    return { ...previous, [value.slice(0, at).trim()]: value.slice(at + 1).trim() }
  }
}

/** The same for `--header`, with `none` for no headers at all. */
export function headerOrNone(
  value: string,
  previous: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> {
  return value === 'none' ? {} : pair(':')(value, previous)
}

type Schemes = NonNullable<EndpointChange['signingSchemes']>

/** A name, or a JSON object; the rest is the server's to know. For an option that may be given several times. */
export function signingScheme(value: string, previous: Schemes | undefined): Schemes {
  if (!value.trimStart().startsWith('{')) return [...(previous ?? []), value as Schemes[number]]
  try {
    return [...(previous ?? []), JSON.parse(value)]
  } catch (error) {
    throw new InvalidArgumentError(`Use a scheme's name or a JSON object (${(error as Error).message}).`)
  }
}

/** What payloads have to be like, as a JSON object. Commander makes an empty text of null, so `none` stays what it is. */
export function payloadFilter(value: string): FilterOption {
  const allowed =
    'Use a JSON object such as {"total":{"$gte":100}}, @ and the name of a file with one, or none'
  return value === 'none' ? value : (jsonValue(value, allowed) as NonNullable<Filter>)
}

export type FilterOption = NonNullable<Filter> | 'none'

/** As the API has it. */
export function filterOf(option: FilterOption | undefined): Filter | undefined {
  return option === 'none' ? null : option
}

/** What the kind of an endpoint asks for, as a JSON object; `none` for what the kind has itself. */
export function endpointSettings(value: string): NonNullable<EndpointSettings> | 'none' {
  const allowed =
    'Use a JSON object such as {"template":"{{topic}}"}, @ and the name of a file with one, or none'
  return value === 'none' ? value : (jsonValue(value, allowed) as NonNullable<EndpointSettings>)
}

export function jsonPayload(value: string): unknown {
  return jsonValue(value, 'Use JSON, or @ and the name of a file with it')
}

/** JSON never begins with `@`. */
function jsonValue(value: string, allowed: string): unknown {
  const text = value.startsWith('@') ? readText(value.slice(1)) : value
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new InvalidArgumentError(`${allowed} (this is not JSON: ${(error as Error).message}).`)
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new InvalidArgumentError(
      `The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}).`,
    )
  }
}

/** A profile's name, or a policy as a JSON object. Which names and members there are the server says. */
export function retryPolicy(value: string): RetryPolicy {
  if (!value.trimStart().startsWith('{')) return value as RetryPolicy
  try {
    return JSON.parse(value)
  } catch (error) {
    throw new InvalidArgumentError(
      `Use a profile's name or a JSON object (this is not JSON: ${(error as Error).message}).`,
    )
  }
}
