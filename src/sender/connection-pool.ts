/**
 * All connections of a sender: a last-in-first-out free list per origin, so that few connections stay warm and the
 * others idle out, and one cap over all of them. At the cap the connection that has been idle longest gives way;
 * when none is idle, attempts wait in line, at most for the connect timeout.
 */
import { type Clock, createSystemClock } from '../core/clock.ts'
import {
  Connection,
  type ConnectionEnd,
  type ConnectionOptions,
  type ConnectionOwner,
  type Origin,
} from './connection.ts'
import type { Connector } from './connector.ts'
import { DeadlineQueue } from './deadlines.ts'
import type { HttpAttempt } from './http-attempt.ts'
import { PacedConnector, strangerPace } from './paced-connector.ts'
import { ReceiverHabits } from './receiver-habits.ts'
import { Turns } from './turns.ts'

export interface PoolOptions {
  readonly connector: Connector
  /** Default: the system's. */
  readonly clock?: Clock
  /** An idle connection is closed after this. */
  readonly idleMs: number
  readonly maxConnections: number
}

interface PooledOrigin extends Origin {
  readonly idle: Connection<PooledOrigin>[]
  connections: number
}

type PooledConnection = Connection<PooledOrigin>

interface Waiter {
  readonly origin: Origin
  readonly attempt: HttpAttempt
}

export class ConnectionPool implements ConnectionOwner {
  readonly #options: ConnectionOptions
  readonly #maxConnections: number
  readonly #origins = new Map<string, PooledOrigin>()
  readonly #idleDeadlines: DeadlineQueue
  readonly #habits = new ReceiverHabits()
  readonly #connector: Connector
  readonly #strangers: PacedConnector
  readonly #waiting: Waiter[] = []
  #connections = 0
  #closing = 0
  #onEmpty: (() => void) | null = null

  constructor(options: PoolOptions) {
    const { connector, clock = createSystemClock() } = options
    this.#idleDeadlines = new DeadlineQueue(clock, options.idleMs)
    const turns = new Turns<HttpAttempt>((attempt) => attempt.carrier?.resume(attempt))
    this.#connector = connector
    this.#strangers = new PacedConnector(connector, strangerPace)
    this.#options = { clock, idleDeadlines: this.#idleDeadlines, turns, owner: this }
    this.#maxConnections = options.maxConnections
  }

  /** Connections that are open or being opened, idle ones included. */
  get size(): number {
    return this.#connections
  }

  run(origin: Origin, attempt: HttpAttempt): void {
    const key = keyOf(origin)
    const known = this.#origins.get(key)
    if (known !== undefined) this.#removeOver(known)
    // The last of its connections may have been removed, and the origin with it.
    const pooled = known !== undefined && known.connections > 0 ? known : this.#addOrigin(origin)
    const last = pooled.idle.at(-1)
    const restMs = last === undefined ? null : this.#habits.restMs(key, last)
    if (last !== undefined && restMs !== null) {
      pooled.idle.pop()
      last.run(attempt, restMs)
      return
    }
    if (this.#connections >= this.#maxConnections && !this.#evictLongestIdle()) {
      this.#dropOriginIfUnused(pooled)
      this.#waiting.push({ origin, attempt })
      attempt.startWaiting()
      return
    }
    this.#connect(pooled).run(attempt, 0)
  }

  /** Closes idle connections at once. Resolves when the last socket is closed. */
  close(): Promise<void> {
    for (const { idle } of this.#origins.values())
      for (const connection of [...idle]) this.#remove(connection)
    return new Promise((resolve) => {
      this.#onEmpty = resolve
      this.#reportEmpty()
    })
  }

  connectorOf({ origin }: PooledConnection): Connector {
    return this.#habits.answers(keyOf(origin)) ? this.#connector : this.#strangers
  }

  onIdle(connection: PooledConnection): void {
    this.#sawAnswer(connection)
    connection.origin.idle.push(connection)
    this.#serveWaiting()
    // While closing, only those who still wait may use it.
    if (this.#onEmpty !== null && connection.isIdle) this.#remove(connection)
  }

  onDisconnect(connection: PooledConnection, by: 'receiver' | 'us'): void {
    if (by === 'receiver') this.#habits.sawClose(keyOf(connection.origin), connection.idleMs)
    if (connection.origin.idle.includes(connection)) this.#remove(connection)
  }

  onBroken(connection: PooledConnection, end: ConnectionEnd): void {
    const key = keyOf(connection.origin)
    if (end === 'answered') this.#sawAnswer(connection)
    // It may have closed the connection because of the answer before, as it does with each.
    else if (end === 'closed' && connection.isReused) this.#habits.sawClose(key, 0)
    else this.#habits.sawNoAnswer(key)
    this.#remove(connection)
    this.#serveWaiting()
  }

  #sawAnswer({ origin, isReused }: PooledConnection): void {
    if (this.#habits.sawAnswer(keyOf(origin), isReused)) this.#strangers.admit(origin)
  }

  /** Idle ones that their receiver may close any moment. The last one was used last, so it keeps longest. */
  #removeOver({ idle }: PooledOrigin): void {
    while (idle.at(-1)?.isOver === true) this.#remove(idle.at(-1) as PooledConnection)
  }

  #connect(origin: PooledOrigin): PooledConnection {
    const connection = new Connection(origin, this.#options)
    origin.connections++
    this.#connections++
    return connection
  }

  #remove(connection: PooledConnection): void {
    const { origin } = connection
    const at = origin.idle.indexOf(connection)
    if (at >= 0) origin.idle.splice(at, 1)
    origin.connections--
    this.#connections--
    this.#closing++
    this.#dropOriginIfUnused(origin)
    connection.destroy(() => {
      this.#closing--
      this.#reportEmpty()
    })
  }

  #addOrigin(origin: Origin): PooledOrigin {
    const pooled: PooledOrigin = { ...origin, idle: [], connections: 0 }
    this.#origins.set(keyOf(origin), pooled)
    return pooled
  }

  #dropOriginIfUnused(origin: PooledOrigin): void {
    if (origin.connections === 0) this.#origins.delete(keyOf(origin))
  }

  #evictLongestIdle(): boolean {
    const longest = this.#idleDeadlines.first?.owner
    if (longest === undefined) return false
    this.#remove(longest as PooledConnection)
    return true
  }

  #serveWaiting(): void {
    while (this.#waiting.length > 0) {
      if (this.#connections >= this.#maxConnections && this.#idleDeadlines.first === null) return
      const next = this.#waiting.shift()
      if (next !== undefined && !next.attempt.settled) this.run(next.origin, next.attempt)
    }
  }

  #reportEmpty(): void {
    if (this.#connections > 0 || this.#closing > 0 || this.#waiting.length > 0) return
    this.#idleDeadlines.stop()
    this.#onEmpty?.()
  }
}

function keyOf(origin: Origin): string {
  return origin.key ?? origin.url
}
