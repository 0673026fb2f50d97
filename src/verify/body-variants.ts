/** What a body may have been before something on its way changed it, one usual change each. */
import { type Bytes, decodeBase64, isSame, joinBytes, toBytes } from './bytes.ts'
import { toCanonicalJson } from './forms/canonical-json.ts'

export type BodyChange =
  | 'newline_added'
  | 'newline_removed'
  | 'bom_added'
  | 'bom_removed'
  | 'crlf'
  | 'reserialized'
  | 'encoding'
  | 'base64'
  | 'percent'
  | 'quoted'
  | 'empty'

export interface BodyVariant {
  readonly body: Bytes
  /** Null: as it was captured. */
  readonly change: BodyChange | null
}

const mark = Uint8Array.of(0xef, 0xbb, 0xbf)

export function bodyVariants(body: Bytes): readonly BodyVariant[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(body)
  const variants: BodyVariant[] = [{ body, change: null }]
  const add = (change: BodyChange, candidate: string | Bytes | null) => {
    if (candidate === null) return
    const bytes = typeof candidate === 'string' ? toBytes(candidate) : candidate
    if (!variants.some((known) => isSame(known.body, bytes))) variants.push({ body: bytes, change })
  }
  if (/[\r\n]$/.test(text)) {
    add('newline_added', text.replace(/\r?\n$|\r$/, ''))
    add('newline_added', text.replace(/[\r\n]+$/, ''))
  }
  add('newline_removed', `${text}\n`)
  add('newline_removed', `${text}\r\n`)
  if (isSame(body.subarray(0, 3), mark)) add('bom_added', body.slice(3))
  add('bom_removed', joinBytes(mark, body))
  add('crlf', text.replace(/\r\n/g, '\n'))
  add('crlf', text.replace(/\r?\n/g, '\r\n'))
  for (const other of jsonForms(text)) add('reserialized', other)
  add('encoding', latinBytes(text))
  add('encoding', String.fromCharCode(...body.subarray(0, body.length <= maxLatinBytes ? body.length : 0)))
  add('base64', decodeBase64(text.trim()))
  add('percent', percentDecoded(text))
  add('quoted', quotedText(text))
  add('empty', new Uint8Array())
  return variants
}

/** Beyond it, characters cannot be arguments of one call. */
const maxLatinBytes = 64 * 1024

/** The ways in which languages write the same JSON. The order of members is kept, which parsers keep too. */
function jsonForms(text: string): readonly string[] {
  let value: unknown
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return []
  }
  const compact = JSON.stringify(value)
  const forms = [
    compact,
    JSON.stringify(value, null, 2),
    JSON.stringify(value, null, 4),
    JSON.stringify(value, null, '\t'),
    spaced(compact),
    toCanonicalJson(toBytes(text)) ?? compact,
  ]
  const withSlashes = forms.map((form) => form.replaceAll('/', '\\/'))
  const html = forms.map((form) => form.replace(/[<>&\u2028\u2029]/g, escaped))
  const all = [...forms, ...withSlashes, ...html]
  return [
    ...all,
    ...all.map((form) => form.replace(/[^\0-\x7e]/g, escaped)),
    ...all.map((form) => `${form}\n`),
  ]
}

function escaped(unit: string): string {
  return [...Array(unit.length).keys()]
    .map((index) => `\\u${unit.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('')
}

/** `{"a": 1, "b": 2}`, as Python writes it unless told otherwise. */
function spaced(compact: string): string {
  return compact.replace(/"(?:[^"\\]|\\.)*"|[,:]/g, (part) => (part.length === 1 ? `${part} ` : part))
}

/** Of what was UTF-8, read as Latin-1 and written as UTF-8. */
function latinBytes(text: string): Bytes | null {
  if (/[^\0-\xff]/.test(text)) return null
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function percentDecoded(text: string): string | null {
  if (!text.includes('%')) return null
  try {
    return decodeURIComponent(text.replaceAll('+', ' ').replace(/^payload=/, ''))
  } catch {
    return null
  }
}

function quotedText(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'string' ? value : null
  } catch {
    return null
  }
}
