/** Opens the store that the configuration names: the only file that knows every adapter. */
import { dirname } from 'node:path'
import { makeDirectory } from './config/make-directory.ts'
import type { Config } from './config/schema.ts'
import type { Clock } from './core/clock.ts'
import { OuthookError } from './core/errors.ts'
import { type FaceWords, serverWords } from './core/face-words.ts'
import type { Logger } from './core/logger.ts'
import type { ActorOf, Store } from './store/port.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import { waitForPostgres } from './wait-for-postgres.ts'

export interface OpenStoreOptions {
  readonly config: Config
  readonly logger: Logger
  /** A SQLite file is checked after a crash, which may take long: this process owns it by now. May be called twice. */
  readonly onSlowOpen?: () => void
  /** Ends the wait for a store that does not answer yet; then opening rejects with its reason. */
  readonly signal?: AbortSignal | undefined
  /** Who makes the writes of now. Default: nobody, so that they leave no line in the audit log. */
  readonly actorOf?: ActorOf
  /** Of the face that its user knows. Default: the server's. */
  readonly words?: FaceWords
}

export async function openStore(
  { config, logger, signal, onSlowOpen, actorOf, words = serverWords }: OpenStoreOptions,
  clock: Clock,
): Promise<Store> {
  const acting = actorOf === undefined ? {} : { actorOf }
  // Tests open one each. Its commits wait for no disk, so that a thread of its own would only make it slow to open.
  if (config.store.kind === 'memory')
    return openSqliteStore({ path: ':memory:', clock, logger, inProcess: true, ...acting })
  if (config.store.kind === 'postgres') {
    if (config.masterKey === null) throw masterKeyMissing(words)
    // Loaded only where it is used: most programs never need the driver.
    const { openPostgresStore } = await import('./store/postgres/postgres-store.ts')
    const { store, storeWaitMs } = config
    return waitForPostgres({ url: store.url, waitMs: storeWaitMs, logger, clock, signal }, () =>
      openPostgresStore({ ...store, ...acting, logger }),
    )
  }
  const { path } = config.store
  makeDirectory(dirname(path))
  return openSqliteStore({ path, clock, logger, replaceLost: config.newStore, onSlowOpen, ...acting })
}

/** A key that one process made and kept beside itself would be of no use to the others. */
function masterKeyMissing({ masterKey }: FaceWords): OuthookError {
  return new OuthookError(
    'invalid_config',
    'a PostgreSQL store needs a master key, the same for every process; make one with "openssl rand -hex 32" ' +
      `and give it ${masterKey}`,
  )
}
