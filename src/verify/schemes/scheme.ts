/** What a request claims in the headers of its scheme, before anything is checked. */
import type { Bytes } from '../bytes.ts'
import type { HeadersInput } from '../headers.ts'
import type { DecodedSecret, SecretForm } from '../secrets.ts'

export interface Claim {
  /** What is signed as its id; null where the scheme has none. */
  readonly id: string | null
  /** Null where the scheme signs no time. */
  readonly timestampSeconds: number | null
  readonly signatures: readonly Signature[]
  /** The texts of which one is signed. */
  messages(body: Bytes): readonly Bytes[]
}

export interface Signature {
  readonly kind: DecodedSecret['kind']
  readonly bytes: Bytes
}

export interface Scheme {
  readonly secretForm: SecretForm
  /** The header by which one sees that a request is signed in it. */
  readonly signatureHeader: string
  /** Errors: MissingHeaderError, MalformedHeaderError. */
  read(headers: HeadersInput): Claim
}

/** More of them are no rotation but an attempt to make the receiver compute. */
export const maxSignatures = 64
