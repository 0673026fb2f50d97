/** Bytes and their text forms, with what every runtime has. */
import { VerifierUsageError } from './errors.ts'

/** Whatever holds the body byte for byte. Text is taken as UTF-8. */
export type RawBody = string | Uint8Array | ArrayBuffer

export type Bytes = Uint8Array<ArrayBuffer>

const encoder = new TextEncoder()

export function toBytes(text: string): Bytes {
  return encoder.encode(text)
}

/** A copy where the bytes may be shared memory, which WebCrypto does not take. */
export function bodyBytes(body: RawBody): Bytes {
  if (typeof body === 'string') return toBytes(body)
  if (body instanceof ArrayBuffer) return new Uint8Array(body)
  if (ArrayBuffer.isView(body)) {
    const { buffer, byteOffset, byteLength } = body
    if (buffer instanceof ArrayBuffer) return new Uint8Array(buffer, byteOffset, byteLength)
    return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength))
  }
  throw new VerifierUsageError(
    'body_not_raw',
    `the body is ${body === null || body === undefined ? String(body) : `a parsed ${typeof body}`}; give the bytes ` +
      'that came over the wire, as text, Uint8Array or ArrayBuffer, before anything parses them',
  )
}

export function joinBytes(...parts: readonly Uint8Array[]): Bytes {
  const joined = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

/** Null unless it is exactly what an encoder writes, padding included. */
export function decodeBase64(text: string): Bytes | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index)
  return btoa(binary) === text ? bytes : null
}

/** Null unless it is pairs of digits, in either case. */
export function decodeHex(text: string): Bytes | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(text.slice(2 * index, 2 * index + 2), 16)
  }
  return bytes
}

/** Takes as long whatever the bytes are; only that lengths differ is seen at once, and no length is secret. */
export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0)
  return difference === 0
}
