/** How a secret may have been meant. */
import { decodeHex, isSame, toBytes } from './bytes.ts'
import { VerifierUsageError } from './errors.ts'
import { type DecodedSecret, decodeSecret, type SecretForm } from './secrets.ts'

export type SecretChange =
  | 'trimmed'
  | 'prefix_needed'
  | 'prefix_is_text'
  | 'decoded'
  | 'url_alphabet'
  | 'padding'

export interface SecretVariant {
  readonly secret: DecodedSecret
  /** Null: as it was given. */
  readonly change: SecretChange | null
}

/** Those that were given come first; what cannot be a key at all is left out. */
export function secretVariants(secrets: readonly string[], form: SecretForm): readonly SecretVariant[] {
  const variants: SecretVariant[] = []
  const add = (change: SecretChange | null, make: () => DecodedSecret) => {
    try {
      const secret = make()
      const isKnown = variants.some(
        (known) => known.secret.kind === secret.kind && isSame(known.secret.bytes, secret.bytes),
      )
      if (secret.bytes.length > 0 && !isKnown) variants.push({ secret, change })
    } catch (error) {
      if (!(error instanceof VerifierUsageError)) throw error
    }
  }
  for (const given of secrets) add(null, () => decodeSecret(given, form))
  for (const given of secrets) {
    const text = given
      .trim()
      .replace(/^(["'])(.*)\1$/, '$2')
      .trim()
    const bare = text.replace(/^whsec_/, '')
    const plain = bare.replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
    const padded = plain.padEnd(Math.ceil(plain.length / 4) * 4, '=')
    add('trimmed', () => decodeSecret(text, form))
    if (form === 'standard') {
      const isOtherAlphabet = /[-_]/.test(bare)
      add(isOtherAlphabet ? 'url_alphabet' : 'padding', () => decodeSecret(padded, 'standard'))
      add('prefix_is_text', () => asText(text))
      add('prefix_is_text', () => asText(bare))
      add('prefix_is_text', () => ({ kind: 'hmac', bytes: decodeHex(bare) ?? new Uint8Array() }))
    } else {
      add('prefix_needed', () => asText(`whsec_${bare}`))
      add('prefix_needed', () => asText(bare))
      add('decoded', () => decodeSecret(padded, 'standard'))
    }
  }
  return variants
}

function asText(text: string): DecodedSecret {
  return { kind: 'hmac', bytes: toBytes(text) }
}
