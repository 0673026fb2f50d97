/** What GitHub sends: `sha256=` and the hexadecimal HMAC of the body. It signs no time, so a request can be repeated. */
import { decodeHex } from '../bytes.ts'
import { MalformedHeaderError } from '../errors.ts'
import { requireHeader } from '../headers.ts'
import type { Scheme } from './scheme.ts'

const signatureHeader = 'x-hub-signature-256'

export const githubScheme: Scheme = {
  secretForm: 'text',
  signatureHeader,
  read(headers) {
    const digest = /^sha256=(.{64})$/.exec(requireHeader(headers, signatureHeader))?.[1] ?? ''
    const bytes = decodeHex(digest)
    if (bytes === null || bytes.length === 0) {
      throw new MalformedHeaderError(signatureHeader, 'is not "sha256=" and 64 hexadecimal digits')
    }
    return {
      id: null,
      timestampSeconds: null,
      signatures: [{ kind: 'hmac', bytes }],
      messages: (body) => [body],
    }
  },
}
