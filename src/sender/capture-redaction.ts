/**
 * Takes out of a captured response what was secret about its request, before anybody stores it: receivers repeat requests
 * in their error pages, with the signature, the credential and the token in the URL.
 *
 * It is asked for every attempt, so it costs nothing where nothing can be found: most answers are shorter than any secret.
 */
import { hiddenText } from '../core/hide-secrets.ts'
import type { CapturedResponse } from '../core/model.ts'
import type { AttemptRequest, AttemptResult } from './port.ts'
import { decode, isSecretName, minSecretChars } from './redaction.ts'

/** What is not named as a secret is taken for one from this length on, when it looks like one. */
const minTokenChars = 16
const tokenLike = /^(?=.*\d)(?=.*[a-z])[\w.~+/=:-]+$/i

/** Those of HMACs with SHA-256, cut in half, are longer. */
const minSignatureChars = 20

const ofUrls = new WeakMap<URL, readonly string[]>()

export function redactResult(result: AttemptResult, request: AttemptRequest): AttemptResult {
  if (result.kind !== 'response') return result
  const response = redactCapture(result.response, request)
  return response === result.response ? result : { ...result, response }
}

/** The same object where nothing of it was secret. */
export function redactCapture(response: CapturedResponse, request: AttemptRequest): CapturedResponse {
  const { body, headers } = response
  const secrets = secretsOf(request)
  if (secrets.length === 0) return response
  const shown = body.length < minSecretChars ? body : redactBody(response, secrets)
  const isHeld = headers.some(([, value]) => secrets.some((secret) => value.includes(secret)))
  if (shown === body && !isHeld) return response
  const redacted = headers.map(([name, value]) => [name, redactText(value, secrets)] as const)
  return { ...response, headers: isHeld ? redacted : headers, body: shown }
}

/** Longest first, so that no part of one is left of another. */
function secretsOf(request: AttemptRequest): readonly string[] {
  const { headers, destination, signatures, secrets = [] } = request
  const found = new Set([...secrets, ...secretsOfUrl(destination.url)])
  for (const name in signatures) {
    for (const part of secretParts(signatures[name] ?? '')) {
      if (part.length >= minSignatureChars && !isShown(part, headers)) found.add(part)
    }
  }
  for (const name in headers) {
    if (isSecretName(name)) for (const part of secretParts(headers[name] ?? '')) found.add(part)
  }
  return [...found]
    .filter((secret) => secret.length >= minSecretChars)
    .sort((one, other) => other.length - one.length)
}

/** Schemes repeat ids and the topic in headers of their own; these are no secrets. */
function isShown(text: string, headers: AttemptRequest['headers']): boolean {
  return [headers['outhook-event-id'], headers['outhook-delivery-id'], headers['outhook-topic']].includes(
    text,
  )
}

/** `v1,abc v1,def`, `t=1,v1=abc`, `sha256=abc`, `Bearer abc`, `Basic dXNlcjpwYXNz`: the parts that are secret. */
function secretParts(value: string): readonly string[] {
  const parts = value.split(/[\s,;]+/).map((part) => part.replace(/^[\w-]{1,12}=(?=.)/, ''))
  const [, basic] = /^basic (\S+)$/i.exec(value) ?? []
  if (basic === undefined) return parts.filter((part) => !/^(?:bearer|token|v1a?|\d{1,10})$/i.test(part))
  const pair = Buffer.from(basic, 'base64').toString('utf8')
  return [basic, pair, pair.slice(pair.indexOf(':') + 1)]
}

function secretsOfUrl(url: URL): readonly string[] {
  const known = ofUrls.get(url)
  if (known !== undefined) return known
  const isToken = (text: string) => text.length >= minTokenChars && tokenLike.test(text)
  const found = url.pathname.split('/').filter(isToken)
  for (const [name, value] of url.searchParams) {
    if (isSecretName(name) || value.length >= minTokenChars) found.push(value)
  }
  const all = found.flatMap((text) => [text, decode(text)])
  ofUrls.set(url, all)
  return all
}

/** As it stands, and as JSON and URLs write it. */
function formsOf(secret: string): readonly string[] {
  const forms = [
    secret,
    secret.replaceAll('/', '\\/'),
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
  ]
  return [...new Set(forms)]
}

function redactText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((redacted, secret) => redacted.replaceAll(secret, hiddenText), text)
}

function redactBody({ body, truncated }: CapturedResponse, secrets: readonly string[]): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const forms = secrets.flatMap(formsOf)
  const end = truncated ? endOfWhole(bytes, forms) : bytes.length
  if (end === bytes.length && !forms.some((form) => bytes.includes(form))) return body
  // Byte by byte: what is no UTF-8 stays as it was.
  let text = bytes.toString('latin1', 0, end)
  for (const form of forms) text = text.replaceAll(Buffer.from(form, 'utf8').toString('latin1'), hiddenText)
  return Buffer.from(end === bytes.length ? text : text + hiddenText, 'latin1')
}

/** Where the beginning of a secret starts of which the end was cut off. */
function endOfWhole(bytes: Buffer, forms: readonly string[]): number {
  for (const form of forms) {
    const secret = Buffer.from(form, 'utf8')
    for (let length = Math.min(secret.length - 1, bytes.length); length >= minSecretChars; length--) {
      if (bytes.subarray(-length).equals(secret.subarray(0, length))) return bytes.length - length
    }
  }
  return bytes.length
}
