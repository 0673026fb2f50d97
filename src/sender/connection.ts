/**
 * One connection: one socket at a time, and the attempt that it carries. When the socket was closed while idle, another
 * one is opened before anything is written, so a stale connection costs no attempt.
 *
 * A request that was written and got no answer is never sent again in the same attempt, not even on a connection
 * that the receiver was just closing: from here, "closed before it read the request" and "crashed after it acted on
 * it" look alike, and the retry policy is there for both. One attempt is one request on the wire.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../core/clock.ts'
import type { Connector, ConnectTarget } from './connector.ts'
import { Deadline, type DeadlineOwner, type DeadlineQueue } from './deadlines.ts'
import type { AttemptCarrier, HttpAttempt } from './http-attempt.ts'
import type { ResponseHead } from './response-head.ts'
import { type ResponseListener, ResponseReader } from './response-reader.ts'
import type { Turns } from './turns.ts'
import { writeRequest } from './write-request.ts'

export interface Origin extends ConnectTarget {
  readonly url: string
  /** What its connections are kept under, where that is not the URL: through another proxy they are others. */
  readonly key?: string
}

/** Of a connection that is not used again: after a whole answer, closed before any of it came, or neither. */
export type ConnectionEnd = 'answered' | 'closed' | 'failed'

export interface ConnectionOwner {
  /** What opens its sockets. */
  connectorOf(connection: Connection): Connector
  /** Free for the next attempt. */
  onIdle(connection: Connection): void
  /** Its socket was closed while it carried nothing, or nothing yet: by the receiver or by us. */
  onDisconnect(connection: Connection, by: 'receiver' | 'us'): void
  /** After an attempt that left it unusable. */
  onBroken(connection: Connection, end: ConnectionEnd): void
}

export interface ConnectionOptions {
  readonly clock: Clock
  /** Ends idle connections. */
  readonly idleDeadlines: DeadlineQueue
  /** Sends what was put off. */
  readonly turns: Turns<HttpAttempt>
  readonly owner: ConnectionOwner
}

/** A receiver that keeps idle connections for so long is left this much earlier: its close must not cross a request. */
const keepAliveMarginMs = 2000

export class Connection<O extends Origin = Origin>
  implements AttemptCarrier, DeadlineOwner, ResponseListener
{
  readonly origin: O
  readonly #options: ConnectionOptions
  readonly #reader = new ResponseReader(this)
  readonly #idle = new Deadline(this)
  #socket: Socket | null = null
  #attempt: HttpAttempt | null = null
  /** On the same socket. */
  #attempts = 0
  #isSending = false
  #isDestroyed = false
  /** The receiver has ended or broken off the connection. */
  #isEnded = false
  /** The turn of the event loop in which the last answer came. */
  #answeredIn = -1
  #keepsAlive = true
  /** On the elapsed scale. */
  #usableUntil = Number.POSITIVE_INFINITY
  #cancelOpen: (() => void) | null = null
  /** By the network's time, whatever clock the engine goes by. */
  #rest: NodeJS.Timeout | null = null

  constructor(origin: O, options: ConnectionOptions) {
    this.origin = origin
    this.#options = options
  }

  /** It carries its second attempt, or a later one. */
  get isReused(): boolean {
    return this.#attempts > 1
  }

  /** The receiver may close it any moment. */
  get isOver(): boolean {
    return (
      this.#usableUntil !== Number.POSITIVE_INFINITY && this.#options.clock.elapsed() >= this.#usableUntil
    )
  }

  get isIdle(): boolean {
    return this.#idle.queue !== null
  }

  get idleMs(): number {
    const { clock, idleDeadlines } = this.#options
    return this.isIdle ? clock.elapsed() - this.#idle.dueAt + idleDeadlines.timeoutMs : 0
  }

  /**
   * An answer and the end of its connection may come in one segment, and the socket tells of the end one turn of the
   * event loop after the answer. So nothing is written before the next turn but one, and the end is noticed before
   * anything is. `restMs` puts it off further.
   */
  run(attempt: HttpAttempt, restMs: number): void {
    this.#attempt = attempt
    this.#attempts++
    attempt.carrier = this
    this.#idle.disarm()
    this.#socket?.ref()
    if (this.#socket === null) this.#open()
    else if (restMs > 0) this.#rest = setTimeout(() => this.#send(attempt), restMs)
    else if (this.#answeredIn === this.#options.turns.current) this.#options.turns.putOff(attempt)
    else this.#send(attempt)
  }

  resume(attempt: HttpAttempt): void {
    this.#send(attempt)
  }

  release(_attempt: HttpAttempt, reusable: boolean): void {
    const wasSending = this.#isSending
    this.#attempt = null
    this.#isSending = false
    this.#stopResting()
    const isUnanswered = this.#reader.stop()
    // An answer that came before all of its request was written may mean that the rest is not read.
    const isWritten = this.#socket?.writableLength === 0
    if (!reusable || !this.#keepsAlive || this.#isEnded || !isWritten) {
      const isClosed = wasSending && isUnanswered && this.#isEnded
      this.#options.owner.onBroken(this, reusable ? 'answered' : isClosed ? 'closed' : 'failed')
      return
    }
    this.#answeredIn = this.#options.turns.current
    // An idle connection keeps no process alive.
    this.#socket?.unref()
    this.#options.idleDeadlines.arm(this.#idle, this.#options.clock.elapsed())
    this.#options.owner.onIdle(this)
  }

  /** Calls back when the socket is closed. */
  destroy(onClosed: () => void): void {
    this.#isDestroyed = true
    this.#cancelOpen?.()
    this.#cancelOpen = null
    this.#idle.disarm()
    this.#stopResting()
    const socket = this.#socket
    if (socket === null || socket.closed) {
      queueMicrotask(onClosed)
      return
    }
    socket.once('close', onClosed)
    socket.destroy()
  }

  /** It was idle for long enough. */
  expired(): void {
    this.#options.owner.onDisconnect(this, 'us')
  }

  onHead(head: ResponseHead): void {
    const usableMs = (head.keepAliveMs ?? Number.POSITIVE_INFINITY) - keepAliveMarginMs
    this.#keepsAlive = head.keepsAlive && usableMs > 0
    this.#usableUntil =
      usableMs === Number.POSITIVE_INFINITY ? usableMs : this.#options.clock.elapsed() + usableMs
    this.#attempt?.onHead(head)
  }

  onBody(chunk: Buffer): void {
    this.#attempt?.onBody(chunk)
  }

  onEnd(hasMore: boolean): void {
    this.#attempt?.onEnd(hasMore)
  }

  onInvalid(): void {
    this.#attempt?.onInvalid()
  }

  onFlood(what: string): void {
    this.#attempt?.onFlood(what)
  }

  #stopResting(): void {
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#rest = null
  }

  #open(): void {
    this.#attempt?.startConnecting()
    this.#attempts = 1
    this.#isEnded = false
    this.#keepsAlive = true
    this.#usableUntil = Number.POSITIVE_INFINITY
    this.#cancelOpen = this.#options.owner.connectorOf(this).open(this.origin, (error, socket) => {
      this.#cancelOpen = null
      if (socket === null) {
        this.#attempt?.onError(error)
        return
      }
      this.#watch(socket)
      if (this.#attempt !== null) this.#send(this.#attempt)
    })
  }

  #watch(socket: Socket): void {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      if (this.#socket === socket && !this.#reader.push(chunk)) this.#afterEnd(socket, null)
    })
    socket.on('end', () => this.#afterEnd(socket, null))
    socket.on('error', (error) => this.#afterEnd(socket, error))
    socket.on('close', () => this.#afterEnd(socket, null))
  }

  #afterEnd(socket: Socket, error: Error | null): void {
    if (this.#socket !== socket || this.#isEnded || this.#isDestroyed) return
    this.#isEnded = true
    const attempt = this.#attempt
    if (attempt !== null && this.#isSending) {
      if (error !== null) attempt.onError(error)
      else if (!this.#reader.end()) attempt.onCut()
      return
    }
    socket.destroy()
    this.#options.owner.onDisconnect(this, 'receiver')
    if (attempt === null) return
    // It was about to carry this one: another socket does.
    this.#stopResting()
    this.#socket = null
    this.#open()
  }

  #send(attempt: HttpAttempt): void {
    const socket = this.#socket
    this.#rest = null
    if (attempt !== this.#attempt || this.#isSending || socket === null) return
    this.#isSending = true
    this.#reader.begin()
    attempt.startSending()
    writeRequest(socket, attempt.request, attempt.target)
  }
}
