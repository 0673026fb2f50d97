/**
 * A proxy as a sender uses it. The password is in private fields only: whatever prints, inspects or serialises a
 * route gets `host:port`.
 */
import { inspect } from 'node:util'
import { OuthookError } from '../core/errors.ts'
import type { ProxyCredentials, ProxyHop, ProxyKind } from './port.ts'

const kinds: Readonly<Record<string, { readonly kind: ProxyKind; readonly defaultPort: number }>> = {
  'http:': { kind: 'http', defaultPort: 80 },
  'https:': { kind: 'https', defaultPort: 443 },
  // Names are always resolved by the proxy, which is what the "h" stands for elsewhere.
  'socks5:': { kind: 'socks5', defaultPort: 1080 },
  'socks5h:': { kind: 'socks5', defaultPort: 1080 },
  'socks:': { kind: 'socks5', defaultPort: 1080 },
}
const forms = 'write it as http://, https:// or socks5://, such as http://user:password@proxy.example:8080'
/** Lists of proxies come in this form as well. */
const colonForm = /^([^\s:/@]+):(\d{1,5})(?::([^\s:]*):(\S*))?$/
/** What a SOCKS5 log-in has room for; the same bound for all. */
const maxCredentialBytes = 255

let routes = 0

export class ProxyRoute implements ProxyHop {
  readonly kind: ProxyKind
  readonly hostname: string
  readonly port: number
  readonly hostPort: string
  readonly key: string
  readonly #credentials: ProxyCredentials | null

  private constructor(kind: ProxyKind, url: URL, credentials: ProxyCredentials | null) {
    const { hostname } = url
    this.kind = kind
    this.hostname = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname
    this.port = Number(url.port)
    this.hostPort = `${hostname}:${url.port}`
    this.key = `proxy${++routes} `
    this.#credentials = credentials
  }

  /**
   * Reads `http://`, `https://` and `socks5://` URLs, `host:port` and `host:port:user:password`.
   * Errors: invalid_config, which never repeats the text.
   */
  static parse(text: string): ProxyRoute {
    const match = colonForm.exec(text)
    const url = match === null ? text : `http://${match[1]}:${match[2]}`
    const scheme = /^[a-z0-9]+:/i.exec(url)?.[0].toLowerCase() ?? ''
    const known = Object.hasOwn(kinds, scheme) ? kinds[scheme] : undefined
    if (known === undefined) throw refused('this is not the URL of a proxy that is supported')
    // Only for http and its like does `URL` check and normalise the host.
    const asHttp = `http://${url.slice(scheme.length).replace(/^\/\//, '')}`
    const parsed = URL.canParse(asHttp) ? new URL(asHttp) : null
    if (parsed === null || parsed.hostname === '' || parsed.port === '0') {
      throw refused('the URL of the proxy cannot be read')
    }
    // `URL` drops the 80 of http; a setter would as well.
    const port = parsed.port === '' ? portOf(asHttp, known.defaultPort) : Number(parsed.port)
    const address = new URL(`outhook://${parsed.hostname}:${port}`)
    const username = match === null ? decode(parsed.username) : (match[3] ?? '')
    const password = match === null ? decode(parsed.password) : (match[4] ?? '')
    for (const part of [username, password]) {
      if (Buffer.byteLength(part) > maxCredentialBytes) {
        throw refused(`the user name or password of the proxy is longer than ${maxCredentialBytes} bytes`)
      }
    }
    const credentials = username === '' && password === '' ? null : { username, password }
    return new ProxyRoute(known.kind, address, credentials)
  }

  credentials(): ProxyCredentials | null {
    return this.#credentials
  }

  basicAuthorization(): string | null {
    if (this.#credentials === null) return null
    const { username, password } = this.#credentials
    return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`
  }

  toString(): string {
    return this.hostPort
  }

  toJSON(): string {
    return this.hostPort
  }

  [inspect.custom](): string {
    return `ProxyRoute(${this.kind} ${this.hostPort})`
  }
}

/** Only for a port that equals the scheme's own, which `URL` leaves out. */
function portOf(url: string, defaultPort: number): number {
  const authority = /^http:\/\/([^/?#]*)/.exec(url)?.[1] ?? ''
  return /:0*80$/.test(authority) ? 80 : defaultPort
}

/** A lone `%` is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function refused(problem: string): OuthookError {
  return new OuthookError('invalid_config', `${problem}; ${forms}`)
}
