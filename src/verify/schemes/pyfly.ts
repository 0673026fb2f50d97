/**
 * What pyfly's callbacks send: the hexadecimal HMAC over the canonical form of the JSON, while the body may be the same
 * JSON written otherwise. A signature over the body as it came is taken too, as pyfly's own verifier does. It signs no
 * time, so a request can be repeated.
 */
import { decodeHex, toBytes } from '../bytes.ts'
import { MalformedHeaderError } from '../errors.ts'
import { toCanonicalJson } from '../forms/canonical-json.ts'
import { requireHeader } from '../headers.ts'
import type { Scheme } from './scheme.ts'

const signatureHeader = 'x-pyfly-signature'

export const pyflyScheme: Scheme = {
  secretForm: 'text',
  signatureHeader,
  read(headers) {
    const digest = /^(?:sha256=)?(.{64})$/.exec(requireHeader(headers, signatureHeader))?.[1] ?? ''
    const bytes = decodeHex(digest)
    if (bytes === null || bytes.length === 0) {
      throw new MalformedHeaderError(signatureHeader, 'is not "sha256=" and 64 hexadecimal digits')
    }
    return {
      id: null,
      timestampSeconds: null,
      signatures: [{ kind: 'hmac', bytes }],
      messages(body) {
        const canonical = toCanonicalJson(body)
        return canonical === null ? [body] : [body, toBytes(canonical)]
      },
    }
  },
}
