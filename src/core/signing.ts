/**
 * Signing schemes: which headers an endpoint's requests carry so that its owner can tell them from forgeries.
 *
 * - `standard`: Standard Webhooks 1.0 (https://www.standardwebhooks.com). `v1` is base64 HMAC-SHA256 over
 *   `<event id>.<unix seconds>.<body>` with the decoded `whsec_` key, `v1a` ed25519 with a `whsk_` key. Every active
 *   secret signs.
 * - `hookrail`: hex HMAC-SHA256 over `<unix seconds>.<delivery id>.<body>`, the key being the ASCII of the whole
 *   secret. During a rotation the new signature stands first and the old one last, because hookrail's own verifier
 *   takes the last.
 * - `none`: no signature.
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { OuthookError } from './errors.ts'
import { toHeaderValue } from './header-value.ts'
import { HmacKey } from './hmac.ts'
import type { SigningScheme } from './model.ts'

export const signingSchemes: readonly SigningScheme[] = ['standard', 'hookrail', 'none']

/** What each scheme is, for help, documents and errors. */
const signingSchemeNotes: Readonly<Record<SigningScheme, string>> = {
  standard: 'Standard Webhooks',
  hookrail: 'for receivers that verify as those of the webhook server Hookrail do',
  none: 'unsigned',
}

export function describeSigningSchemes(): string {
  return signingSchemes.map((name) => `${name} (${signingSchemeNotes[name]})`).join(', ')
}

const symmetricPrefix = 'whsec_'
const privatePrefix = 'whsk_'
const secretForms =
  '"whsec_" and base64 of 24 to 64 bytes, or "whsk_" and base64 of an ed25519 key pair (64 bytes: seed, public key)'
/** What stands before the 32 bytes of an ed25519 seed in PKCS #8 (RFC 8410). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')

/** A secret made ready to sign. Keep it: to make a key ready takes longer than a signature. */
export interface PreparedSecret {
  /** The key of the `standard` scheme: for an HMAC, or of ed25519. */
  readonly standardKey: HmacKey | KeyObject
  /** The whole text as a key, for `hookrail`. */
  readonly asciiKey: HmacKey
}

export interface SigningInput {
  /** Goes out as `webhook-id`: the same on every retry and replay, so receivers can drop repetitions. */
  readonly eventId: string
  readonly deliveryId: string
  readonly topic: string | null
  /** Of this attempt, whole seconds since the epoch. */
  readonly timestampSeconds: number
  readonly body: Uint8Array
  /** All active secrets, newest first. */
  readonly secrets: readonly PreparedSecret[]
}

/** Prepares a stored secret. Its form was checked by `parseSecret` when it came in. */
export function prepareSecret(text: string): PreparedSecret {
  const asciiKey = new HmacKey(Buffer.from(text, 'latin1'))
  if (text.startsWith(privatePrefix)) {
    const pair = Buffer.from(text.slice(privatePrefix.length), 'base64')
    return { standardKey: privateKeyOf(pair.subarray(0, 32)), asciiKey }
  }
  const encoded = text.startsWith(symmetricPrefix) ? text.slice(symmetricPrefix.length) : text
  return { standardKey: new HmacKey(Buffer.from(encoded, 'base64')), asciiKey }
}

export interface SignedRequest {
  /** What the schemes add, names in lower case. */
  readonly headers: Record<string, string>
  /** What was signed and has to be sent: a scheme may sign a form of its own instead of the bytes that it was given. */
  readonly body: Uint8Array
}

/**
 * One attempt as the schemes want it.
 *
 * @example
 * signRequest(['standard'], { eventId, deliveryId, topic, timestampSeconds, body, secrets: [prepareSecret(text)] })
 * // headers: { 'webhook-id': 'evt_…', 'webhook-timestamp': '1614265330', 'webhook-signature': 'v1,g0hM9S…' }
 */
export function signRequest(schemes: readonly SigningScheme[], input: SigningInput): SignedRequest {
  const headers: Record<string, string> = {}
  for (const scheme of schemes) {
    switch (scheme) {
      case 'standard':
        addStandardHeaders(headers, input)
        break
      case 'hookrail':
        addHookrailHeaders(headers, input)
        break
      case 'none':
        break
    }
  }
  return { headers, body: input.body }
}

function addStandardHeaders(headers: Record<string, string>, input: SigningInput): void {
  const { eventId, timestampSeconds, body } = input
  const head = `${eventId}.${timestampSeconds}.`
  let signatures = ''
  for (const { standardKey: key } of activeSecrets(input)) {
    if (signatures !== '') signatures += ' '
    signatures +=
      key instanceof HmacKey
        ? `v1,${key.sign(head, body, 'base64')}`
        : `v1a,${sign(null, Buffer.concat([Buffer.from(head), body]), key).toString('base64')}`
  }
  headers['webhook-id'] = eventId
  headers['webhook-timestamp'] = String(timestampSeconds)
  headers['webhook-signature'] = signatures
}

function addHookrailHeaders(headers: Record<string, string>, input: SigningInput): void {
  const { eventId, deliveryId, topic, timestampSeconds, body } = input
  const head = `${timestampSeconds}.${deliveryId}.`
  let signature = `t=${timestampSeconds}`
  for (const secret of activeSecrets(input)) {
    signature += `,v1=${secret.asciiKey.sign(head, body, 'hex')}`
  }
  headers['hookrail-event-id'] = eventId
  headers['hookrail-delivery-id'] = deliveryId
  if (topic !== null) headers['hookrail-topic'] = toHeaderValue(topic)
  headers['hookrail-signature'] = signature
}

function activeSecrets(input: SigningInput): readonly PreparedSecret[] {
  if (input.secrets.length > 0) return input.secrets
  throw new OuthookError('internal', 'the endpoint has no active secret to sign with; rotate its secret')
}

/** Checks an endpoint's `signing_schemes`; `unprocessable` says what clashes. */
export function validateSigningSchemes(value: unknown, member = 'signing_schemes'): readonly SigningScheme[] {
  const allowed = signingSchemes.map((scheme) => `"${scheme}"`).join(', ')
  if (!Array.isArray(value) || value.length === 0) {
    throw new OuthookError('unprocessable', `${member} must be a list of at least one of ${allowed}`)
  }
  for (const [index, scheme] of value.entries()) {
    if (!signingSchemes.includes(scheme)) {
      throw new OuthookError(
        'unprocessable',
        `${member}[${index}] is not a scheme; use ${describeSigningSchemes()}`,
      )
    }
    if (value.indexOf(scheme) !== index) {
      throw new OuthookError(
        'unprocessable',
        `${member} names "${scheme}" twice; each scheme stands there once`,
      )
    }
  }
  if (value.length > 1 && value.includes('none')) {
    throw new OuthookError(
      'unprocessable',
      `${member} has "none" beside another scheme; leave one of them out`,
    )
  }
  return value as readonly SigningScheme[]
}

/** A new secret for all schemes: `whsec_` and base64 of 32 random bytes. */
export function generateSecret(randomBytes: (size: number) => Uint8Array): string {
  return symmetricPrefix + Buffer.from(randomBytes(32)).toString('base64')
}

/** Checks a secret that a user gave; `unprocessable` says what is allowed and never repeats the secret. */
export function parseSecret(text: unknown, member = 'secret'): string {
  if (typeof text !== 'string')
    throw new OuthookError('unprocessable', `${member} must be text: ${secretForms}`)
  if (text.startsWith(privatePrefix)) {
    const pair = decodeBase64(text.slice(privatePrefix.length))
    if (pair !== null && pair.length === 64 && isKeyPair(pair)) return text
    throw new OuthookError('unprocessable', `${member} is not an ed25519 key pair; give ${secretForms}`)
  }
  const key = text.startsWith(symmetricPrefix) ? decodeBase64(text.slice(symmetricPrefix.length)) : null
  if (key !== null && key.length >= 24 && key.length <= 64) return text
  throw new OuthookError('unprocessable', `${member} has the wrong form; give ${secretForms}`)
}

/** Null unless it is exactly what an encoder writes: receivers' libraries refuse missing padding and spaces. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

function isKeyPair(pair: Buffer): boolean {
  const publicKey = createPublicKey(privateKeyOf(pair.subarray(0, 32))).export({ format: 'jwk' }).x
  return publicKey === pair.subarray(32).toString('base64url')
}

function privateKeyOf(seed: Buffer): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' })
}
