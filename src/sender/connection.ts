/**
 * One undici `Client`, which is one socket at a time, and the attempt that it carries. A client whose socket was
 * closed while idle opens another one by itself before it writes anything, so a stale connection costs no attempt.
 *
 * A request that was written and got no answer is never sent again in the same attempt, not even on a connection
 * that the receiver was just closing: from here, "closed before it read the request" and "crashed after it acted on
 * it" look alike, and the retry policy is there for both. One attempt is one request on the wire.
 */
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { Client } from 'undici'
import type { Connector, ConnectTarget } from './connector.ts'
import type { AttemptCarrier, HttpAttempt } from './http-attempt.ts'
import { maxAttemptBytes, ResponseGate } from './response-gate.ts'

export interface Origin extends ConnectTarget {
  readonly url: string
  /** What its connections are kept under, where that is not the URL: through another proxy they are others. */
  readonly key?: string
}

export interface ConnectionOwner {
  /** Free for the next attempt. */
  onIdle(connection: Connection): void
  /** Its socket was closed while it carried nothing, or nothing yet: by the receiver or by us. */
  onDisconnect(connection: Connection, by: 'receiver' | 'us'): void
  /** After an attempt that left it unusable. `closedUnanswered`: the receiver closed it and sent nothing. */
  onBroken(connection: Connection, closedUnanswered: boolean): void
}

export interface ConnectionOptions {
  readonly connector: Connector
  readonly idleMs: number
  readonly owner: ConnectionOwner
}

export class Connection<O extends Origin = Origin> implements AttemptCarrier {
  readonly origin: O
  readonly #owner: ConnectionOwner
  readonly #client: Client
  #attempt: HttpAttempt | null = null
  #cancelOpen: (() => void) | null = null
  #socket: Socket | null = null
  #gate: ResponseGate | null = null
  /** On the same socket. */
  #attempts = 0
  #isStarted = false
  #isDestroyed = false
  /** Within this turn of the event loop. */
  #answered = false
  #rest: NodeJS.Timeout | null = null

  constructor(origin: O, options: ConnectionOptions) {
    this.origin = origin
    this.#owner = options.owner
    this.#client = new Client(origin.url, {
      connect: (_options, callback) => this.#open(options.connector, callback),
      allowH2: false,
      pipelining: 1,
      // The gate counts them, with all the rest.
      maxHeaderSize: maxAttemptBytes,
      // Deadlines of ours do this, exactly and for less.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Receivers may ask for less, never for more: whoever announces an hour would keep our sockets for it.
      keepAliveTimeout: options.idleMs,
      keepAliveMaxTimeout: options.idleMs,
    })
    this.#client.on('disconnect', (_origin, _clients, error: Error & { readonly code?: string }) => {
      if (this.#isDestroyed) return
      const by = error.code === 'UND_ERR_INFO' ? 'us' : 'receiver'
      if (this.#attempt === null || !this.#isStarted) this.#owner.onDisconnect(this, by)
      // undici opens another socket for an attempt that has not started.
      this.#attempts = 1
    })
    // undici reports errors of its own making here; the attempt has been told before.
    EventEmitter.prototype.on.call(this.#client, 'error', ignore)
  }

  /** It carries its second attempt, or a later one. */
  get isReused(): boolean {
    return this.#attempts > 1
  }

  /**
   * An answer and the end of its connection may come in one segment, and the socket tells of the end one turn of the
   * event loop after the answer. undici waits for one turn before it writes again, counted from when it is asked: it
   * is asked in the next one, so that the end is noticed before anything is written. `restMs` puts it off further.
   */
  run(attempt: HttpAttempt, restMs: number): void {
    this.#attempt = attempt
    this.#attempts++
    attempt.carrier = this
    if (restMs > 0) this.#rest = setTimeout(() => this.#dispatch(attempt), restMs)
    else if (this.#answered) setImmediate(() => this.#dispatch(attempt))
    else this.#dispatch(attempt)
  }

  started(): void {
    this.#isStarted = true
    this.#gate?.begin()
  }

  release(_attempt: HttpAttempt, reusable: boolean): void {
    this.#attempt = null
    this.#isStarted = false
    this.#stopResting()
    const state = this.#gate?.end() ?? { unread: true, reusable: false }
    if (!state.reusable || !reusable) {
      this.#owner.onBroken(this, state.unread && this.#isClosedByReceiver())
      return
    }
    this.#answered = true
    setImmediate(() => {
      this.#answered = false
    })
    this.#owner.onIdle(this)
  }

  /** Calls back when the socket is closed. */
  destroy(onClosed: () => void): void {
    this.#cancelOpen?.()
    this.#cancelOpen = null
    this.#isDestroyed = true
    this.#stopResting()
    this.#client.destroy(null, onClosed)
  }

  #stopResting(): void {
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#rest = null
  }

  #isClosedByReceiver(): boolean {
    return this.#socket !== null && (this.#socket.readableEnded || this.#socket.errored !== null)
  }

  #dispatch(attempt: HttpAttempt): void {
    if (attempt !== this.#attempt) return
    const { method, body } = attempt.request
    const { path, proxyAuthorization } = attempt.target
    const headers =
      proxyAuthorization === undefined
        ? attempt.request.headers
        : { ...attempt.request.headers, 'proxy-authorization': proxyAuthorization }
    try {
      this.#client.dispatch({ path, method, headers, body }, attempt)
    } catch (error) {
      attempt.onResponseError(null, error instanceof Error ? error : new Error(String(error)))
    }
  }

  #open(connector: Connector, callback: Parameters<ConnectFunction>[1]): void {
    this.#attempt?.startConnecting()
    this.#cancelOpen = connector.open(this.origin, (error, socket) => {
      this.#cancelOpen = null
      if (socket === null) callback(error ?? new Error('no socket'), null)
      else callback(null, this.#watch(socket))
    })
  }

  #watch(socket: Socket): Socket {
    this.#socket = socket
    this.#gate = new ResponseGate(socket, () => this.#attempt?.readTooMuch())
    return socket
  }
}

type ConnectFunction = Extract<NonNullable<Client.Options['connect']>, (...args: never[]) => unknown>

function ignore(): void {}
