/**
 * JSON as Python writes it with sorted keys, no spaces and ASCII only: `json.dumps(value, sort_keys=True,
 * separators=(',', ':'))`. Made of the text rather than of parsed values, because `1.0` and `1` are the same number in
 * JavaScript and two in Python.
 */

/** Deeper JSON is no webhook, and recursion ends somewhere. */
const maxDepth = 500

/**
 * Null for what is not JSON in UTF-8, and for an object that has a key twice: its canonical form keeps only one of the
 * two values, so whoever reads the other one would take what nobody signed.
 */
export function toCanonicalJson(body: Uint8Array): string | null {
  return write(body, 'verify')
}

/**
 * The canonical form as a body that is sent instead of the given one. Null for what has none that says the same: no
 * JSON in UTF-8, or a number beyond what a float holds, which Python writes as `Infinity`. Of a key that stands there
 * twice it has the last value, as parsers do.
 */
export function toCanonicalBody(body: Uint8Array): Uint8Array | null {
  const text = write(body, 'send')
  return text === null ? null : new TextEncoder().encode(text)
}

type Purpose = 'verify' | 'send'

function write(body: Uint8Array, purpose: Purpose): string | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
    return new CanonicalWriter(text, purpose).write()
  } catch (error) {
    if (error instanceof NotCanonical || error instanceof TypeError) return null
    throw error
  }
}

class NotCanonical extends Error {}

class CanonicalWriter {
  readonly #text: string
  readonly #purpose: Purpose
  #at = 0

  constructor(text: string, purpose: Purpose) {
    this.#text = text
    this.#purpose = purpose
  }

  write(): string {
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) throw new NotCanonical()
    return value
  }

  #value(depth: number): string {
    if (depth > maxDepth) throw new NotCanonical()
    this.#skipSpace()
    const first = this.#text[this.#at]
    if (first === '{') return this.#object(depth)
    if (first === '[') return this.#array(depth)
    if (first === '"') return escapeString(this.#string())
    return this.#take(/true|false|null/y) ?? this.#number()
  }

  #object(depth: number): string {
    const members = new Map<string, string>()
    this.#at++
    for (let isFirst = true; !this.#isNext('}'); isFirst = false) {
      if (!isFirst) this.#expect(',')
      this.#skipSpace()
      const key = this.#string()
      if (this.#purpose === 'verify' && members.has(key)) throw new NotCanonical()
      this.#expect(':')
      members.set(key, this.#value(depth + 1))
    }
    const sorted = [...members].sort(([a], [b]) => compareByCodePoint(a, b))
    return `{${sorted.map(([key, value]) => `${escapeString(key)}:${value}`).join(',')}}`
  }

  #array(depth: number): string {
    const items: string[] = []
    this.#at++
    for (let isFirst = true; !this.#isNext(']'); isFirst = false) {
      if (!isFirst) this.#expect(',')
      items.push(this.#value(depth + 1))
    }
    return `[${items.join(',')}]`
  }

  #string(): string {
    const literal = this.#take(/"(?:[^"\\]|\\.)*"/sy)
    if (literal === null) throw new NotCanonical()
    try {
      return JSON.parse(literal) as string
    } catch {
      throw new NotCanonical()
    }
  }

  /** Integers keep their digits, whatever their size. */
  #number(): string {
    const literal = this.#take(/-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
    if (literal === null) throw new NotCanonical()
    if (/[.eE]/.test(literal)) {
      const value = Number(literal)
      if (this.#purpose === 'send' && !Number.isFinite(value)) throw new NotCanonical()
      return floatText(value)
    }
    return literal === '-0' ? '0' : literal
  }

  /** Also passes over it when it is. */
  #isNext(mark: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== mark) return false
    this.#at++
    return true
  }

  #expect(mark: string): void {
    if (!this.#isNext(mark)) throw new NotCanonical()
  }

  #skipSpace(): void {
    this.#take(/[ \t\n\r]*/y)
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? null
    this.#at += found?.length ?? 0
    return found
  }
}

/** Python's `repr` of a float: the same digits as JavaScript's, but exponents below -4 and from 16 on. */
function floatText(value: number): string {
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= 16) {
    const digits = String(Math.abs(exponent)).padStart(2, '0')
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${digits}`
  }
  const plain = exponent < 0 ? value.toFixed(-exponent + digitsAfterPoint(mantissa)) : String(value)
  return plain.includes('.') ? plain : `${plain}.0`
}

function digitsAfterPoint(mantissa: string): number {
  return mantissa.split('.')[1]?.length ?? 0
}

const shortEscapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
}

function escapeString(text: string): string {
  const escaped = text.replace(
    /["\\]|[^ -~]/g,
    (unit) => shortEscapes[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return `"${escaped}"`
}

/** UTF-16 would put what lies beyond the basic plane before U+E000. */
function compareByCodePoint(a: string, b: string): number {
  const others = [...b]
  let index = 0
  for (const character of a) {
    const other = others[index++]
    if (other === undefined) return 1
    const difference = (character.codePointAt(0) ?? 0) - (other.codePointAt(0) ?? 0)
    if (difference !== 0) return difference
  }
  return index - others.length
}
