/** Where the engine keeps its events: files in the part's directory, or databases of one PostgreSQL server. */
import { copyFileSync } from 'node:fs'
import { Client } from 'pg'
import { type PostgresServer, startPostgres } from '../../test/servers/postgres.ts'

export type StoreKind = 'sqlite' | 'postgres'

/** What `Outhook.open` takes of it. */
export interface StoreOptions {
  readonly store: string
  readonly masterKey?: string
}

export interface Stores {
  readonly kind: StoreKind
  /** Null on SQLite. */
  readonly server: DatabaseServer | null
  /** The same one for the same name, empty at first. */
  store(name: string): Promise<StoreOptions>
  /** `to` becomes what `from` is; both are closed. */
  copy(from: string, to: string): Promise<void>
  /** Removes what the part made. */
  removeAll(): Promise<void>
}

export interface DatabaseServer {
  /** Runs one statement in the store's database. */
  query(name: string, sql: string): Promise<readonly Record<string, unknown>[]>
  /** A connection of its own, in the store's database. */
  connect(name: string): Promise<Client>
  /** The address of an empty database for somebody else's use. */
  database(name: string): Promise<string>
}

export function createFileStores(directory: string): Stores {
  const pathOf = (name: string) => `${directory}/${name}.db`
  return {
    kind: 'sqlite',
    server: null,
    store: async (name) => ({ store: `sqlite:${pathOf(name)}` }),
    async copy(from, to) {
      // A closed store is one file and its key.
      copyFileSync(pathOf(from), pathOf(to))
      copyFileSync(`${pathOf(from)}.key`, `${pathOf(to)}.key`)
    },
    async removeAll() {},
  }
}

const masterKey = '00'.repeat(32)

export function createDatabaseStores(serverUrl: string): Stores {
  const made = new Set<string>()

  async function administer(sql: string): Promise<void> {
    const client = new Client({ connectionString: serverUrl })
    await client.connect()
    try {
      await client.query(sql)
    } finally {
      await client.end()
    }
  }
  const databaseName = (name: string) => `outhook_bench_${name.replaceAll('-', '_')}`
  const urlOf = (name: string) => {
    const url = new URL(serverUrl)
    url.pathname = `/${databaseName(name)}`
    return url.href
  }
  async function make(name: string, template = 'template1'): Promise<void> {
    await administer(`drop database if exists ${databaseName(name)} with (force)`)
    await administer(`create database ${databaseName(name)} template ${template} strategy file_copy`)
    made.add(name)
  }
  async function connect(name: string): Promise<Client> {
    const client = new Client({ connectionString: urlOf(name) })
    await client.connect()
    return client
  }
  return {
    kind: 'postgres',
    server: {
      connect,
      async query(name, sql) {
        const client = await connect(name)
        try {
          return (await client.query(sql)).rows
        } finally {
          await client.end()
        }
      },
      async database(name) {
        await make(name)
        return urlOf(name)
      },
    },
    async store(name) {
      if (!made.has(name)) await make(name)
      return { store: urlOf(name), masterKey }
    },
    copy: (from, to) => make(to, databaseName(from)),
    async removeAll() {
      for (const name of made) await administer(`drop database if exists ${databaseName(name)} with (force)`)
      made.clear()
    },
  }
}

/** The server that OUTHOOK_TEST_POSTGRES_URL names, or PostgreSQL 18 of the tests. */
export async function startDatabaseServer(): Promise<Pick<PostgresServer, 'url' | 'stop'>> {
  const url = process.env.OUTHOOK_TEST_POSTGRES_URL
  return url === undefined || url === '' ? startPostgres('18') : { url, stop: async () => {} }
}
