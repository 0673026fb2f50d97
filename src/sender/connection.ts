/**
 * One undici `Client`, which is one socket at a time, and the attempt that it carries. A client whose socket was
 * closed while idle opens another one by itself before it writes anything, so a stale connection costs no attempt.
 *
 * A request that was written and got no answer is never sent again in the same attempt, not even on a connection
 * that the receiver was just closing: from here, "closed before it read the request" and "crashed after it acted on
 * it" look alike, and the retry policy is there for both. One attempt is one request on the wire.
 */
import { EventEmitter } from 'node:events'
import { Client } from 'undici'
import type { Connector, ConnectTarget } from './connector.ts'
import type { AttemptCarrier, HttpAttempt } from './http-attempt.ts'

export interface Origin extends ConnectTarget {
  readonly url: string
  /** What its connections are kept under, where that is not the URL: through another proxy they are others. */
  readonly key?: string
}

export interface ConnectionOwner {
  /** Free for the next attempt. */
  onIdle(connection: Connection): void
  /** Its socket was closed while it carried nothing. */
  onDisconnect(connection: Connection): void
  /** Destroyed after an attempt that left it unusable. */
  onBroken(connection: Connection): void
}

export interface ConnectionOptions {
  readonly connector: Connector
  readonly idleMs: number
  readonly owner: ConnectionOwner
}

const maxHeaderBytes = 16_384

export class Connection<O extends Origin = Origin> implements AttemptCarrier {
  readonly origin: O
  readonly #owner: ConnectionOwner
  readonly #client: Client
  #attempt: HttpAttempt | null = null
  #cancelOpen: (() => void) | null = null

  constructor(origin: O, options: ConnectionOptions) {
    this.origin = origin
    this.#owner = options.owner
    this.#client = new Client(origin.url, {
      connect: (_options, callback) => this.#open(options.connector, callback),
      allowH2: false,
      pipelining: 1,
      maxHeaderSize: maxHeaderBytes,
      // Deadlines of ours do this, exactly and for less.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Receivers may ask for less, never for more: whoever announces an hour would keep our sockets for it.
      keepAliveTimeout: options.idleMs,
      keepAliveMaxTimeout: options.idleMs,
    })
    this.#client.on('disconnect', () => {
      if (this.#attempt === null) this.#owner.onDisconnect(this)
    })
    // undici reports errors of its own making here; the attempt has been told before.
    EventEmitter.prototype.on.call(this.#client, 'error', ignore)
  }

  run(attempt: HttpAttempt): void {
    this.#attempt = attempt
    attempt.carrier = this
    const { method, body } = attempt.request
    const { path, proxyAuthorization } = attempt.target
    const headers =
      proxyAuthorization === undefined
        ? attempt.request.headers
        : { ...attempt.request.headers, 'proxy-authorization': proxyAuthorization }
    this.#client.dispatch({ path, method, headers, body }, attempt)
  }

  release(_attempt: HttpAttempt, reusable: boolean): void {
    this.#attempt = null
    if (reusable) this.#owner.onIdle(this)
    else this.#owner.onBroken(this)
  }

  /** Calls back when the socket is closed. */
  destroy(onClosed: () => void): void {
    this.#cancelOpen?.()
    this.#cancelOpen = null
    this.#client.destroy(null, onClosed)
  }

  #open(connector: Connector, callback: Parameters<ConnectFunction>[1]): void {
    this.#attempt?.startConnecting()
    this.#cancelOpen = connector.open(this.origin, (error, socket) => {
      this.#cancelOpen = null
      if (socket !== null) callback(null, socket)
      else callback(error ?? new Error('no socket'), null)
    })
  }
}

type ConnectFunction = Extract<NonNullable<Client.Options['connect']>, (...args: never[]) => unknown>

function ignore(): void {}
