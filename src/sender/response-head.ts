/**
 * The head of an answer as undici's parser takes it. RFC 9110 and 9112 let a client take more than that parser does,
 * and a receiver whose answer is refused has seen the request all the same: it would be sent again for nothing.
 */

export type ResponseHead =
  /** 100 and its like: not the answer yet. */
  | { readonly kind: 'interim' }
  /** To be handed on as it came: it is in order, or so wrong that the parser shall say so. */
  | { readonly kind: 'as_received' }
  | {
      readonly kind: 'rewritten'
      readonly text: string
      /** Two framings at once: where the next answer begins is anybody's guess (RFC 9112, 6.3). */
      readonly reusable: boolean
    }

interface Field {
  readonly name: string
  value: string
}

const plainHead =
  /^HTTP\/1\.[01] \d{3}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n(?:[\w!#$%&'*+.^`|~-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n$/
const framingFields = /\n(?:content-length|transfer-encoding):[^\r]*/gi
const plainFraming = /^\n(?:content-length:[ \t]*\d{1,15}|transfer-encoding:[ \t]*chunked)$/i
/** Longer ones go line by line, where the pattern cannot need much memory. */
const maxPlainChars = 8192

/** RFC 9112, 4: any white space may stand where one space should. */
const statusLine = /^HTTP\/1\.(\d)[ \t\v\f\r]+(\d{3})(?:[ \t\v\f\r]+(.*))?$/s
const fieldLine = /^([\w!#$%&'*+.^`|~-]+)[ \t]*:(.*)$/s
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const controls = /[\0-\x08\x0a-\x1f\x7f]/g
/** Not even a petabyte: what is beyond cannot be counted in a number, and never arrives either. */
const maxLengthDigits = 15

/** @param text from `HTTP/` to the end of the empty line, each byte one character */
export function readResponseHead(text: string): ResponseHead {
  if (/^HTTP\/1\.\d[ \t\v\f\r]+1(?!01)\d\d(?:\s|$)/.test(text)) return { kind: 'interim' }
  if (text.length <= maxPlainChars && plainHead.test(text) && hasPlainFraming(text)) return asReceived
  return rewrite(text)
}

const asReceived: ResponseHead = { kind: 'as_received' }

function hasPlainFraming(text: string): boolean {
  const framing = text.match(framingFields)
  return framing === null || (framing.length === 1 && plainFraming.test(framing[0]))
}

function rewrite(text: string): ResponseHead {
  // RFC 9112, 2.2: a line may end with a line feed alone.
  const [first = '', ...lines] = text.split('\n').map((line) => line.replace(/\r$/, ''))
  const [, minor, status, reason = ''] = statusLine.exec(first) ?? []
  const fields = readFields(lines)
  if (status === undefined || fields === null) return asReceived
  const framed = frame(fields)
  const head = [
    // RFC 9110, 2.5: a higher minor version is read as the highest that one knows.
    `HTTP/1.${minor === '0' ? 0 : 1} ${status} ${withoutControls(reason)}`,
    ...framed.fields.map(({ name, value }) => `${name}: ${withoutControls(value)}`),
  ]
  return { kind: 'rewritten', text: `${head.join('\r\n')}\r\n\r\n`, reusable: framed.reusable }
}

/** Null when there is a line that is no field. */
function readFields(lines: readonly string[]): Field[] | null {
  const fields: Field[] = []
  for (const line of lines) {
    if (line === '') continue
    if (line.startsWith(' ') || line.startsWith('\t')) {
      // RFC 9112, 5.2: a folded line goes on with the field before it; 2.2: without one it is passed over.
      const folded = fields.at(-1)
      if (folded !== undefined) folded.value = `${folded.value} ${trimmed(line)}`
      continue
    }
    const [, name, value = ''] = fieldLine.exec(line) ?? []
    if (name === undefined) return null
    fields.push({ name, value: trimmed(value) })
  }
  return fields
}

function frame(fields: readonly Field[]): { fields: readonly Field[]; reusable: boolean } {
  const codings = fields.filter(isNamed('transfer-encoding'))
  const lengths = fields.filter(isNamed('content-length'))
  // A name from HTTP's first years for "as it is", which some servers still write beside the length.
  const isCoded = codings.some(({ value }) => value.toLowerCase() !== 'identity')
  if (isCoded) {
    // RFC 9112, 6.3: the coding wins.
    return { fields: fields.filter((field) => !lengths.includes(field)), reusable: lengths.length === 0 }
  }
  const uncoded = fields.filter((field) => !codings.includes(field))
  const length = commonLength(lengths)
  if (length === null) return { fields: uncoded, reusable: true }
  const [first, ...more] = lengths
  return {
    fields: uncoded
      .filter((field) => !more.includes(field))
      .map((field) => (field === first ? { ...field, value: length } : field)),
    reusable: true,
  }
}

/** RFC 9110, 8.6: one length, said several times. Null where there is none, or several that differ. */
function commonLength(lengths: readonly Field[]): string | null {
  const values = lengths.flatMap(({ value }) => value.split(',').map(trimmed)).filter((value) => value !== '')
  if (!values.every((value) => /^\d+$/.test(value))) return null
  const [first, ...others] = new Set(values.map((value) => value.replace(/^0+(?=\d)/, '')))
  if (first === undefined || others.length > 0) return null
  return first.length > maxLengthDigits ? '9'.repeat(maxLengthDigits) : first
}

function isNamed(wanted: string): (field: Field) => boolean {
  return ({ name }) => name.length === wanted.length && name.toLowerCase() === wanted
}

/** Optional white space only: `trim` also takes away characters that mean something in latin1. */
function trimmed(value: string): string {
  return value.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '')
}

/** RFC 9110, 5.5: replaced by a space each. */
function withoutControls(value: string): string {
  return value.replace(controls, ' ')
}
