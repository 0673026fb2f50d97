/**
 * Connections, by lane: publishing, claiming and recording overlap, and neither waits for listings or for
 * configuration.
 *
 * A connection that fails takes those that are as old with it: after a failover, or a cut that nobody was told of,
 * each of them would fail its next call. Each call that fails so, or takes long, has the server looked after.
 */
import { Socket } from 'node:net'
import pg from 'pg'
import { type Clock, createSystemClock } from '../../../core/clock.ts'
import { OuthookError } from '../../../core/errors.ts'
import { type Logger, silentLogger } from '../../../core/logger.ts'
import { wireTypes } from '../rows/wire-types.ts'
import { Availability } from './availability.ts'
import { type Lane, lanes } from './lanes.ts'
import { migratePostgres } from './schema.ts'
import { applySettings } from './session-settings.ts'
import { withConnection } from './single-connection.ts'
import { isConnectionFault, isOfFailedTransaction, isRetryable, toStoreError } from './store-error.ts'

/** For a new connection, and for one of the lane's to become free. */
const connectTimeoutMs = 3000
/** A call that takes longer makes it doubtful that the server is there. */
const suspectAfterMs = 2000
/** Beyond the server's own timeout: then the network is at fault, or the server is gone. */
const clientTimeoutMarginMs = 2000
/** Of silence, after which the system asks whether the other side is there. */
const keepAliveMs = 10_000
const maxTries = 8

export interface DatabaseOptions {
  readonly url: string
  readonly schema: string
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: silent. */
  readonly logger?: Logger
}

/** Runs statements one after the other, on one connection. */
export interface Session {
  /** The statement is prepared once per connection under `name`; null for texts that vary. */
  query<Row>(name: string | null, text: string, values: readonly unknown[]): Promise<readonly Row[]>
}

export class Database {
  readonly #url: string
  readonly #schema: string
  readonly #clock: Clock
  readonly #pools: Readonly<Record<Lane, pg.Pool>>
  readonly #availability: Availability
  readonly #sockets = new Set<Socket>()
  /** Connections that have their settings, with the generation in which they got them. */
  readonly #ready = new WeakMap<pg.PoolClient, number>()
  /** Grows with each connection that fails. */
  #generation = 0
  readonly #running = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  private constructor(options: DatabaseOptions) {
    const { url, schema, clock = createSystemClock(), logger = silentLogger } = options
    this.#url = url
    this.#schema = schema
    this.#clock = clock
    this.#availability = new Availability({
      clock,
      logger,
      probe: () => this.#probe(),
      onDown: () => {
        for (const socket of this.#sockets) socket.destroy(new Error('the server does not answer'))
      },
    })
    const pools = Object.keys(lanes).map((lane) => [lane, this.#createPool(lane as Lane)] as const)
    this.#pools = Object.fromEntries(pools) as Record<Lane, pg.Pool>
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const database = new Database(options)
    try {
      await database.#migrate()
      return database
    } catch (error) {
      await database.close()
      throw toStoreError(error)
    }
  }

  /** One statement, a transaction by itself. */
  statement<T>(lane: Lane, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#track(() => this.#retrying(lane, (client) => work(sessionOf(client))))
  }

  /** All or nothing, at read committed; run again as a whole after a deadlock. */
  transaction<T>(lane: Lane, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#track(() => this.#retrying(lane, (client) => inTransaction(client, 'begin', work)))
  }

  /** Every statement sees the same moment. */
  snapshot<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const begin = 'begin isolation level repeatable read read only'
    return this.#track(() => this.#retrying('read', (client) => inTransaction(client, begin, work)))
  }

  /** A connection beside the lanes, for its caller to end. */
  async connect(name: string): Promise<pg.Client> {
    const client = new pg.Client(this.#connectionConfig(name, connectTimeoutMs))
    // Whoever uses it hears of it by the event "end" and by calls that fail.
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** Waits for what runs. Can be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled(this.#running)
    this.#availability.stop()
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()))
    // A farewell to a server that is gone would be waited for.
    for (const socket of this.#sockets) socket.destroySoon()
  }

  async #probe(): Promise<void> {
    const client = new pg.Client({ ...this.#connectionConfig('probe', connectTimeoutMs), stream: newSocket })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
    } finally {
      client.end().catch(() => {})
    }
  }

  #track<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) {
      return Promise.reject(new OuthookError('closed', 'the store is closed; open it again'))
    }
    const running = work().catch((error: unknown) => {
      throw toStoreError(error)
    })
    this.#running.add(running)
    const forget = (): unknown => this.#running.delete(running)
    running.then(forget, forget)
    return running
  }

  async #retrying<T>(lane: Lane, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const cancel = this.#clock.schedule(suspectAfterMs, () => this.#availability.suspect())
    try {
      for (let attempt = 1; ; attempt++) {
        const client = await this.#acquire(lane)
        try {
          if (!this.#ready.has(client)) await this.#prepare(client, lane)
          const result = await work(client)
          this.#availability.noteAnswer()
          client.release()
          return result
        } catch (error) {
          client.release(isConnectionFault(error))
          if (isConnectionFault(error)) this.#onFault()
          if (!isRetryable(error) || attempt === maxTries) throw error
        }
      }
    } finally {
      cancel()
    }
  }

  async #acquire(lane: Lane): Promise<pg.PoolClient> {
    for (;;) {
      this.#availability.check()
      const client = await this.#pools[lane].connect().catch((error: unknown) => {
        this.#availability.suspect()
        throw error
      })
      if ((this.#ready.get(client) ?? this.#generation) === this.#generation) return client
      client.release(true)
    }
  }

  #onFault(): void {
    this.#generation++
    this.#availability.suspect()
  }

  async #prepare(client: pg.PoolClient, lane: Lane): Promise<void> {
    const generation = this.#generation
    await applySettings(client, lane, this.#schema)
    this.#ready.set(client, generation)
  }

  async #migrate(): Promise<void> {
    const schema = this.#schema
    await withConnection({ url: this.#url, schema }, (client) => migratePostgres(client, schema))
  }

  #createPool(lane: Lane): pg.Pool {
    const { connections, statementTimeoutMs } = lanes[lane]
    const pool = new pg.Pool({
      ...this.#connectionConfig(lane, statementTimeoutMs + clientTimeoutMarginMs),
      max: connections,
      // Kept for when the server has none to spare.
      min: 1,
      idleTimeoutMillis: 60_000,
      allowExitOnIdle: true,
    })
    // A connection that the server ends, idle or not: its statement is rejected, and the next call opens another.
    pool.on('error', () => {})
    pool.on('connect', (client) => client.on('error', () => {}))
    return pool
  }

  #connectionConfig(name: string, queryTimeoutMs: number): pg.ClientConfig {
    return {
      connectionString: this.#url,
      application_name: `outhook ${name}`,
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
      // So that `begin` travels together with the first statement.
      pipeline: true,
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveMs,
      types: wireTypes,
      stream: () => this.#openSocket(),
    }
  }

  #openSocket(): Socket {
    const socket = newSocket()
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }
}

function newSocket(): Socket {
  return new Socket()
}

function sessionOf(client: pg.PoolClient): Session {
  return {
    async query<Row>(name: string | null, text: string, values: readonly unknown[]) {
      const config = name === null ? { text, values: [...values] } : { name, text, values: [...values] }
      return (await client.query(config)).rows as readonly Row[]
    },
  }
}

/** The work need not wait for the answers to its last statements: the commit goes right behind them. */
async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  sendInOnePiece(client)
  const begun = client.query(begin)
  begun.catch(() => {})
  const { query } = sessionOf(client)
  let firstFailure: unknown = null
  const session: Session = {
    async query(...statement) {
      sendInOnePiece(client)
      try {
        return await query(...statement)
      } catch (error) {
        firstFailure ??= error
        throw error
      }
    },
  }
  try {
    const result = await work(session)
    await begun
    sendInOnePiece(client)
    const { command } = await client.query('commit')
    if (command === 'COMMIT') return result
    // What failed may have been answered in one piece with the commit, and reaches `session.query` a little later.
    await new Promise(setImmediate)
    throw firstFailure ?? new OuthookError('internal', `the transaction ended with ${command}`)
  } catch (error) {
    if (!isConnectionFault(error)) await client.query('rollback')
    // What was under way behind the statement that failed only says that one did.
    throw isOfFailedTransaction(error) ? (firstFailure ?? error) : error
  }
}

/**
 * Together with whatever else is sent before the event loop goes on: each write is a call of the system, and wakes the
 * server.
 */
function sendInOnePiece({ connection: { stream } }: pg.PoolClient): void {
  stream.cork()
  process.nextTick(() => stream.uncork())
}
