/** Forms as tables: what each field shows of a thing, and what its text means to the server. Pure. */

export interface FormField<T> {
  /** As the API's JSON calls it, which its refusals name. */
  readonly name: string
  /** As the client calls it. */
  readonly member: string
  readonly label: string
  readonly hint?: string
  readonly control?: Control
  /** Behind "More settings". */
  readonly isFurther?: boolean
  /** What it shows; null: of a thing that is not made yet. */
  readonly read: (of: T | null) => string
  /** Throws an error that begins with the field's name when the text has no meaning. */
  readonly parse: (text: string) => unknown
}

export type Control =
  | { readonly kind: 'text' | 'url' | 'number'; readonly isRequired?: boolean; readonly placeholder?: string }
  | { readonly kind: 'lines' | 'topics'; readonly rows: number; readonly placeholder?: string }
  | { readonly kind: 'choice'; readonly options: readonly (readonly [value: string, text: string])[] }
  | { readonly kind: 'tick' }

/** Of the members whose texts differ from what was shown, as the client takes them. What nobody touched is not sent. */
export function readChanges<T>(
  fields: readonly FormField<T>[],
  of: T | null,
  textOf: (name: string) => string,
): Record<string, unknown> {
  const changes: Record<string, unknown> = {}
  for (const { name, member, read, parse } of fields) {
    const text = tidy(textOf(name))
    if (text !== tidy(read(of))) changes[member] = parse(text)
  }
  return changes
}

/** Browsers send lines with carriage returns. */
function tidy(text: string): string {
  return text.replaceAll('\r\n', '\n').trim()
}

export const asText = (text: string): string => text
export const asTextOrNull = (text: string): string | null => (text === '' ? null : text)
export const asTick = (text: string): boolean => text === 'true'

export function asNumberOrNull(name: string): (text: string) => number | null {
  return (text) => {
    if (text === '') return null
    const value = Number(text)
    if (Number.isNaN(value)) throw new Error(`${name} has to be a number; it is "${text}"`)
    return value
  }
}

/** One on each line, or with commas between them. */
export function asList(text: string): readonly string[] {
  return text
    .split(/[\n,]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

export function asJsonOrNull(name: string): (text: string) => unknown {
  return (text) => {
    if (text === '') return null
    try {
      return JSON.parse(text)
    } catch (cause) {
      throw new Error(`${name} is not JSON: ${cause instanceof Error ? cause.message : cause}`, { cause })
    }
  }
}

/** A plain word, or JSON where the text begins as such. */
export function asWordOrJson(name: string): (text: string) => unknown {
  const json = asJsonOrNull(name)
  return (text) => (/^[[{]/.test(text) ? json(text) : asTextOrNull(text))
}

/** `Name: value` on each line. */
export function asPairs(name: string): (text: string) => Readonly<Record<string, string>> {
  return (text) => {
    const pairs: Record<string, string> = {}
    for (const line of text.split('\n').filter((one) => one.trim() !== '')) {
      const at = line.indexOf(':')
      if (at < 1) throw new Error(`${name} has to have "Name: value" on each line; one is "${line.trim()}"`)
      pairs[line.slice(0, at).trim()] = line.slice(at + 1).trim()
    }
    return pairs
  }
}

export function showPairs(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

export function showWordOrJson(value: unknown): string {
  if (value === null || value === undefined) return ''
  return typeof value === 'string' ? value : showJson(value)
}

export function showJson(value: unknown): string {
  return value === null || value === undefined ? '' : JSON.stringify(value, null, 2)
}

export function showNumber(value: number | null | undefined): string {
  return value === null || value === undefined ? '' : String(value)
}
