/** The only file that opens `node:sqlite`, so that another driver could take its place. */
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { OuthookError } from '../../../core/errors.ts'

export interface OpenOptions {
  readonly readOnly?: boolean
  /** Wait for another connection's lock, milliseconds. */
  readonly busyTimeoutMs?: number
  /** Pages of the log after which a commit moves them into the database; 0: never. Default 4000, measured best. */
  readonly checkpointPages?: number
}

const defaultCheckpointPages = 4000
/**
 * When pages of a b-tree are put in order, their temporary numbers lie far beyond the end of the file, and the commit then
 * walks through the whole cache in search of pages beyond that end: 0.2 ms with 16 MiB, 6 % of the writer in a drain. What
 * this leaves out is in the memory of the operating system.
 */
const cacheKib = 4 * 1024
const readerCacheKib = 4 * 1024

/** Opens a database with every setting that durability rests on, set and read back. */
export function openDatabase(path: string, options: OpenOptions = {}): DatabaseSync {
  const { readOnly = false, busyTimeoutMs = 5000 } = options
  const database = new DatabaseSync(path, { readOnly, timeout: busyTimeoutMs })
  try {
    applyPragmas(database, pragmasFor(path, options))
  } catch (error) {
    database.close()
    throw error
  }
  return database
}

/** Opens a database of somebody else's as it is. One that is not there is not made. */
export function openForeignDatabase(path: string, busyTimeoutMs: number): DatabaseSync {
  const url = pathToFileURL(path)
  url.search = '?mode=rw'
  return new DatabaseSync(url, { timeout: busyTimeoutMs })
}

type Pragma = readonly [name: string, value: string | number, readBack: string | number]

function pragmasFor(path: string, options: OpenOptions): readonly Pragma[] {
  const { readOnly = false, checkpointPages = defaultCheckpointPages } = options
  const shared: Pragma[] = [
    ['foreign_keys', 'off', 0],
    ['temp_store', 'memory', 2],
  ]
  if (readOnly) return [...shared, ['cache_size', -readerCacheKib, -readerCacheKib]]
  const pragmas: Pragma[] = [
    ['journal_mode', 'wal', path === ':memory:' ? 'memory' : 'wal'],
    ['synchronous', 'full', 2],
    ['wal_autocheckpoint', checkpointPages, checkpointPages],
    ['cache_size', -cacheKib, -cacheKib],
    ...shared,
  ]
  // Without these two macOS acknowledges an fsync before the disk has the data.
  if (process.platform === 'darwin') pragmas.push(['fullfsync', 'on', 1], ['checkpoint_fullfsync', 'on', 1])
  return pragmas
}

function applyPragmas(database: DatabaseSync, pragmas: readonly Pragma[]): void {
  for (const [name, value, readBack] of pragmas) {
    database.exec(`pragma ${name} = ${value}`)
    const found = readPragma(database, name)
    if (found !== readBack) {
      throw new OuthookError(
        'store_unavailable',
        `SQLite answers ${name} = ${String(found)} where ${readBack} was set; the file system may not support it`,
      )
    }
  }
}

export function readPragma(database: DatabaseSync, name: string): unknown {
  const row = database.prepare(`pragma ${name}`).get()
  return row === undefined ? undefined : Object.values(row)[0]
}

export interface Copied {
  /** Pages in the log. */
  readonly log: number
  /** All of them are in the database now; somebody's snapshot, such as a backup's, may hold some back. */
  readonly isWhole: boolean
}

/** Moves what the log holds into the database, waiting for nobody. Null: a fault, which the writer meets too and reports. */
export function checkpoint(database: DatabaseSync): Copied | null {
  try {
    const row = database.prepare('pragma wal_checkpoint(passive)').get()
    return { log: row?.log as number, isWhole: row?.checkpointed === row?.log }
  } catch {
    return null
  }
}
