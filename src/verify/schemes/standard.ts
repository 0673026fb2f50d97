/** Standard Webhooks 1.0 (https://www.standardwebhooks.com): `v1` is an HMAC, `v1a` ed25519. */
import { decodeBase64, joinBytes, toBytes } from '../bytes.ts'
import { MalformedHeaderError } from '../errors.ts'
import { type HeadersInput, readHeader, readSeconds, requireHeader, requireId } from '../headers.ts'
import { maxSignatures, type Scheme, type Signature } from './scheme.ts'

const signatureHeader = 'webhook-signature'

export const standardScheme: Scheme = {
  secretForm: 'standard',
  signatureHeader,
  read(headers) {
    const prefix = prefixOf(headers)
    const id = requireId(headers, `${prefix}-id`)
    const timestamp = requireHeader(headers, `${prefix}-timestamp`)
    const header = `${prefix}-signature`
    const signatures = requireHeader(headers, header).split(' ').flatMap(readSignature)
    if (signatures.length === 0) throw new MalformedHeaderError(header, 'has no signature of v1 or v1a')
    if (signatures.length > maxSignatures) {
      throw new MalformedHeaderError(header, `has more than ${maxSignatures} signatures`)
    }
    return {
      id,
      timestampSeconds: readSeconds(timestamp, `${prefix}-timestamp`),
      signatures,
      messages: (body) => [joinBytes(toBytes(`${id}.${timestamp}.`), body)],
    }
  },
}

/** Svix, where the standard comes from, sends the same headers under its own name as well. */
function prefixOf(headers: HeadersInput): 'webhook' | 'svix' {
  const isSvix = readHeader(headers, signatureHeader) === '' && readHeader(headers, 'svix-signature') !== ''
  return isSvix ? 'svix' : 'webhook'
}

/** Unknown versions are for verifiers of a later day. */
function readSignature(text: string): Signature[] {
  const comma = text.indexOf(',')
  const version = text.slice(0, comma)
  if (version !== 'v1' && version !== 'v1a') return []
  const bytes = decodeBase64(text.slice(comma + 1))
  return bytes === null ? [] : [{ kind: version === 'v1' ? 'hmac' : 'ed25519', bytes }]
}
