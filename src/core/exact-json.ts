/**
 * JSON whose bytes are kept: what a producer sends as payload is what receivers get, byte for byte. A body is parsed
 * once, which validates it whole; then a scanner finds the byte ranges of the members. It runs over text that is
 * known to be JSON, therefore checks nothing again, and it does not recurse.
 */
import { isUtf8 } from 'node:buffer'
import { type ErrorCode, OuthookError } from './errors.ts'

export interface EventEnvelope {
  /** The parsed members; of repeated names the last. */
  readonly members: Readonly<Record<string, unknown>>
  /** The exact bytes of the member `payload`, a view into the body; null when there is none. */
  readonly payload: Uint8Array | null
}

export interface BatchItem {
  /** The parsed item, whatever it is. */
  readonly value: unknown
  /** As in `EventEnvelope`; null also when the item is no object. */
  readonly payload: Uint8Array | null
}

export interface BatchEnvelope {
  readonly members: Readonly<Record<string, unknown>>
  readonly items: readonly BatchItem[]
}

const eventForm = 'expected {"topic": string, "payload": object}'
const batchForm = 'expected {"events": [{"topic": string, "payload": object}]}'

const quote = 0x22
const comma = 0x2c
const backslash = 0x5c
const openBracket = 0x5b
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d
const space = 0x20

const payloadName = Buffer.from('payload')
const eventsName = Buffer.from('events')

/** Reads the body of one event. Throws `invalid_body`, which says what is wrong with the text. */
export function parseEventEnvelope(body: Uint8Array, form = eventForm): EventEnvelope {
  const members = parseObject(body, form)
  return { members, payload: memberBytes(body, skipSpace(body, 0), payloadName) }
}

/** Reads the body of a batch. Throws `invalid_body`; what is wrong inside an item is for the caller to answer. */
export function parseBatchEnvelope(body: Uint8Array): BatchEnvelope {
  const members = parseObject(body, batchForm)
  const values = members.events
  if (!Array.isArray(values)) throw new OuthookError('invalid_body', `${batchForm}: "events" must be a list`)
  const events = findMember(body, skipSpace(body, 0), eventsName)
  if (events === null) return { members, items: [] }
  let at = skipSpace(body, events.start + 1)
  const items = values.map((value: unknown) => {
    const payload = body[at] === openBrace ? memberBytes(body, at, payloadName) : null
    at = skipSpace(body, skipValue(body, at))
    if (body[at] === comma) at = skipSpace(body, at + 1)
    return { value, payload }
  })
  return { members, items }
}

function parseObject(body: Uint8Array, form: string): Readonly<Record<string, unknown>> {
  const value = parseExact(body, 'invalid_body', form)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new OuthookError('invalid_body', `${form}: the body is not a JSON object`)
  }
  return value as Readonly<Record<string, unknown>>
}

/** The parsed value of bytes that are JSON in UTF-8 without a byte order mark; otherwise throws what is wrong. */
export function parseExact(bytes: Uint8Array, code: ErrorCode, form: string): unknown {
  if (bytes.length === 0) throw new OuthookError(code, `${form}: it is empty`)
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new OuthookError(code, `${form}: it begins with a byte order mark; send UTF-8 without one`)
  }
  if (!isUtf8(bytes)) throw new OuthookError(code, `${form}: it is not UTF-8; send JSON encoded as UTF-8`)
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch (cause) {
    throw new OuthookError(code, `${form}: it is not JSON (${(cause as Error).message})`, { cause })
  }
}

function memberBytes(text: Uint8Array, objectAt: number, name: Uint8Array): Uint8Array | null {
  const range = findMember(text, objectAt, name)
  return range === null ? null : text.subarray(range.start, range.end)
}

export interface TextRange {
  readonly start: number
  readonly end: number
}

/** The range of the value of the last member with the name, in the object that begins at `objectAt`. */
export function findMember(text: Uint8Array, objectAt: number, name: Uint8Array): TextRange | null {
  let found: TextRange | null = null
  let at = skipSpace(text, objectAt + 1)
  while (at < text.length && text[at] !== closeBrace) {
    const nameStart = at + 1
    at = skipString(text, at)
    const matches = isName(text, nameStart, at - 1, name)
    at = skipSpace(text, at)
    const start = skipSpace(text, at + 1)
    const end = skipValue(text, start)
    if (matches) found = { start, end }
    at = skipSpace(text, end)
    if (text[at] === comma) at = skipSpace(text, at + 1)
  }
  return found
}

/** The range of the element at the position, in the list that begins at `listAt`. */
export function elementRange(text: Uint8Array, listAt: number, position: number): TextRange | null {
  let at = skipSpace(text, listAt + 1)
  for (let index = 0; at < text.length && text[at] !== closeBracket; index++) {
    const end = skipValue(text, at)
    if (index === position) return { start: at, end }
    at = skipSpace(text, end)
    if (text[at] === comma) at = skipSpace(text, at + 1)
  }
  return null
}

export function firstOf(text: Uint8Array, at: number): 'object' | 'list' | 'plain' {
  if (text[at] === openBrace) return 'object'
  return text[at] === openBracket ? 'list' : 'plain'
}

function isName(text: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start === name.length) {
    let index = 0
    while (index < name.length && text[start + index] === name[index]) index++
    return index === name.length
  }
  // A longer spelling can only be the same name with escapes in it.
  if (end - start < name.length || text.subarray(start, end).indexOf(backslash) === -1) return false
  return (
    JSON.parse(Buffer.from(text.subarray(start - 1, end + 1)).toString()) === Buffer.from(name).toString()
  )
}

export function skipSpace(text: Uint8Array, from: number): number {
  let at = from
  while ((text[at] as number) <= space) at++
  return at
}

/** The index after the value that begins at `from`. */
function skipValue(text: Uint8Array, from: number): number {
  const first = text[from]
  if (first === quote) return skipString(text, from)
  if (first === openBrace || first === openBracket) return skipContainer(text, from)
  let at = from + 1
  for (; at < text.length; at++) {
    const byte = text[at] as number
    if (byte === comma || byte === closeBrace || byte === closeBracket || byte <= space) break
  }
  return at
}

function skipContainer(text: Uint8Array, from: number): number {
  let depth = 1
  let at = from + 1
  while (depth > 0 && at < text.length) {
    const byte = text[at] as number
    if (byte === quote) {
      at = skipString(text, at)
      continue
    }
    if (byte === openBrace || byte === openBracket) depth++
    else if (byte === closeBrace || byte === closeBracket) depth--
    at++
  }
  return at
}

function skipString(text: Uint8Array, from: number): number {
  let at = from + 1
  while (at < text.length && text[at] !== quote) at += text[at] === backslash ? 2 : 1
  return at + 1
}

export interface ExactJson {
  readonly bytes: Uint8Array
  /** What the bytes say. */
  readonly value: unknown
}

/**
 * Takes text or bytes as exact JSON and copies them, so that the caller's later changes to the bytes reach nobody.
 * Throws `invalid_payload`, which says what is wrong.
 */
export function checkJsonBytes(body: string | Uint8Array): ExactJson {
  const form = 'the body must be JSON'
  if (typeof body === 'string' && !body.isWellFormed()) {
    throw new OuthookError(
      'invalid_payload',
      `${form}: it holds half of a surrogate pair; send well-formed text`,
    )
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body)
  return { bytes, value: parseExact(bytes, 'invalid_payload', form) }
}
