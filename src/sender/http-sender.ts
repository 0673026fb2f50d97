/**
 * One HTTP attempt, done right: a new or a warm connection to an allowed address, one request, one bounded
 * response, all within the total timeout; and every way in which that can fail as a value.
 *
 * Connections are `node:net` and `node:tls` sockets with a free list, a writer and a reader of our own: see
 * docs/decisions/0007-own-http-client.md for what undici's `Client` costs beside them.
 */
import type { Clock } from '../core/clock.ts'
import { bareHostname, refuseUrl } from './address-guard.ts'
import type { AddressPolicy } from './address-policy.ts'
import { failure } from './attempt-error.ts'
import { redactResult } from './capture-redaction.ts'
import type { Origin } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { Connector } from './connector.ts'
import { DeadlineQueue } from './deadlines.ts'
import { type AttemptSettings, type AttemptTarget, HttpAttempt } from './http-attempt.ts'
import { PacedConnector, turnPace } from './paced-connector.ts'
import type { AttemptRequest, AttemptResult, ProxyHop, Sender, TlsIdentity } from './port.ts'
import { needsTunnel, ProxyConnector } from './proxy-connector.ts'
import { type Lookup, Resolver } from './resolver.ts'
import { currentInterceptor } from './send-guard.ts'
import { checkHeaders } from './write-request.ts'

export interface HttpSenderOptions {
  readonly clock: Clock
  /** Null: any address, and plain HTTP. For callers who name the URLs themselves. */
  readonly guard: AddressPolicy | null
  /** Name to socket, TLS included. Default 3000. */
  readonly connectTimeoutMs?: number
  /** From the request being sent to the response's headers. Default 10 000. */
  readonly headersTimeoutMs?: number
  /** The whole attempt. Default 15 000. */
  readonly totalTimeoutMs?: number
  /** The connection is cut when a body is longer; the answer counts all the same. Default 64 KiB. */
  readonly maxResponseBytes?: number
  /** How much of the body is kept. Default 16 KiB. */
  readonly captureBytes?: number
  /** An idle connection is closed after this, or sooner if the receiver asks for it. Default 4000. */
  readonly idleOriginMs?: number
  /**
   * Open connections in all; keep it above the number of attempts that are made at one time, since at the cap they
   * wait for each other. Default 1024.
   */
  readonly maxConnections?: number
  /** Replaces `dns.lookup`. */
  readonly lookup?: Lookup
  /** Certificate authorities in PEM to trust instead of the well-known ones. */
  readonly ca?: string | readonly string[]
  /** Takes what was secret about a request out of its answer (`capture-redaction.ts`). Default false. */
  readonly redactsCaptures?: boolean
  /** The proxy that requests go through which name none. */
  readonly via?: ProxyHop
  /** Replaces the way to the receiver, such as by a proxy. It has to apply the guard itself. */
  readonly connector?: Connector
}

interface Destination extends AttemptTarget {
  readonly origin: Origin
  readonly refused: string | null
}

const defaults = {
  connectTimeoutMs: 3000,
  headersTimeoutMs: 10_000,
  totalTimeoutMs: 15_000,
  maxResponseBytes: 65_536,
  captureBytes: 16_384,
  idleOriginMs: 4000,
  maxConnections: 1024,
}

/** Timeouts of their own that are kept ready; callers have a handful of them. */
const maxOwnTimeouts = 64

/** @example const sender = createHttpSender({ clock: createSystemClock(), guard: createAddressPolicy() }) */
export function createHttpSender(options: HttpSenderOptions): Sender {
  return new HttpSender(options)
}

class HttpSender implements Sender {
  readonly totalTimeoutMs: number
  readonly #guard: AddressPolicy | null
  readonly #via: ProxyHop | undefined
  readonly #redacts: boolean
  readonly #settings: AttemptSettings
  readonly #pool: ConnectionPool
  /** Parsing a URL costs as much as a tenth of a request. Whoever holds the URL must not change it. */
  readonly #destinations = new WeakMap<URL, Destination>()
  readonly #proxied = new WeakMap<ProxyHop, WeakMap<URL, Destination>>()
  readonly #ownTimeouts = new Map<number, AttemptSettings>()
  #closed: Promise<void> | null = null

  constructor(given: HttpSenderOptions) {
    const { clock, guard, lookup, ca } = given
    const limits = { ...defaults, ...withoutUndefined(given) }
    this.totalTimeoutMs = limits.totalTimeoutMs
    this.#guard = guard
    this.#via = given.via
    this.#redacts = given.redactsCaptures ?? false
    this.#settings = {
      clock,
      connectDeadlines: new DeadlineQueue(clock, limits.connectTimeoutMs),
      headersDeadlines: new DeadlineQueue(clock, limits.headersTimeoutMs),
      totalDeadlines: new DeadlineQueue(clock, limits.totalTimeoutMs),
      maxResponseBytes: limits.maxResponseBytes,
      captureBytes: limits.captureBytes,
    }
    const resolver = new Resolver({ clock, ...(lookup === undefined ? {} : { lookup }) })
    const { connectTimeoutMs, maxConnections, idleOriginMs: idleMs } = limits
    const direct = { guard, resolver, connectTimeoutMs, ...(ca === undefined ? {} : { ca }) }
    const connector = new PacedConnector(given.connector ?? new ProxyConnector(direct), turnPace)
    this.#pool = new ConnectionPool({ clock, connector, idleMs, maxConnections })
  }

  attempt(request: AttemptRequest): Promise<AttemptResult> {
    const interceptor = currentInterceptor()
    if (interceptor === null) return this.#attempt(request)
    return interceptor.attempt(request, () => this.#attempt(request))
  }

  #attempt(request: AttemptRequest): Promise<AttemptResult> {
    const { url, via = this.#via, identity } = request.destination
    return new Promise((settle) => {
      const resolve = this.#redacts
        ? (result: AttemptResult) => settle(redactResult(result, request, via))
        : settle
      const found = via === undefined ? this.#destinationOf(url) : this.#proxiedDestinationOf(url, via)
      const destination = identity === undefined ? found : identified(found, identity)
      const settings = this.#settingsFor(request.timeoutMs)
      const attempt = new HttpAttempt(request, destination, { settings, resolve })
      if (attempt.settled) return
      if (this.#closed !== null) attempt.fail(failure('internal', 'the sender is closed; nothing was sent'))
      else if (destination.refused !== null) attempt.fail(failure('policy', destination.refused))
      else this.#run(destination, attempt)
    })
  }

  close(options: { readonly abort?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#close()
    if (options.abort === true) {
      for (const { totalDeadlines } of [this.#settings, ...this.#ownTimeouts.values()])
        totalDeadlines.expireAll()
    }
    return this.#closed
  }

  #close(): Promise<void> {
    return this.#pool.close().then(() => {
      this.#settings.connectDeadlines.stop()
      for (const { headersDeadlines, totalDeadlines } of [this.#settings, ...this.#ownTimeouts.values()]) {
        headersDeadlines.stop()
        totalDeadlines.stop()
      }
    })
  }

  #run(destination: Destination, attempt: HttpAttempt): void {
    try {
      checkHeaders(attempt.request.headers)
      this.#pool.run(destination.origin, attempt)
    } catch (error) {
      attempt.onError(error)
    }
  }

  /** A timeout that a request brings along is that of the whole attempt, and so the one for the headers too. */
  #settingsFor(timeoutMs: number | undefined): AttemptSettings {
    if (timeoutMs === undefined) return this.#settings
    const known = this.#ownTimeouts.get(timeoutMs)
    if (known !== undefined) return known
    const deadlines = new DeadlineQueue(this.#settings.clock, timeoutMs)
    const headersDeadlines = new DeadlineQueue(this.#settings.clock, timeoutMs)
    const settings = { ...this.#settings, totalDeadlines: deadlines, headersDeadlines }
    this.#ownTimeouts.set(timeoutMs, settings)
    const oldest = this.#ownTimeouts.keys().next()
    // Attempts that still run keep theirs.
    if (this.#ownTimeouts.size > maxOwnTimeouts && !oldest.done) this.#ownTimeouts.delete(oldest.value)
    return settings
  }

  #destinationOf(url: URL): Destination {
    const known = this.#destinations.get(url)
    if (known !== undefined) return known
    const destination = toDestination(url, refuseUrl(url, this.#guard))
    this.#destinations.set(url, destination)
    return destination
  }

  #proxiedDestinationOf(url: URL, via: ProxyHop): Destination {
    let byUrl = this.#proxied.get(via)
    if (byUrl === undefined) {
      byUrl = new WeakMap()
      this.#proxied.set(via, byUrl)
    }
    const known = byUrl.get(url)
    if (known !== undefined) return known
    const destination = throughProxy(this.#destinationOf(url), {
      via,
      url,
      tunnel: needsTunnel(via, url.protocol === 'https:', this.#guard),
    })
    byUrl.set(url, destination)
    return destination
  }
}

/** Made for each attempt: few have an identity, and beside a handshake it costs nothing. */
function identified(destination: Destination, identity: TlsIdentity): Destination {
  const { origin } = destination
  const key = `${identity.key} ${origin.key ?? origin.url}`
  return { ...destination, origin: { ...origin, identity, key } }
}

function throughProxy(direct: Destination, route: { via: ProxyHop; url: URL; tunnel: boolean }): Destination {
  const { via, url, tunnel } = route
  const origin = { ...direct.origin, via, key: via.key + direct.origin.url }
  if (tunnel) return { ...direct, origin }
  const proxyAuthorization = via.basicAuthorization()
  return {
    ...direct,
    origin,
    path: url.origin + direct.path,
    proxyHostPort: via.hostPort,
    ...(proxyAuthorization === null ? {} : { proxyAuthorization }),
  }
}

function toDestination(url: URL, refused: string | null): Destination {
  const secure = url.protocol === 'https:'
  const hostname = bareHostname(url)
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port)
  const hostPort = hostname.includes(':') ? `[${hostname}]:${port}` : `${hostname}:${port}`
  const origin = { url: url.origin, secure, hostname, port, hostPort }
  return { path: url.pathname + url.search, host: url.host, hostPort, origin, refused }
}

function withoutUndefined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as never
}
