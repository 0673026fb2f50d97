/**
 * OAuth 2.0 client credentials (RFC 6749, 4.4): the request for a token, what is taken from the answer, and how long a
 * token is used. Errors never repeat what a token server said in words: it may have been told secrets.
 */
import type { CredentialSecrets, CredentialSettings } from './credential.ts'

export interface TokenRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function tokenRequest(
  settings: CredentialSettings,
  { clientSecret = '' }: CredentialSecrets,
): TokenRequest {
  const { clientId = '', scope, audience, authStyle = 'basic' } = settings
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) form.set('scope', scope)
  if (audience !== undefined) form.set('audience', audience)
  const headers: Record<string, string> = {
    accept: 'application/json',
    'content-type': 'application/x-www-form-urlencoded',
  }
  if (authStyle === 'basic') {
    // RFC 6749, 2.3.1: both are form-encoded first.
    const pair = `${formEncode(clientId)}:${formEncode(clientSecret)}`
    headers.authorization = `Basic ${Buffer.from(pair).toString('base64')}`
  } else {
    form.set('client_id', clientId)
    form.set('client_secret', clientSecret)
  }
  return { headers, body: form.toString() }
}

function formEncode(text: string): string {
  return new URLSearchParams({ a: text }).toString().slice(2)
}

export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: string; readonly lifeMs: number }
  | { readonly kind: 'refused'; readonly error: string }

/** For a token whose answer does not say how long it is good. */
const unsaidLifeMs = 5 * 60_000
/** Whoever says less would have one asked for with each request. */
const minLifeMs = 1000
const maxLifeMs = 24 * 3_600_000
const maxTokenChars = 16_000
const visibleAscii = /^[\x21-\x7e]+$/
/** Those of RFC 6749, 5.2, and what servers have of its other sections and of RFC 8707. Another one could be a secret. */
const errorCodes: ReadonlySet<unknown> = new Set([
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'invalid_target',
  'access_denied',
  'server_error',
  'temporarily_unavailable',
])

export function readTokenAnswer(
  httpStatus: number,
  { body, truncated }: { readonly body: Uint8Array; readonly truncated: boolean },
): TokenAnswer {
  const members = parse(body)
  if (httpStatus < 200 || httpStatus > 299) {
    const code = errorCodes.has(members.error) ? ` (${members.error})` : ''
    return refused(`it answered HTTP ${httpStatus}${code}`)
  }
  if (truncated) return refused('its answer was too long, or broke off')
  const { access_token: token, token_type: type, expires_in: life } = members
  if (typeof token !== 'string' || !visibleAscii.test(token) || token.length > maxTokenChars) {
    return refused('its answer has no access_token that a header could carry')
  }
  if (type !== undefined && String(type).toLowerCase() !== 'bearer') {
    return refused('its token is not of the type Bearer')
  }
  return { kind: 'token', token, lifeMs: lifeOf(life) }
}

function lifeOf(life: unknown): number {
  const seconds = typeof life === 'string' && life !== '' ? Number(life) : life
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || seconds < 0) return unsaidLifeMs
  return Math.min(Math.max(seconds * 1000, minLifeMs), maxLifeMs)
}

function parse(body: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function refused(error: string): TokenAnswer {
  return { kind: 'refused', error }
}

/** So long before its end a token is replaced, while it can still be used: a fifth of its life, a minute at most. */
export function refreshMarginMs(lifeMs: number): number {
  return Math.min(60_000, lifeMs / 5)
}

/** So long before its end a token is used no more: it has to be good when the request arrives. */
export function transitMarginMs(lifeMs: number): number {
  return Math.min(5_000, lifeMs / 20)
}

const firstRetryMs = 1_000
const maxRetryMs = 60_000

/** The wait after a token could not be got. @param failures in a row, this one included */
export function tokenRetryMs(failures: number): number {
  return Math.min(maxRetryMs, firstRetryMs * 2 ** (Math.max(1, failures) - 1))
}
