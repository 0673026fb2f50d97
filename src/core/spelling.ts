/** How a secret may be written where it comes back: letters and digits as they are, everything else in one of several ways. */

export interface Spelling {
  /** One after the other; each is written in one of these forms. */
  readonly units: readonly (readonly string[])[]
  /** Stands in it however it is written. Empty: nothing does. */
  readonly probe: string
  /** Characters before the probe, at most. */
  readonly before: number
  /** Characters of the whole, at most. */
  readonly most: number
  /** Each that may stand in it. */
  readonly characters: string
  /** Each that it may begin with. */
  readonly starts: string
  /** Looked for between what is neither a letter nor a digit alone. */
  readonly isWord: boolean
}

interface SpellingOptions {
  readonly isWord: boolean
}

const runs = /[A-Za-z0-9]+|[\ud800-\udbff][\udc00-\udfff]|[\s\S]/g
const isRun = /^[A-Za-z0-9]/
/** Base64, in which base64url has other signs and no end. */
const looksEncoded = /^[\w+/-]{16,}={0,2}$/
const named: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
}
const escaped: Readonly<Record<string, readonly string[]>> = {
  '\n': ['\\n', '\r\n', '\\r\\n', '%0D%0A'],
  '\r': ['\\r'],
  '\t': ['\\t'],
  ' ': ['+'],
}
/** In the place of a sign of base64. */
const alike: Readonly<Record<string, string>> = { '+': '-', '-': '+', '/': '_', _: '/' }

/** The text itself. */
export function spell(text: string, { isWord }: SpellingOptions): Spelling {
  const isEncoded = looksEncoded.test(text)
  const parts = text.match(runs) ?? []
  const units = parts.map((part) => {
    if (isRun.test(part)) return [part]
    const forms = formsOf(part)
    if (!isEncoded) return forms
    return part === '=' ? [...forms, ''] : [...forms, ...formsOf(alike[part] ?? part)]
  })
  return toSpelling(parts, units, isWord)
}

/** What is made of a text: base64, also as a part of something longer, and hexadecimal digits. */
export function spellEncoded(bytes: Uint8Array, { isWord }: SpellingOptions): readonly Spelling[] {
  // Short ones have too few characters in the middle of something else.
  const middles = isWord ? [] : middlesOf(bytes)
  return [toBase64(bytes), ...middles]
    .map((text) => spellBase64(text, isWord))
    .concat(spellDigits(bytes, isWord))
}

/** Bytes that are no text of their own. */
export function spellKey(bytes: Uint8Array): readonly Spelling[] {
  return [spellBase64(toBase64(bytes), false), ...spellDigits(bytes, false)]
}

function spellDigits(bytes: Uint8Array, isWord: boolean): readonly Spelling[] {
  const digits = Buffer.from(bytes).toString('hex')
  return [spell(digits, { isWord }), spell(digits.toUpperCase(), { isWord })]
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

/** What base64 of a longer text has of it, which depends on how many bytes are before it. */
function middlesOf(bytes: Uint8Array): readonly string[] {
  return [0, 1, 2].map((before) => {
    const text = toBase64(Buffer.concat([Buffer.alloc(before), bytes]))
    const whole = Math.floor(((before + bytes.length) * 8) / 6)
    return text.slice(before === 0 ? 0 : before + 1, whole)
  })
}

function spellBase64(text: string, isWord: boolean): Spelling {
  const parts = text.match(runs) ?? []
  const units = parts.map((part) => {
    if (isRun.test(part)) return [part]
    return part === '=' ? [...formsOf(part), ''] : [...formsOf(part), ...formsOf(alike[part] ?? part)]
  })
  return toSpelling(parts, units, isWord)
}

function toSpelling(
  parts: readonly string[],
  units: readonly (readonly string[])[],
  isWord: boolean,
): Spelling {
  const most = units.map((forms) => Math.max(...forms.map(({ length }) => length)))
  let probe = ''
  let before = 0
  let sum = 0
  for (const [index, part] of parts.entries()) {
    if (isRun.test(part) && part.length > probe.length) [probe, before] = [part, sum]
    sum += most[index] ?? 0
  }
  const characters = [...new Set(units.flat().join(''))].join('')
  return { units, probe, before, most: sum, characters, starts: startsOf(units), isWord }
}

function startsOf(units: readonly (readonly string[])[]): string {
  let starts = ''
  for (const forms of units) {
    starts += forms.map((form) => form.charAt(0)).join('')
    if (!forms.includes('')) break
  }
  return starts
}

const formsOfAscii = new Map<string, readonly string[]>()

/** Of one character. */
function formsOf(character: string): readonly string[] {
  const known = formsOfAscii.get(character)
  if (known !== undefined) return known
  const forms = findForms(character)
  if (character <= '\u007f') formsOfAscii.set(character, forms)
  return forms
}

function findForms(character: string): readonly string[] {
  const bytes = Buffer.from(character.toWellFormed(), 'utf8')
  const percent = Array.from(bytes, (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  const json = units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  const code = character.codePointAt(0) ?? 0
  const hex = code.toString(16)
  const forms = [
    character,
    // A body is read byte by byte.
    bytes.toString('latin1'),
    percent,
    upperDigits(percent),
    json,
    upperDigits(json),
    `&#${code};`,
    `&#x${hex};`,
    `&#x${hex.toUpperCase()};`,
    ...(character >= '!' && character <= '~' ? [`\\${character}`] : []),
    ...(named[character] === undefined ? [] : [named[character]]),
    ...(escaped[character] ?? []),
  ]
  return [...new Set(forms)]
}

function upperDigits(text: string): string {
  return text.replace(/[a-f]/g, (digit) => digit.toUpperCase())
}
