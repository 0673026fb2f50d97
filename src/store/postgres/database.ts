/**
 * Connections, by lane: publishing, claiming and recording overlap, and neither waits for listings or for
 * configuration. The only file that opens `pg`.
 */
import pg from 'pg'
import { OuthookError } from '../../core/errors.ts'
import { migratePostgres, quoteName } from './schema.ts'
import { isConnectionFault, isRetryable, toStoreError } from './store-error.ts'
import { wireTypes } from './wire-types.ts'

/** Connections per lane and process. */
const lanes = {
  // Whoever holds an idempotency key for longer is not a node but somebody's open transaction.
  publish: { connections: 2, isHot: true, statementTimeoutMs: 10_000, lockTimeoutMs: 150 },
  claim: { connections: 1, isHot: true, statementTimeoutMs: 10_000, lockTimeoutMs: 5000 },
  record: { connections: 2, isHot: true, statementTimeoutMs: 10_000, lockTimeoutMs: 5000 },
  config: { connections: 2, isHot: true, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 },
  read: { connections: 3, isHot: false, statementTimeoutMs: 30_000, lockTimeoutMs: 10_000 },
} as const
export type Lane = keyof typeof lanes

const connectTimeoutMs = 5000
/** A node that froze amid a transaction holds rows that others need. */
const idleInTransactionTimeoutMs = 10_000
/** Beyond the server's own timeout: then the network is at fault, or the server is gone. */
const clientTimeoutMarginMs = 5000
const maxTries = 8

export interface DatabaseOptions {
  readonly url: string
  readonly schema: string
}

/** Runs statements one after the other, on one connection. */
export interface Session {
  /** The statement is prepared once per connection under `name`; null for texts that vary. */
  query<Row>(name: string | null, text: string, values: readonly unknown[]): Promise<readonly Row[]>
}

export class Database {
  readonly #pools: Readonly<Record<Lane, pg.Pool>>
  readonly #schema: string
  readonly #ready = new WeakSet<pg.PoolClient>()
  readonly #running = new Set<Promise<unknown>>()
  #closing: Promise<void> | null = null

  private constructor(options: DatabaseOptions) {
    this.#schema = options.schema
    const pools = Object.keys(lanes).map((lane) => [lane, createPool(options.url, lane as Lane)] as const)
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

  /** Waits for what runs. Can be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#shutDown()
    return this.#closing
  }

  async #shutDown(): Promise<void> {
    await Promise.allSettled(this.#running)
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()))
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
    for (let attempt = 1; ; attempt++) {
      const client = await this.#pools[lane].connect()
      try {
        if (!this.#ready.has(client)) await this.#prepare(client, lane)
        const result = await work(client)
        client.release()
        return result
      } catch (error) {
        client.release(isConnectionFault(error))
        if (!isRetryable(error) || attempt === maxTries) throw error
      }
    }
  }

  async #prepare(client: pg.PoolClient, lane: Lane): Promise<void> {
    await applySettings(client, settingsOf(lane, this.#schema))
    this.#ready.add(client)
  }

  async #migrate(): Promise<void> {
    const client = await this.#pools.read.connect()
    try {
      await client.query(`set search_path to ${quoteName(this.#schema)}`)
      await client.query('set statement_timeout to 0')
      await client.query('set lock_timeout to 0')
      await migratePostgres(client, this.#schema)
      client.release(true)
    } catch (error) {
      client.release(true)
      throw error
    }
  }
}

function createPool(url: string, lane: Lane): pg.Pool {
  const { connections, statementTimeoutMs } = lanes[lane]
  const pool = new pg.Pool({
    connectionString: url,
    application_name: `outhook ${lane}`,
    max: connections,
    // So that `begin` travels together with the first statement.
    pipeline: true,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 60_000,
    query_timeout: statementTimeoutMs + clientTimeoutMarginMs,
    keepAlive: true,
    allowExitOnIdle: true,
    types: wireTypes,
  } as pg.PoolConfig)
  // A connection that the server ends, idle or not: its statement is rejected, and the next call opens another.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

function sessionOf(client: pg.PoolClient): Session {
  return {
    async query<Row>(name: string | null, text: string, values: readonly unknown[]) {
      const config = name === null ? { text, values: [...values] } : { name, text, values: [...values] }
      return (await client.query(config)).rows as readonly Row[]
    },
  }
}

async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const begun = client.query(begin)
  begun.catch(() => {})
  try {
    const result = await work(sessionOf(client))
    await begun
    const { command } = await client.query('commit')
    if (command !== 'COMMIT') throw new OuthookError('internal', `the transaction ended with ${command}`)
    return result
  } catch (error) {
    if (!isConnectionFault(error)) await client.query('rollback')
    throw error
  }
}

type Setting = readonly [name: string, value: string]

function settingsOf(lane: Lane, schema: string): readonly Setting[] {
  const { isHot, statementTimeoutMs, lockTimeoutMs } = lanes[lane]
  const settings: Setting[] = [
    ['search_path', quoteName(schema)],
    ['synchronous_commit', 'on'],
    ['statement_timeout', `${statementTimeoutMs}`],
    ['lock_timeout', `${lockTimeoutMs}`],
    ['idle_in_transaction_session_timeout', `${idleInTransactionTimeoutMs}`],
    ['jit', 'off'],
  ]
  // The queue is empty one moment and has a million rows the next. A plan that suits the one, made from statistics
  // of then, must not be used in the other: always the plan by index, made once per connection.
  if (isHot) settings.push(['enable_seqscan', 'off'], ['plan_cache_mode', 'force_generic_plan'])
  return settings
}

/** Set, and read back: durability must not rest on a setting that a proxy swallowed. */
async function applySettings(client: pg.PoolClient, settings: readonly Setting[]): Promise<void> {
  const columns = settings.map((_, index) => `set_config($${index * 2 + 1}, $${index * 2 + 2}, false)`)
  await client.query(`select ${columns.join(', ')}`, settings.flat())
  const { rows } = await client.query(
    `select current_setting('synchronous_commit') as commit, current_setting('search_path') as path`,
  )
  const [found] = rows as { readonly commit: string; readonly path: string }[]
  if (found?.commit !== 'on' || found.path !== settings[0]?.[1]) {
    throw new OuthookError(
      'store_unavailable',
      `PostgreSQL does not keep settings of a session (synchronous_commit is ${found?.commit}); ` +
        'connect to the server itself or through a pool in session mode',
    )
  }
}
