/** A receiver's secrets, made ready for a scheme. */
import { type Bytes, decodeBase64, toBytes } from './bytes.ts'
import { VerifierUsageError } from './errors.ts'

/** How the text of a secret becomes a key: as it stands, or in the forms of Standard Webhooks. */
export type SecretForm = 'text' | 'standard'

export interface DecodedSecret {
  readonly kind: 'hmac' | 'ed25519'
  readonly bytes: Bytes
}

/** Named by what makes it: the types of Node have no `CryptoKey` of their own. */
type CryptoKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>

export interface ReadySecret {
  readonly kind: DecodedSecret['kind']
  readonly key: CryptoKey
}

const symmetricPrefix = 'whsec_'
const publicPrefix = 'whpk_'
const privatePrefix = 'whsk_'
const publicKeyBytes = 32

/** Errors never say what the secret is. */
export function decodeSecret(secret: unknown, form: SecretForm): DecodedSecret {
  if (typeof secret !== 'string' || secret === '') {
    throw invalidSecret('is empty or no text; is the environment variable set?')
  }
  if (secret !== secret.trim()) throw invalidSecret('begins or ends with a space or a line break; cut it off')
  if (form === 'text') return { kind: 'hmac', bytes: toBytes(secret) }
  if (secret.startsWith(publicPrefix)) return publicKeyOf(secret.slice(publicPrefix.length), publicKeyBytes)
  // The pair is seed and public key.
  if (secret.startsWith(privatePrefix)) {
    return publicKeyOf(secret.slice(privatePrefix.length), 2 * publicKeyBytes)
  }
  const encoded = secret.startsWith(symmetricPrefix) ? secret.slice(symmetricPrefix.length) : secret
  return { kind: 'hmac', bytes: decode(encoded) }
}

export async function importSecret({ kind, bytes }: DecodedSecret): Promise<ReadySecret> {
  if (kind === 'hmac') {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    return { kind, key: await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign']) }
  }
  try {
    return { kind, key: await crypto.subtle.importKey('raw', bytes, { name: 'Ed25519' }, false, ['verify']) }
  } catch (error) {
    const reason = 'this runtime makes no ed25519 key of the secret'
    throw new VerifierUsageError('invalid_secret', reason, { cause: error })
  }
}

function publicKeyOf(encoded: string, length: number): DecodedSecret {
  const bytes = decode(encoded)
  if (bytes.length !== length) throw invalidSecret(`holds ${bytes.length} bytes, and this form has ${length}`)
  return { kind: 'ed25519', bytes: bytes.slice(-publicKeyBytes) }
}

function decode(encoded: string): Bytes {
  const bytes = decodeBase64(encoded)
  if (bytes !== null && bytes.length > 0) return bytes
  throw invalidSecret(
    'is not base64 behind its prefix; the scheme "standard" takes "whsec_…" or "whpk_…", and other text is a ' +
      'secret of another scheme',
  )
}

function invalidSecret(reason: string): VerifierUsageError {
  return new VerifierUsageError('invalid_secret', `the secret ${reason}`)
}
