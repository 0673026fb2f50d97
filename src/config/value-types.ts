/** The kinds of values that settings have: what is allowed, in words, and how a raw value is read. */
import ipaddr from 'ipaddr.js'
import { isAddressDomain, parseDomain } from '../core/domains.ts'
import { durationForms, formatDuration, parseDuration } from '../core/duration.ts'

export interface ValueType<T> {
  /** Completes the sentence "use …". */
  readonly allowed: string
  /** Stands in the reference's table and behind the flag: `<duration>`. Null for a flag without a value. */
  readonly placeholder: string | null
  /** The flag may be given several times, the environment variable is a comma list. */
  readonly repeats?: boolean
  /** Takes text (flag, environment) or JSON (file); null when it is refused. */
  parse(raw: unknown): T | null
  /** What exactly is wrong with a value that `parse` refuses, where that can be said. */
  explain?(raw: unknown): string | null
  /** As it would be written in the environment. */
  format(value: T): string
}

export type StoreLocation =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'memory' }
  | { readonly kind: 'postgres'; readonly url: string; readonly schema: string }

const defaultSchema = 'outhook'

export const store: ValueType<StoreLocation> = {
  allowed:
    '"sqlite:PATH" (one process, on a file), "postgres://USER:PASSWORD@HOST:PORT/DATABASE" (any number of processes; ' +
    '"?schema=NAME" for another schema than "outhook") or "memory:" (nothing is kept)',
  placeholder: 'location',
  parse(raw) {
    if (raw === 'memory:') return { kind: 'memory' }
    if (typeof raw === 'string' && /^postgres(ql)?:\/\//.test(raw)) return parsePostgres(raw)
    if (typeof raw !== 'string' || !raw.startsWith('sqlite:')) return null
    const path = raw.slice('sqlite:'.length)
    return path === '' || path.includes('\0') ? null : { kind: 'sqlite', path }
  },
  format: formatStore,
}

/** What `pg` reads, without the one parameter that is ours. */
function parsePostgres(raw: string): StoreLocation | null {
  if (!URL.canParse(raw)) return null
  const url = new URL(raw)
  const schema = url.searchParams.get('schema') ?? defaultSchema
  url.searchParams.delete('schema')
  return /^[^\0]{1,63}$/.test(schema) ? { kind: 'postgres', url: url.href, schema } : null
}

/** Parameters of an address that PostgreSQL's drivers read a password from. */
const passwordParameter = /pass/i

/** Without any password. */
function formatStore(value: StoreLocation): string {
  switch (value.kind) {
    case 'memory':
      return 'memory:'
    case 'sqlite':
      return `sqlite:${value.path}`
    case 'postgres': {
      const url = new URL(value.url)
      url.password = ''
      for (const name of [...url.searchParams.keys()]) {
        if (passwordParameter.test(name)) url.searchParams.delete(name)
      }
      if (value.schema !== defaultSchema) url.searchParams.set('schema', value.schema)
      return url.href
    }
  }
}

export const text: ValueType<string> = {
  allowed: 'text that is not empty',
  placeholder: 'text',
  parse: (raw) => (typeof raw === 'string' && raw.trim() !== '' ? raw : null),
  format: (value) => value,
}

/** As CSS writes it in digits. */
export const colour: ValueType<string> = {
  allowed: 'a colour such as #1f4fd8',
  placeholder: 'colour',
  parse: (raw) =>
    typeof raw === 'string' && /^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(raw) ? raw.toLowerCase() : null,
  format: (value) => value,
}

/** Without a slash at its end. */
export const webUrl: ValueType<string> = {
  allowed: 'an address such as https://hooks.example.com, without user, query or fragment',
  placeholder: 'url',
  parse(raw) {
    if (typeof raw !== 'string' || !URL.canParse(raw)) return null
    const { protocol, username, password, search, hash, href } = new URL(raw)
    if (!['http:', 'https:'].includes(protocol) || username !== '' || password !== '') return null
    return search === '' && hash === '' && !/[?#]$/.test(raw) ? href.replace(/\/+$/, '') : null
  },
  format: (value) => value,
}

/** A secret travels in one HTTP header: printable ASCII without spaces. */
export const token: ValueType<string> = {
  allowed: 'at least 16 printable characters without spaces',
  placeholder: 'token',
  parse: (raw) => (typeof raw === 'string' && /^[\x21-\x7e]{16,512}$/.test(raw) ? raw : null),
  format: (value) => value,
}

export const masterKey: ValueType<string> = {
  allowed: '32 bytes as 64 hexadecimal digits or as base64; "openssl rand -hex 32" makes one',
  placeholder: 'key',
  parse(raw) {
    if (typeof raw !== 'string') return null
    const isHex = /^[0-9a-f]{64}$/i.test(raw)
    const isBase64 = /^[A-Za-z0-9+/_-]{43}=?$/.test(raw)
    return isHex || isBase64 ? raw : null
  },
  format: (value) => value,
}

export const flag: ValueType<boolean> = {
  allowed: 'true or false',
  placeholder: null,
  parse(raw) {
    if (raw === true || raw === 'true' || raw === '1') return true
    if (raw === false || raw === 'false' || raw === '0') return false
    return null
  },
  format: String,
}

export const duration: ValueType<number> = {
  allowed: `a duration such as ${durationForms}, more than zero`,
  placeholder: 'duration',
  parse: (raw) => parseDuration(raw) || null,
  format: formatDuration,
}

export const durationOrZero: ValueType<number> = {
  allowed: `a duration such as ${durationForms}, or 0`,
  placeholder: 'duration',
  parse: parseDuration,
  format: formatDuration,
}

export function integer(min: number, max: number): ValueType<number> {
  return {
    allowed: `a whole number from ${min} to ${max}`,
    placeholder: 'number',
    parse(raw) {
      const value = typeof raw === 'string' && /^-?\d{1,15}$/.test(raw) ? Number(raw) : raw
      return Number.isInteger(value) && Number(value) >= min && Number(value) <= max ? Number(value) : null
    },
    format: String,
  }
}

export function oneOf<const T extends string>(choices: readonly T[]): ValueType<T> {
  return {
    allowed: `one of ${choices.join(', ')}`,
    placeholder: 'name',
    parse: (raw) => choices.find((choice) => choice === raw) ?? null,
    format: (value) => value,
  }
}

/** Ranges in CIDR form; a plain address stands for itself alone. */
export const networks: ValueType<readonly string[]> = {
  allowed: 'address ranges such as 127.0.0.0/8, 10.1.2.3 or fd00::/8',
  placeholder: 'range',
  repeats: true,
  parse(raw) {
    const items = typeof raw === 'string' ? raw.split(',') : raw
    if (!Array.isArray(items)) return null
    const ranges = items.map((item) => (typeof item === 'string' ? toRange(item.trim()) : null))
    return ranges.includes(null) ? null : (ranges as readonly string[])
  },
  format: (value) => value.join(','),
}

/** Hosts by name; each stands for all below it too. */
export const hosts: ValueType<readonly string[]> = {
  allowed: 'names of hosts such as hooks.example.com (addresses are given as networks)',
  placeholder: 'host',
  repeats: true,
  parse(raw) {
    const items = typeof raw === 'string' ? raw.split(',') : raw
    if (!Array.isArray(items)) return null
    const names = items.map((item) => (typeof item === 'string' ? parseDomain(item) : null))
    return names.every((name) => name !== null && !isAddressDomain(name))
      ? (names as readonly string[])
      : null
  },
  format: (value) => value.join(','),
}

/** SQLite files of the user's own, by their paths. */
export const outboxes: ValueType<readonly string[]> = {
  allowed: 'SQLite files of your own such as sqlite:app.db',
  placeholder: 'file',
  repeats: true,
  parse(raw) {
    const items = typeof raw === 'string' ? raw.split(',').map((item) => item.trim()) : raw
    if (!Array.isArray(items)) return null
    const locations = items.map((item) => store.parse(item))
    const paths = locations.flatMap((each) => (each?.kind === 'sqlite' ? [each.path] : []))
    return paths.length === items.length ? [...new Set(paths)] : null
  },
  format: (value) => value.map((path) => `sqlite:${path}`).join(','),
}

export const ports: ValueType<readonly number[]> = {
  allowed: 'ports from 1 to 65535',
  placeholder: 'port',
  repeats: true,
  parse(raw) {
    const items = typeof raw === 'string' ? raw.split(',').map((item) => item.trim()) : raw
    if (!Array.isArray(items)) return null
    const numbers = items.map((item) => port.parse(item))
    return numbers.includes(null) ? null : (numbers as readonly number[])
  },
  format: (value) => value.join(','),
}

const port = integer(1, 65_535)

function toRange(item: string): string | null {
  if (ipaddr.IPv4.isValidCIDRFourPartDecimal(item) || ipaddr.IPv6.isValidCIDR(item)) return item
  if (ipaddr.IPv4.isValidFourPartDecimal(item)) return `${item}/32`
  return ipaddr.IPv6.isValid(item) ? `${item}/128` : null
}
