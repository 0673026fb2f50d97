/** Headers of the form `t=<unix seconds>,v1=<hex>,v1=<hex>`, as hookrail and Stripe have them. */
import { type Bytes, decodeHex } from '../bytes.ts'
import { MalformedHeaderError } from '../errors.ts'
import { readSeconds } from '../headers.ts'
import { maxSignatures } from './scheme.ts'

export interface TimedList {
  /** As it stands there, because that is what is signed. */
  readonly timestamp: string
  readonly timestampSeconds: number
  readonly signatures: readonly { readonly kind: 'hmac'; readonly bytes: Bytes }[]
}

const hmacBytes = 32

/** Parts of other names are left out. */
export function readTimedList(value: string, header: string): TimedList {
  const parts = value.split(',').map((part) => part.trim())
  const valuesOf = (name: string) =>
    parts.filter((part) => part.startsWith(`${name}=`)).map((part) => part.slice(name.length + 1))
  const timestamp = valuesOf('t').at(-1)
  if (timestamp === undefined) throw new MalformedHeaderError(header, 'has no "t="')
  const texts = valuesOf('v1')
  if (texts.length === 0) throw new MalformedHeaderError(header, 'has no "v1="')
  if (texts.length > maxSignatures) {
    throw new MalformedHeaderError(header, `has more than ${maxSignatures} signatures`)
  }
  const signatures = texts.map((text) => {
    const bytes = decodeHex(text)
    if (bytes?.length !== hmacBytes) {
      throw new MalformedHeaderError(header, 'has a "v1=" that is no HMAC-SHA256 in hexadecimal digits')
    }
    return { kind: 'hmac' as const, bytes }
  })
  return { timestamp, timestampSeconds: readSeconds(timestamp, header), signatures }
}
