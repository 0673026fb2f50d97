/**
 * What an endpoint's settings may be. Every function throws `unprocessable`, and `invalid_request` for what is no text,
 * naming the member.
 */
import { endpointTimeouts } from '../core/attempt-timeout.ts'
import { type SendMethod, sendMethods } from '../core/direct-request.ts'
import { durationForms, parseDuration } from '../core/duration.ts'
import { type ErrorCode, OuthookError } from '../core/errors.ts'
import type { FaceWords } from '../core/face-words.ts'
import { parseId } from '../core/ids.ts'
import { isWithin, limits } from '../core/model.ts'
import { maxRateLimitRps, minRateLimitRps } from '../core/rate-limit.ts'
import { secretKinds } from '../core/signing-secrets.ts'
import { checkText } from '../core/text.ts'
import type { EndpointChange } from './endpoint-input.ts'
import { checkId } from './page.ts'

const maxMaxInFlight = 1000
const { maxUidChars, maxDescriptionChars } = limits

/** A member that nobody reads would be a setting that its caller believes in. */
export function checkMembers(given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new OuthookError('unprocessable', 'an endpoint is given as an object such as { url, topics }')
  }
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name))
  if (unknown === undefined) return
  const shown = JSON.stringify(unknown.slice(0, 64))
  const advice =
    unknown === 'secret' ? 'use rotateSecret' : `the members are ${Object.keys(known).join(', ')}`
  throw new OuthookError('unprocessable', `${shown} is not a member that can be given here; ${advice}`)
}

const rotationMembers: Readonly<Record<string, true>> = { graceMs: true, secret: true, keyType: true }

/** Left out, or an object: what is anything else was meant to say something. */
export function checkRotation(options: unknown): void {
  const example = 'rotateSecret takes an object such as { graceMs: 3_600_000 }, or nothing'
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new OuthookError('unprocessable', example)
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(rotationMembers, name))
  if (unknown === undefined) return
  throw new OuthookError('unprocessable', `${JSON.stringify(unknown.slice(0, 64))} is no member: ${example}`)
}

/** Of the secret that is made; of one that is given its text says what it is. */
export function checkKeyType(
  { keyType, secret }: { readonly keyType?: unknown; readonly secret?: unknown },
  words: FaceWords,
): void {
  if (keyType === undefined) return
  const member = words.member('key_type')
  if (!secretKinds.some((kind) => kind === keyType)) {
    throw new OuthookError('unprocessable', `${member} must be one of ${secretKinds.join(', ')}`)
  }
  if (secret === undefined) return
  throw new OuthookError(
    'unprocessable',
    `${member} is of a secret that is made; leave it out, or the secret`,
  )
}

export function checkEndpointId(id: string): string {
  return checkId(id, 'ep', 'endpoint')
}

export function checkUid(uid: unknown, code: ErrorCode = 'unprocessable'): string {
  checkText(uid, 'uid')
  if (typeof uid === 'string' && uid !== '' && isWithin(uid, maxUidChars)) return uid
  throw new OuthookError(code, `uid must be 1 to ${maxUidChars} characters`)
}

export function checkDescription(description: unknown, member = 'description'): string {
  checkText(description, member, 'lines')
  if (typeof description === 'string' && isWithin(description, maxDescriptionChars)) return description
  throw new OuthookError(
    'unprocessable',
    `${member} must be text of at most ${maxDescriptionChars} characters`,
  )
}

export function checkFlag(value: unknown, member: string): boolean {
  if (typeof value === 'boolean') return value
  throw new OuthookError('unprocessable', `${member} must be true or false`)
}

export function checkMethod(method: unknown): SendMethod {
  const known = sendMethods.find((name) => name === method)
  if (known !== undefined) return known
  throw new OuthookError('unprocessable', `method must be one of ${sendMethods.join(', ')}`)
}

/** Null: that of the server. */
export function checkTimeout(timeout: unknown): number | null {
  if (timeout === null) return null
  const ms = parseDuration(timeout)
  if (ms !== null && ms >= endpointTimeouts.minMs && ms <= endpointTimeouts.maxMs) return ms
  throw new OuthookError(
    'unprocessable',
    `timeout must be ${durationForms}, from 1s to 60s, or null for the default`,
  )
}

export function checkMaxInFlight(count: unknown, member: string): number {
  if (Number.isInteger(count) && Number(count) >= 1 && Number(count) <= maxMaxInFlight) return Number(count)
  throw new OuthookError('unprocessable', `${member} must be a whole number from 1 to ${maxMaxInFlight}`)
}

/** Null is none. Whether there is one with this id, the store says. */
export function checkCredentialId(id: unknown, member: string): string | null {
  if (id === null) return null
  const checked = typeof id === 'string' ? parseId(id, 'crd') : null
  if (checked !== null) return checked
  throw new OuthookError(
    'unprocessable',
    `${member} must be the id of a credential ("crd_…"), or null for none`,
  )
}

/** Null is no limit. */
export function checkRateLimit(rps: unknown, member: string): number | null {
  if (rps === null) return null
  if (typeof rps === 'number' && rps >= minRateLimitRps && rps <= maxRateLimitRps) return rps
  throw new OuthookError(
    'unprocessable',
    `${member} must be a number from ${minRateLimitRps} to ${maxRateLimitRps}, or null for no limit`,
  )
}

/** What is a subscription's is given with what makes one. */
export function checkOfTopics({ topics, filter }: EndpointChange): void {
  if (topics !== undefined || filter === undefined) return
  throw new OuthookError('unprocessable', 'filter belongs to a subscription; give it together with topics')
}
