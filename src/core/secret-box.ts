/**
 * Secrets at rest: AES-256-GCM under the master key. A sealed value is
 *
 *     offset  length
 *     0       1       layout version, 1
 *     1       4       fingerprint of the master key, so that a rotation can tell old values from new ones
 *     5       12      nonce, random
 *     17      16      authentication tag
 *     33      rest    ciphertext
 *
 * Authenticated with it: the first five bytes and the context, a text that names the place the secret belongs to
 * (such as its row's id), so that a sealed value moved to another row does not open.
 */
import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto'
import { OuthookError } from './errors.ts'

const version = 1
const nonceLength = 12
const tagLength = 16
const headLength = 5
const bodyAt = headLength + nonceLength + tagLength

export interface SecretBox {
  /** Eight hex digits that name the master key and tell nothing about it. */
  readonly fingerprint: string
  /** Stored beside the data; `checkMasterKey` compares it at the next start. */
  readonly checkValue: string
  seal(plaintext: string, context: string): Uint8Array
  /** Throws `wrong_master_key` for another key's value, `internal` for a damaged or misplaced one. */
  open(sealed: Uint8Array, context: string): string
  /** HMAC-SHA256 by a key of this purpose alone, derived from the master key: the same in every process that has it. */
  sign(purpose: string, bytes: Uint8Array): Buffer
}

/**
 * @param masterKey 32 bytes
 * @param randomBytes a cryptographically strong source, for nonces
 */
export function createSecretBox(masterKey: Uint8Array, randomBytes: (size: number) => Uint8Array): SecretBox {
  if (masterKey.length !== 32) throw masterKeyRefused(`has ${masterKey.length} bytes`)
  const key = createSecretKey(masterKey)
  const print = derive(key, 'outhook master key').subarray(0, 4)
  const fingerprint = print.toString('hex')
  const head = Buffer.from([version, ...print])
  const keys = new Map<string, KeyObject>()
  const keyFor = (purpose: string): KeyObject => {
    const known = keys.get(purpose) ?? createSecretKey(derive(key, `outhook ${purpose} key`))
    keys.set(purpose, known)
    return known
  }
  return {
    fingerprint,
    checkValue: `${fingerprint}.${derive(key, 'outhook master key check').toString('hex')}`,
    seal(plaintext, context) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.concat([head, Buffer.from(context)]))
      const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()])
      return Buffer.concat([head, nonce, cipher.getAuthTag(), ciphertext])
    },
    sign: (purpose, bytes) => createHmac('sha256', keyFor(purpose)).update(bytes).digest(),
    open(sealed, context) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength)
      if (bytes.length < bodyAt || bytes[0] !== version) throw damaged(context)
      const sealedUnder = bytes.subarray(1, headLength).toString('hex')
      if (sealedUnder !== fingerprint) throw wrongMasterKey(sealedUnder, fingerprint)
      const nonce = bytes.subarray(headLength, headLength + nonceLength)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength })
      decipher.setAAD(Buffer.concat([head, Buffer.from(context)]))
      decipher.setAuthTag(bytes.subarray(headLength + nonceLength, bodyAt))
      try {
        return Buffer.concat([decipher.update(bytes.subarray(bodyAt)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw damaged(context, cause)
      }
    },
  }
}

/** Throws `wrong_master_key`, with both fingerprints, unless the check value is this master key's. */
export function checkMasterKey(box: SecretBox, storedCheckValue: string): void {
  const stored = Buffer.from(storedCheckValue)
  const own = Buffer.from(box.checkValue)
  if (stored.length === own.length && timingSafeEqual(stored, own)) return
  throw wrongMasterKey(storedCheckValue.split('.')[0] ?? '', box.fingerprint)
}

/**
 * Reads a master key: 64 hex digits, or base64 (also base64url) of 32 bytes; spaces around it are ignored.
 * Throws `invalid_config`, which never repeats the text.
 */
export function parseMasterKey(text: string): Uint8Array {
  const trimmed = text.trim()
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return new Uint8Array(Buffer.from(trimmed, 'hex'))
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return new Uint8Array(Buffer.from(trimmed, 'base64'))
  throw masterKeyRefused(trimmed === '' ? 'is empty' : `has ${trimmed.length} characters of another form`)
}

function derive(key: KeyObject, label: string): Buffer {
  return createHmac('sha256', key).update(label).digest()
}

function masterKeyRefused(problem: string): OuthookError {
  return new OuthookError(
    'invalid_config',
    `the master key ${problem}; give 32 random bytes as 64 hex digits or as base64, such as from "openssl rand -hex 32"`,
  )
}

export function wrongMasterKey(stored: string, own: string): OuthookError {
  return new OuthookError(
    'wrong_master_key',
    `the store's secrets are sealed under master key ${stored}, and this process was given ${own}; ` +
      'start it with the master key that the store was made with',
  )
}

function damaged(context: string, cause?: unknown): OuthookError {
  return new OuthookError(
    'internal',
    `the sealed secret of ${context} does not open: it is damaged or belongs elsewhere; restore it or set a new one`,
    { cause },
  )
}
