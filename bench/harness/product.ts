/** The product as it is shipped: the compiled program in `dist/`, never the sources. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Library = typeof import('../../src/index.ts')
type Ids = typeof import('../../src/core/ids.ts')
type Clock = typeof import('../../src/core/clock.ts')
type ConfigLoader = typeof import('../../src/config/load-config.ts')
type Server = typeof import('../../src/server.ts')
type Sender = typeof import('../../src/sender/index.ts')
type AddressGuard = typeof import('../../src/sender/address-guard.ts')
type AddressPolicy = typeof import('../../src/sender/address-policy.ts')
type PostgresStore = typeof import('../../src/store/postgres/postgres-store.ts')
type FilterParser = typeof import('../../src/core/filter/parse-filter.ts')
type FilterReader = typeof import('../../src/core/filter/filter-set.ts')
type PayloadRules = typeof import('../../src/engine/payload-rules.ts')
type SqliteStore = typeof import('../../src/store/sqlite/sqlite-store.ts')

/** Another build to measure, such as one of a change that is being tried. */
const dist = process.env.OUTHOOK_BENCH_DIST

function locate(file: string): URL {
  const url =
    dist === undefined ? new URL(`../../dist/${file}`, import.meta.url) : new URL(file, `file://${dist}/`)
  if (!existsSync(url)) throw new Error(`${url.pathname} is missing; run "npm run build" first`)
  return url
}

async function load<Module>(file: string): Promise<Module> {
  return (await import(locate(file).href)) as Module
}

/** The file to run for the command `outhook`. */
export const locateCommand = () => fileURLToPath(locate('cli/main.js'))

export const loadAddressGuard = () => load<AddressGuard>('sender/address-guard.js')
export const loadAddressPolicy = () => load<AddressPolicy>('sender/address-policy.js')
export const loadFilterParser = () => load<FilterParser>('core/filter/parse-filter.js')
export const loadFilterReader = () => load<FilterReader>('core/filter/filter-set.js')
export const loadLibrary = () => load<Library>('index.js')
export const loadIds = () => load<Ids>('core/ids.js')
export const loadClock = () => load<Clock>('core/clock.js')
export const loadConfigLoader = () => load<ConfigLoader>('config/load-config.js')
export const loadPayloadRules = () => load<PayloadRules>('engine/payload-rules.js')
export const loadPostgresStore = () => load<PostgresStore>('store/postgres/postgres-store.js')
export const loadSender = () => load<Sender>('sender/index.js')
export const loadServer = () => load<Server>('server.js')
export const loadSqliteStore = () => load<SqliteStore>('store/sqlite/sqlite-store.js')
