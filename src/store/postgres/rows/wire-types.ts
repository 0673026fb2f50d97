/** How values travel: what comes out of a column, and how ids and bytes go in. */
import { OuthookError } from '../../../core/errors.ts'
import { writeIdBytes } from '../../../core/ids.ts'

type Parse = (text: string) => unknown

const asIs: Parse = (text) => text

/** By type oid. A type that is missing here is a statement's mistake, and says so. */
const parsers: ReadonlyMap<number, Parse> = new Map<number, Parse>([
  [16, (text) => text === 't'],
  [17, byteaToBytes],
  [20, Number],
  [21, Number],
  [23, Number],
  [700, Number],
  [701, Number],
  [19, asIs],
  [25, asIs],
  [1043, asIs],
  [2278, () => null],
  [2950, uuidToBytes],
])

export const wireTypes = {
  getTypeParser(oid: number): Parse {
    const parser = parsers.get(oid)
    if (parser === undefined) throw new OuthookError('internal', `no parser for PostgreSQL type ${oid}`)
    return parser
  },
}

const backslash = 0x5c

/** In either form of `bytea_output`: escaped bytes do not begin with `\x`, because there a backslash is doubled. */
function byteaToBytes(text: string): Uint8Array {
  if (text.startsWith('\\x')) return new Uint8Array(Buffer.from(text.slice(2), 'hex'))
  const bytes = Buffer.from(text, 'latin1')
  const first = bytes.indexOf(backslash)
  const length = first === -1 ? bytes.length : unescapeBytes(bytes, first)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, length)
}

/** In place, from the first backslash on; returns where the bytes end. Behind it stand another, or three octal digits. */
function unescapeBytes(bytes: Uint8Array, from: number): number {
  let end = from
  for (let at = from; at < bytes.length; end++) {
    const code = bytes[at] as number
    if (code !== backslash) {
      bytes[end] = code
      at += 1
    } else if (bytes[at + 1] === backslash) {
      bytes[end] = backslash
      at += 2
    } else {
      const [a, b, c] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number]
      bytes[end] = ((a & 7) << 6) | ((b & 7) << 3) | (c & 7)
      at += 4
    }
  }
  return end
}

const digitOfCode = new Uint8Array(128)
for (let digit = 0; digit < 16; digit++) digitOfCode[digit.toString(16).charCodeAt(0)] = digit
/** Where each byte's two digits stand in 8-4-4-4-12. */
const placeOfByte = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const

function uuidToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16)
  for (let index = 0; index < 16; index++) {
    const at = placeOfByte[index] as number
    const high = digitOfCode[text.charCodeAt(at)] as number
    bytes[index] = (high << 4) | (digitOfCode[text.charCodeAt(at + 1)] as number)
  }
  return bytes
}

/** The 16 bytes as a parameter of type `uuid`. */
export function uuid(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

const idBytes = Buffer.alloc(16)

export function uuidOfId(id: string): string {
  writeIdBytes(id, idBytes, 0)
  return idBytes.toString('hex')
}

const maxKnown = 10_000
const known = new Map<string, string>()

/** Of an id that comes up again and again: of a tenant, an endpoint or a subscription. */
export function knownUuid(id: string): string {
  const before = known.get(id)
  if (before !== undefined) return before
  if (known.size >= maxKnown) known.clear()
  const hex = uuidOfId(id)
  known.set(id, hex)
  return hex
}

export function optionalUuid(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : uuid(bytes)
}

export function optionalUuidOfId(id: string | null): string | null {
  return id === null ? null : uuidOfId(id)
}

/** PostgreSQL's text has no NUL; what receivers answer may. */
export function withoutNul(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '\uFFFD') : text
}

/**
 * Many byte strings in one parameter: sent as they are, where an array of them would travel as hexadecimal text,
 * twice as long. The statement cuts them out with `substring(… from at for length)`.
 */
export class BytesParameter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  /** Where the first byte stands, counted from 1 as SQL does. */
  add(bytes: Uint8Array): number {
    const at = this.#length + 1
    this.#parts.push(bytes)
    this.#length += bytes.byteLength
    return at
  }

  value(): Buffer {
    return Buffer.concat(this.#parts, this.#length)
  }
}
