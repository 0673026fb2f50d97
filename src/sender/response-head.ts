/**
 * The head of an answer, read as RFC 9110 and 9112 let a client read it: a receiver whose answer is refused has seen
 * the request all the same, and it would be sent again for nothing.
 */

/** How the body ends. */
export type Framing =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' }
  | { readonly kind: 'until_close' }

export interface ResponseHead {
  readonly status: number
  /** In order; names in lower case, each byte of a value one character. */
  readonly fields: readonly Field[]
  readonly framing: Framing
  /** The connection may carry another request after the body. */
  readonly keepsAlive: boolean
  /** Milliseconds for which the receiver keeps an idle connection open; null: it does not say. */
  readonly keepAliveMs: number | null
}

export type Field = readonly [name: string, value: string]

const noBody: Framing = { kind: 'none' }
const chunked: Framing = { kind: 'chunked' }
const untilClose: Framing = { kind: 'until_close' }

/** RFC 9112, 4: any white space may stand where one space should. */
const statusLine = /^HTTP\/1\.(\d)[ \t\v\f\r]+(\d{3})(?:[ \t\v\f\r]|$)/
const token = /^[\w!#$%&'*+.^`|~-]+$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\0-\x08\x0a-\x1f\x7f]/g
/** Not even a petabyte: what is beyond cannot be counted in a number, and never arrives either. */
const maxLengthDigits = 15

/** The heads read last, each where the length of its text says. */
const lastHeads: ({ readonly text: string; readonly head: ResponseHead } | undefined)[] = []
const lastHeadSlots = 64
const maxKeptChars = 1024

/**
 * Null when it is no HTTP/1 answer, or says two lengths. Under load a receiver says the same again and again within one
 * second of its `Date`: such a text is read once (3 µs), and its fields are one list for all, here and in the store.
 * @param text from `HTTP/` to the end of the empty line, each byte one character
 */
export function readResponseHead(text: string): ResponseHead | null {
  const slot = text.length % lastHeadSlots
  const last = lastHeads[slot]
  if (last !== undefined && last.text === text) return last.head
  const head = parseHead(text)
  if (head !== null && text.length <= maxKeptChars) lastHeads[slot] = { text, head }
  return head
}

function parseHead(text: string): ResponseHead | null {
  // RFC 9112, 2.2: a line may end with a line feed alone.
  const firstEnd = text.indexOf('\n')
  const [, minor, digits] = statusLine.exec(text.slice(0, firstEnd)) ?? []
  const fields = digits === undefined ? null : readFields(text, firstEnd + 1)
  if (fields === null) return null
  const status = Number(digits)
  const framing = frame(status, fields)
  if (framing === null) return null
  return {
    status,
    fields,
    framing: framing.as,
    keepsAlive: framing.isPlain && framing.as.kind !== 'until_close' && saysKeepAlive(minor === '0', fields),
    keepAliveMs: readKeepAlive(fields),
  }
}

/** Null when there is a line that is no field. */
function readFields(text: string, start: number): Field[] | null {
  const fields: [string, string][] = []
  for (let at = start, end = 0; at < text.length; at = end + 1) {
    end = text.indexOf('\n', at)
    if (end < 0) end = text.length
    const line = text.slice(at, text[end - 1] === '\r' ? end - 1 : end)
    if (line === '') continue
    if (line.startsWith(' ') || line.startsWith('\t')) {
      // RFC 9112, 5.2: a folded line goes on with the field before it; 2.2: without one it is passed over.
      const folded = fields.at(-1)
      if (folded !== undefined) folded[1] = `${folded[1]} ${readValue(line)}`
      continue
    }
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(0, colon)).trimEnd()
    if (!token.test(name)) return null
    fields.push([name.toLowerCase(), readValue(line.slice(colon + 1))])
  }
  return fields
}

/** RFC 9110, 5.5: without white space around it, and a space for each control character. */
function readValue(text: string): string {
  let start = 0
  let end = text.length
  while (isSpace(text.charCodeAt(start))) start++
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end).replace(controls, ' ')
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09
}

/** RFC 9112, 6.3. `isPlain` is false where two framings stand: where the next answer begins is anybody's guess then. */
function frame(status: number, fields: readonly Field[]): { as: Framing; isPlain: boolean } | null {
  if (status < 200 || status === 204 || status === 304) return { as: noBody, isPlain: true }
  const lengths = valuesOf(fields, 'content-length')
  // "identity" is a name from HTTP's first years for "as it is", which some servers still write beside the length.
  const codings = valuesOf(fields, 'transfer-encoding').filter((value) => value.toLowerCase() !== 'identity')
  if (codings.length > 0) {
    const isChunked = /(?:^|,)[ \t]*chunked$/i.test(codings.at(-1) ?? '')
    return { as: isChunked ? chunked : untilClose, isPlain: lengths.length === 0 }
  }
  if (lengths.length === 0) return { as: untilClose, isPlain: true }
  const bytes = commonLength(lengths)
  return bytes === null ? null : { as: { kind: 'length', bytes }, isPlain: true }
}

function valuesOf(fields: readonly Field[], name: string): string[] {
  const values: string[] = []
  for (const [known, value] of fields) if (known === name) values.push(value)
  return values
}

/** RFC 9110, 8.6: one length, said several times. Null where several differ or one is none. */
function commonLength(values: readonly string[]): number | null {
  const lengths = new Set<string>()
  for (const value of values) {
    for (const part of value.split(',')) {
      const digits = part.trim()
      if (digits === '') continue
      if (!/^\d+$/.test(digits)) return null
      lengths.add(digits.replace(/^0+(?=\d)/, ''))
    }
  }
  const [first, ...others] = lengths
  if (first === undefined || others.length > 0) return null
  return Number(first.length > maxLengthDigits ? '9'.repeat(maxLengthDigits) : first)
}

/** RFC 9112, 9.3. */
function saysKeepAlive(isHttp10: boolean, fields: readonly Field[]): boolean {
  const options = valuesOf(fields, 'connection')
    .flatMap((value) => value.toLowerCase().split(','))
    .map((option) => option.trim())
  return !options.includes('close') && (!isHttp10 || options.includes('keep-alive'))
}

/** `Keep-Alive: timeout=5`, in seconds. */
function readKeepAlive(fields: readonly Field[]): number | null {
  const [value] = valuesOf(fields, 'keep-alive')
  const seconds = value === undefined ? undefined : /(?:^|[\s,;])timeout\s*=\s*"?(\d{1,9})/i.exec(value)?.[1]
  return seconds === undefined ? null : Number(seconds) * 1000
}
