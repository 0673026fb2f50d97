/** Secrets of endpoints and senders: which texts may be one, and what is made of them for signing. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { OuthookError } from './errors.ts'
import { HiddenSecrets } from './hidden-secrets.ts'
import { HmacKey } from './hmac.ts'
import type { SigningScheme } from './signing-scheme.ts'

const symmetricPrefix = 'whsec_'
const privatePrefix = 'whsk_'
const publicPrefix = 'whpk_'
const secretForms =
  '"whsec_" and base64 of 24 to 64 bytes, or "whsk_" and base64 of an ed25519 key pair (64 bytes: seed, public key)'
/** Of other systems, whose receivers take the whole text as the key. */
const textForm = /^[!-~]{8,256}$/
/** What stands before the 32 bytes of an ed25519 seed in PKCS #8 (RFC 8410). */
const pkcs8Head = Buffer.from('302e020100300506032b657004220420', 'hex')
const seedBytes = 32

/** `hmac`: sender and receiver have the same secret. `ed25519`: the receiver has a public key. */
export type SecretKind = 'hmac' | 'ed25519'

export const secretKinds: readonly SecretKind[] = ['hmac', 'ed25519']

/** A secret made ready to sign. Keep it: to make a key ready takes longer than a signature. */
export interface PreparedSecret {
  /** The key of the `standard` scheme: for an HMAC, or of ed25519. */
  readonly standardKey: HmacKey | KeyObject
  /** The whole text as a key, for all other schemes. */
  readonly textKey: HmacKey
  /** What nobody may repeat of it. */
  readonly hidden: HiddenSecrets
}

/** Prepares a stored secret. Its form was checked by `parseSecret` when it came in. */
export function prepareSecret(text: string): PreparedSecret {
  const textKey = new HmacKey(Buffer.from(text, 'utf8'))
  if (kindOf(text) === 'ed25519') {
    const encoded = text.slice(privatePrefix.length)
    const seed = Buffer.from(encoded, 'base64').subarray(0, seedBytes)
    const hidden = new HiddenSecrets([text, encoded], { keys: [seed] })
    return { standardKey: privateKeyOf(seed), textKey, hidden }
  }
  const encoded = text.startsWith(symmetricPrefix) ? text.slice(symmetricPrefix.length) : text
  const key = Buffer.from(encoded, 'base64')
  return {
    standardKey: new HmacKey(key),
    textKey,
    hidden: new HiddenSecrets([text, encoded], { keys: [key] }),
  }
}

/** A new secret: `whsec_` and base64 of 32 random bytes, for all schemes; or `whsk_`, for `standard`. */
export function generateSecret(randomBytes: (size: number) => Uint8Array, kind: SecretKind = 'hmac'): string {
  const bytes = Buffer.from(randomBytes(seedBytes))
  if (kind === 'hmac') return symmetricPrefix + bytes.toString('base64')
  return privatePrefix + Buffer.concat([bytes, publicBytesOf(privateKeyOf(bytes))]).toString('base64')
}

export function kindOf(secret: string): SecretKind {
  return secret.startsWith(privatePrefix) ? 'ed25519' : 'hmac'
}

/** Of active secrets, newest first: the one that was made it, or else the oldest, which all receivers still have. */
export function primaryOf<S extends { readonly primarySince: number | null }>(
  secrets: readonly S[],
): S | undefined {
  return secrets.find(({ primarySince }) => primarySince !== null) ?? secrets.at(-1)
}

/** What receivers verify an ed25519 secret with: `whpk_…`; null for a secret that they have themselves. */
export function publicKeyOf(secret: string): string | null {
  if (kindOf(secret) === 'hmac') return null
  const pair = Buffer.from(secret.slice(privatePrefix.length), 'base64')
  return publicPrefix + pair.subarray(seedBytes).toString('base64')
}

/** A public key as receivers take it: as a JSON Web Key (RFC 8037), and in the form of Standard Webhooks. */
export interface PublicKey {
  readonly kty: 'OKP'
  readonly crv: 'Ed25519'
  readonly alg: 'EdDSA'
  readonly use: 'sig'
  /** The id of the secret. */
  readonly kid: string
  /** The 32 bytes in base64url. */
  readonly x: string
  /** `whpk_…` */
  readonly publicKey: string
  /** Until when it signs; null: until it is replaced. Milliseconds since the epoch. */
  readonly expiresAt: number | null
}

/** Null for an HMAC. */
export function renderPublicKey(
  secret: string,
  { id, expiresAt }: { readonly id: string; readonly expiresAt: number | null },
): PublicKey | null {
  const publicKey = publicKeyOf(secret)
  if (publicKey === null) return null
  const x = Buffer.from(publicKey.slice(publicPrefix.length), 'base64').toString('base64url')
  return { kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig', kid: id, x, publicKey, expiresAt }
}

/** Checks a secret that a user gave; `unprocessable` says what is allowed and never repeats the secret. */
export function parseSecret(
  text: unknown,
  schemes: readonly SigningScheme[] = ['standard'],
  member = 'secret',
): string {
  if (typeof text !== 'string') throw refused(`${member} must be text: ${secretForms}`)
  const problem = secretProblem(text, schemes)
  if (problem !== null) throw refused(`${member} ${problem}`)
  return text
}

/** Why the schemes cannot sign with the secret; null: they can. It never repeats the secret. */
export function secretProblem(text: string, schemes: readonly SigningScheme[]): string | null {
  const other = schemes.find((scheme) => scheme !== 'standard' && scheme !== 'none')
  if (kindOf(text) === 'ed25519') {
    if (!isKeyPair(text)) return `is not an ed25519 key pair; give ${secretForms}`
    if (other === undefined) return null
    const name = typeof other === 'string' ? other : other.type
    return `is an ed25519 key pair, with which the scheme "${name}" cannot sign; give ${secretForms.split(',')[0]}`
  }
  if (isSymmetric(text)) return null
  const takesText = other !== undefined && !schemes.includes('standard')
  if (takesText && textForm.test(text) && !text.startsWith(publicPrefix)) return null
  return takesText
    ? `has the wrong form; give ${secretForms}, or for this scheme any text of 8 to 256 visible ASCII characters`
    : `has the wrong form; give ${secretForms}`
}

function isSymmetric(text: string): boolean {
  const key = text.startsWith(symmetricPrefix) ? decodeBase64(text.slice(symmetricPrefix.length)) : null
  return key !== null && key.length >= 24 && key.length <= 64
}

/** Null unless it is exactly what an encoder writes: receivers' libraries refuse missing padding and spaces. */
function decodeBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : null
}

function isKeyPair(text: string): boolean {
  const pair = decodeBase64(text.slice(privatePrefix.length))
  if (pair?.length !== 2 * seedBytes) return false
  return publicBytesOf(privateKeyOf(pair.subarray(0, seedBytes))).equals(pair.subarray(seedBytes))
}

function publicBytesOf(privateKey: KeyObject): Buffer {
  return Buffer.from(createPublicKey(privateKey).export({ format: 'jwk' }).x ?? '', 'base64url')
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Head, seed]), format: 'der', type: 'pkcs8' })
}

function refused(message: string): OuthookError {
  return new OuthookError('unprocessable', message)
}
