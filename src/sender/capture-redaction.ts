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

const separators = /[\s,;]+/
/** Of `sha256=…` and the like. */
const maxPartName = 12
/** The time of a signature. */
const seconds = /^\d{1,10}$/
const plainRun = /[a-z0-9]{6,}/i

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
  const shown = mayHold(response, secrets) ? redactBody(response, secrets) : body
  const isHeld = headers.some(([, value]) => secrets.some((secret) => value.includes(secret)))
  if (shown === body && !isHeld) return response
  const longestFirst = secrets.toSorted((one, other) => other.length - one.length)
  const redacted = headers.map(([name, value]) => [name, redactText(value, longestFirst)] as const)
  return { ...response, headers: isHeld ? redacted : headers, body: shown }
}

/** Loops instead of lists of lists: it is made for each attempt. */
function secretsOf({ headers, destination, signatures, secrets }: AttemptRequest): readonly string[] {
  const found: string[] =
    secrets === undefined ? [] : secrets.filter(({ length }) => length >= minSecretChars)
  for (const secret of secretsOfUrl(destination.url)) found.push(secret)
  for (const name in headers) {
    const value = headers[name] ?? ''
    if (signatures?.[name] !== undefined) addParts(value, minSignatureChars, found)
    else if (isSecretName(name)) addCredential(value, found)
  }
  return signatures === undefined ? found : found.filter((secret) => !isShown(secret, headers))
}

/** Schemes repeat ids and the topic in headers of their own; these are no secrets. */
function isShown(text: string, headers: AttemptRequest['headers']): boolean {
  return (
    text === headers['outhook-event-id'] ||
    text === headers['outhook-delivery-id'] ||
    text === headers['outhook-topic']
  )
}

/** The parts of `v1,abc v1,def`, `t=1,v1=abc`, `sha256=abc` that are so long. */
function addParts(value: string, least: number, found: string[]): void {
  for (const part of value.split(separators)) {
    const equals = part.indexOf('=')
    const isNamed = equals > 0 && equals <= maxPartName && equals < part.length - 1
    const text = isNamed ? part.slice(equals + 1) : part
    if (text.length >= least && !seconds.test(text)) found.push(text)
  }
}

/** `Bearer abc`, and of `Basic dXNlcjpwYXNz` what is encoded too. */
function addCredential(value: string, found: string[]): void {
  const [, scheme = '', rest = ''] = /^(bearer|token|basic) +(.*)$/i.exec(value) ?? []
  addParts(scheme === '' ? value : rest, minSecretChars, found)
  if (scheme.toLowerCase() !== 'basic') return
  const pair = Buffer.from(rest, 'base64').toString('utf8')
  for (const text of [pair, pair.slice(pair.indexOf(':') + 1)]) {
    if (text.length >= minSecretChars) found.push(text)
  }
}

/** A look that costs little: of most bodies it says no. */
function mayHold({ body, truncated }: CapturedResponse, secrets: readonly string[]): boolean {
  if (body.length < minSecretChars) return false
  if (truncated) return true
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1')
  // In every form of a secret its letters and digits are as they were.
  return secrets.some((secret) => {
    const plain = plainRun.exec(secret)
    return plain === null || text.includes(plain[0])
  })
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
  const forms = secrets.flatMap(formsOf).sort((one, other) => other.length - one.length)
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
