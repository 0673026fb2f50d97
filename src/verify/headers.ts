/** The headers of a request, in whichever form a framework has them. */
import { MalformedHeaderError, MissingHeaderError } from './errors.ts'

/** `Headers` of fetch, or an object such as Node's `request.headers`; names in any case. */
export type HeadersInput =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>

/** Empty where it is absent. */
export function readHeader(headers: HeadersInput, name: string): string {
  if (isFetchHeaders(headers)) return headers.get(name)?.trim() ?? ''
  const direct = headers[name]
  if (direct !== undefined) return textOf(direct)
  const key = Object.keys(headers).find((other) => other.toLowerCase() === name)
  return key === undefined ? '' : textOf(headers[key])
}

/** @throws MissingHeaderError */
export function requireHeader(headers: HeadersInput, name: string): string {
  const value = readHeader(headers, name)
  if (value === '') throw new MissingHeaderError(name)
  return value
}

/**
 * What is signed is the id, a dot, and what follows: with a dot in the id, its end could be moved into the body.
 * Errors: MissingHeaderError, MalformedHeaderError.
 */
export function requireId(headers: HeadersInput, name: string): string {
  const id = requireHeader(headers, name)
  if (id.includes('.')) throw new MalformedHeaderError(name, 'has a dot, which no id may have')
  return id
}

/** Whole seconds since the epoch. */
export function readSeconds(text: string, header: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text)
  throw new MalformedHeaderError(header, 'has no timestamp in whole seconds')
}

function isFetchHeaders(headers: HeadersInput): headers is { get(name: string): string | null } {
  return typeof (headers as { readonly get?: unknown }).get === 'function'
}

/** A header that came several times reads as one with all values, which no scheme takes for one of them. */
function textOf(value: string | readonly string[] | undefined): string {
  if (typeof value === 'string') return value.trim()
  return Array.isArray(value) ? value.join(', ').trim() : ''
}
