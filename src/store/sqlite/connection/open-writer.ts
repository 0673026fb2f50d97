import type { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import type { ResumedTime } from '../../../core/time-line.ts'
import { copyIdName } from '../../copy.ts'
import type { SchemaChange } from '../../migrations.ts'
import { type Tick, type TickReply, toError } from '../threads/tick.ts'
import { Writer } from '../threads/writer.ts'
import { checkIntegrity } from '../upkeep/check-integrity.ts'
import { checkpoint, openDatabase, readPragma } from './database.ts'
import { isUnreadable, unreadable } from './failure-of.ts'
import { refuseLost } from './lost-database.ts'
import { acquireOwnership, type Ownership } from './ownership.ts'
import { ensurePrivateFile } from './private-file.ts'
import { migrateSqlite } from './schema.ts'
import { realPath, refuseSecondName } from './second-name.ts'
import { clearUnchecked, isUnchecked, markUnchecked } from './unchecked-mark.ts'

export interface WriterOptions {
  readonly path: string
  /** By the wall clock. */
  readonly now: number
  readonly lockWaitMs: number
  readonly maxPageCount: number | null
  /** As for `openDatabase`. */
  readonly checkpointPages?: number
  /** Makes a new database also where one is lost; see `lost-database.ts`. */
  readonly replaceLost?: boolean
}

export interface OpenWriter {
  /** Where the store's time goes on at `WriterOptions.wall`. */
  readonly opened: ResumedTime
  run(tick: Tick): TickReply
  /** Moves what the log holds into the database. */
  checkpoint(): void
  close(): void
}

/** Becomes the file's owner, brings its schema up to date and takes its predecessor's leases back. Blocks. */
export function openWriter(options: WriterOptions, note: Note = () => {}): OpenWriter {
  const { database, close } = openOwned(options, note)
  try {
    // What was copied of it so far will no longer be true.
    database.prepare('delete from meta where name = ?').run(copyIdName)
    const writer = new Writer(database)
    const now = writer.takeOver(options.now)
    return {
      opened: { line: writer.line, now },
      run: (tick) => writer.run(tick),
      checkpoint: () => void checkpoint(database),
      close,
    }
  } catch (error) {
    close()
    throw error
  }
}

export interface OwnedDatabase {
  readonly database: DatabaseSync
  readonly migrated: SchemaChange
  close(): void
}

/** Says what takes long. */
export type Note = (text: string) => void

/** Becomes the file's owner, checks it after a crash, and brings its schema up to date. Blocks. */
export function openOwned(options: WriterOptions, note: Note = () => {}): OwnedDatabase {
  const { path, now, lockWaitMs, maxPageCount, replaceLost = false } = options
  if (!replaceLost) refuseLost(path)
  // Before the lock file: a path that cannot be used leaves nothing beside it.
  ensurePrivateFile(path)
  const ownership = path === ':memory:' ? null : becomeOwner(realPath(path), lockWaitMs, now)
  if (ownership?.isAfterCrash === true) markUnchecked(path)
  try {
    const database = openDatabase(path, options)
    try {
      if (maxPageCount !== null) database.exec(`pragma max_page_count = ${maxPageCount}`)
      if (ownership !== null && isUnchecked(path)) refuseDamaged(database, path, note)
      const migrated = migrateSqlite(database, now)
      return {
        database,
        migrated,
        close() {
          database.close()
          ownership?.release()
        },
      }
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    ownership?.release()
    throw error
  }
}

/** What a crash of the machine has damaged is found before anything is built on it, however often it is started. */
function refuseDamaged(database: DatabaseSync, path: string, note: Note): void {
  const bytes = Number(readPragma(database, 'page_count')) * Number(readPragma(database, 'page_size'))
  note(
    `the last process did not close ${path}, or found damage: checking it, ${Math.ceil(bytes / 2 ** 20)} MiB`,
  )
  const { damage } = checkIntegrity(database, { quick: true })
  if (damage.length === 0) {
    clearUnchecked(path)
    note(`${path} is whole`)
    return
  }
  if (isUnreadable(path)) throw toError(unreadable(path))
  throw new OuthookError(
    'store_unavailable',
    `the database ${path} is damaged (${damage.join('; ')}): nothing is started on it. "outhook doctor" says more; ` +
      'restore a backup, or repair a copy with the command ".recover" of the sqlite3 shell',
    { fault: 'damaged' },
  )
}

function becomeOwner(path: string, lockWaitMs: number, now: number): Ownership {
  refuseSecondName(path, lockWaitMs)
  return acquireOwnership(path, lockWaitMs, now)
}
