/** Headers of the user's own, sent with each request: those of an endpoint, and those of one send. */
import { OuthookError } from './errors.ts'
import { isPlainObject } from './plain-object.ts'

export const maxCustomHeaders = 32
export const maxCustomHeaderBytes = 8192

/** Made by the sender or by signing, or meaningful between two hops only. */
export const reservedNames: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'connection',
  'keep-alive',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'expect',
  'x-pyfly-signature',
])
export const reservedPrefixes = ['proxy-', 'webhook-', 'hookrail-', 'outhook-', 'x-hub-signature']

/** `auth` covers `authorization`, and `passw` both `password` and `passwd`. A bare `key` names other things too. */
const secretName = /auth|token|secret|passw|cookie|credential|api[-_]?key|access[-_]?key/

/** A token of RFC 9110. */
const namePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** Visible ASCII, with spaces inside only: no line can be broken and no second header smuggled in. */
const valuePattern = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/**
 * Checks an endpoint's `headers` as `parseCustomHeaders` does. They are stored and shown in clear, so names of secrets
 * are refused too.
 */
export function parseStoredHeaders(value: unknown, member = 'headers'): Readonly<Record<string, string>> {
  const headers = parseCustomHeaders(value, member)
  const secret = Object.keys(headers).find(isSecretName)
  if (secret === undefined) return headers
  throw refused(
    `${member}["${secret}"]`,
    'looks like a secret, which does not belong there: headers are stored and shown in clear; ' +
      'make a credential, which is sealed, and name it as the credential of the endpoint or the send',
  )
}

/**
 * Checks headers and gives them back with names in lower case. Throws `unprocessable`, which names the header and
 * never repeats its value: it may be a secret.
 */
export function parseCustomHeaders(value: unknown, member = 'headers'): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || !isPlainObject(value)) {
    throw refused(
      member,
      'must be an object of header names and values; of a Headers or Map use Object.fromEntries()',
    )
  }
  const entries = Object.entries(value)
  if (entries.length > maxCustomHeaders) {
    throw refused(member, `has ${entries.length} headers; at most ${maxCustomHeaders} are allowed`)
  }
  const headers = new Map<string, string>()
  let bytes = 0
  for (const [name, text] of entries) {
    const problem = nameProblem(name, headers) ?? headerValueProblem(text)
    if (problem !== null) throw refused(`${member}[${JSON.stringify(name.slice(0, 64))}]`, problem)
    headers.set(name.toLowerCase(), text)
    bytes += name.length + text.length
  }
  if (bytes <= maxCustomHeaderBytes) return Object.fromEntries(headers)
  throw refused(member, `have ${bytes} bytes; names and values together may have ${maxCustomHeaderBytes}`)
}

/** Whether a header of this name, in lower case, holds a secret by the looks of it. */
export function isSecretName(name: string): boolean {
  return secretName.test(name)
}

export function isHeaderName(name: string): boolean {
  return namePattern.test(name)
}

/** In lower case. Many a receiver reads `webhook_id` and `webhook-id` as one variable, so one stands for the other here. */
export function isReservedHeader(name: string): boolean {
  const read = name.replaceAll('_', '-')
  return reservedNames.has(read) || reservedPrefixes.some((prefix) => read.startsWith(prefix))
}

function nameProblem(name: string, earlier: ReadonlyMap<string, string>): string | null {
  const problem = headerNameProblem(name)
  if (problem !== null) return problem
  return earlier.has(name.toLowerCase()) ? 'stands there twice; names do not differ by case' : null
}

/** Null: requests may carry a header of this name. */
export function headerNameProblem(name: string): string | null {
  if (!isHeaderName(name)) return 'is not a header name; use letters, digits and "-"'
  return isReservedHeader(name.toLowerCase()) ? 'is set by the sender itself; choose another name' : null
}

/** Null: a header may have this value. */
export function headerValueProblem(text: unknown): string | null {
  if (typeof text !== 'string') return 'must be a string'
  return valuePattern.test(text)
    ? null
    : 'must be visible ASCII, not empty, without line breaks or spaces at its ends'
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`)
}
