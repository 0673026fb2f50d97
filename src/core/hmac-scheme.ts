/** An HMAC in a form of the endpoint owner's own: how it is checked when it comes in. */
import type { HmacForm } from '../verify/forms/hmac-form.ts'
import { isHeaderName, isReservedHeader } from './custom-headers.ts'
import { OuthookError } from './errors.ts'
import { isPlainObject } from './plain-object.ts'
import type { HmacScheme } from './signing-scheme.ts'

export const maxHmacHeaders = 4
/** Of a header's name, of a prefix and of the value of a header. */
export const maxHmacTextChars = 128
export const maxHmacMessageChars = 256

const members = ['type', 'header', 'prefix', 'next', 'encoding', 'message', 'headers'] as const

/** Reserved for this purpose besides those of custom headers: a signature there would take another one's place. */
export const meaningfulHeaders: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'authorization',
  'content-type',
  'cookie',
  'date',
  'traceparent',
  'tracestate',
  'user-agent',
])

/** Errors: unprocessable. */
export function parseHmacScheme(value: object, member: string): HmacScheme {
  if (!isPlainObject(value)) throw refused(member, 'must be an object of type "hmac"')
  const given = value as Readonly<Record<string, unknown>>
  const strange = Object.keys(given).find((name) => !members.some((known) => known === name))
  if (strange !== undefined) {
    throw refused(
      member,
      `has a member ${JSON.stringify(strange.slice(0, 64))}; it may have ${members.join(', ')}`,
    )
  }
  if (given.type !== 'hmac') throw refused(`${member}.type`, 'must be "hmac"')
  const scheme: HmacScheme = {
    type: 'hmac',
    header: headerName(given.header, `${member}.header`),
    prefix: headerText(given.prefix ?? '', `${member}.prefix`),
    next: given.next === undefined || given.next === null ? null : separator(given.next, `${member}.next`),
    encoding: encoding(given.encoding ?? 'hex', `${member}.encoding`),
    message: message(given.message ?? '{body}', `${member}.message`),
    headers: furtherHeaders(given.headers ?? {}, `${member}.headers`),
  }
  checkTimestamp(scheme, member)
  if (Object.hasOwn(scheme.headers, scheme.header)) {
    throw refused(
      `${member}.headers["${scheme.header}"]`,
      'is the header of the signature; choose another name',
    )
  }
  return scheme
}

function headerName(value: unknown, member: string): string {
  if (typeof value !== 'string' || !isHeaderName(value) || value.length > maxHmacTextChars) {
    throw refused(
      member,
      `must be the name of a header, such as "x-signature", of at most ${maxHmacTextChars} characters`,
    )
  }
  const name = value.toLowerCase()
  if (!isReservedHeader(name) && !meaningfulHeaders.has(name)) return name
  throw refused(
    member,
    `"${name}" has a meaning of its own or belongs to a scheme with a name; choose another`,
  )
}

/** Visible ASCII with spaces inside, as header values are. */
function headerText(value: unknown, member: string): string {
  if (typeof value !== 'string' || value.length > maxHmacTextChars || !/^(?:[!-~][ -~]*)?$/.test(value)) {
    throw refused(
      member,
      `must be at most ${maxHmacTextChars} visible ASCII characters that do not begin with a space`,
    )
  }
  checkTemplate(value, ['id', 'timestamp'], member)
  return value
}

function separator(value: unknown, member: string): string {
  if (typeof value !== 'string' || !/^[ -~]{1,32}$/.test(value) || /[{}]/.test(value)) {
    throw refused(member, 'must be 1 to 32 visible ASCII characters without braces, such as ",v1="')
  }
  if (/^[0-9A-Za-z+/=]+$/.test(value)) {
    throw refused(member, 'could be a part of a signature; begin it with a space, a comma or such')
  }
  return value
}

function encoding(value: unknown, member: string): HmacForm['encoding'] {
  if (value === 'hex' || value === 'base64') return value
  throw refused(member, 'must be "hex" or "base64"')
}

function message(value: unknown, member: string): string {
  if (typeof value !== 'string' || value.length > maxHmacMessageChars || !/^[\n -~]*$/.test(value)) {
    throw refused(member, `must be at most ${maxHmacMessageChars} characters of ASCII`)
  }
  checkTemplate(value, ['id', 'timestamp', 'body'], member)
  if (value.split('{body}').length !== 2) {
    throw refused(member, 'must hold "{body}" once, or the signature would say nothing of what is sent')
  }
  return value
}

function furtherHeaders(value: unknown, member: string): HmacForm['headers'] {
  if (typeof value !== 'object' || value === null || !isPlainObject(value)) {
    throw refused(member, 'must be an object of header names and values')
  }
  const entries = Object.entries(value)
  if (entries.length > maxHmacHeaders) {
    throw refused(member, `has ${entries.length} headers; at most ${maxHmacHeaders} are allowed`)
  }
  const headers = new Map<string, string>()
  for (const [given, text] of entries) {
    const at = `${member}[${JSON.stringify(given.slice(0, 64))}]`
    const name = headerName(given, at)
    if (headers.has(name)) throw refused(at, 'stands there twice; names do not differ by case')
    const template = headerText(text, at)
    if (template === '' || template.endsWith(' ')) throw refused(at, 'must not be empty or end with a space')
    headers.set(name, template)
  }
  return Object.fromEntries(headers)
}

function checkTemplate(text: string, names: readonly string[], member: string): void {
  const rest = text.replace(/\{(\w+)\}/g, (match, name: string) => (names.includes(name) ? '' : match))
  if (!/[{}]/.test(rest)) return
  const allowed = names.map((name) => `{${name}}`).join(', ')
  throw refused(member, `has a brace that is no part of ${allowed}; write nothing else between braces`)
}

/** The id goes out as `outhook-event-id`; the time would be known to nobody. */
function checkTimestamp({ message: signed, prefix, headers }: HmacScheme, member: string): void {
  const isSent = [prefix, ...Object.values(headers)].some((text) => text.includes('{timestamp}'))
  if (isSent || !signed.includes('{timestamp}')) return
  throw refused(
    `${member}.message`,
    'signs {timestamp}, which the receiver is not told; put it into prefix or a header, such as "headers": {"x-timestamp": "{timestamp}"}',
  )
}

function refused(member: string, problem: string): OuthookError {
  return new OuthookError('unprocessable', `${member} ${problem}`)
}
