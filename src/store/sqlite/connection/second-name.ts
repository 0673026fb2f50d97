/**
 * One database file must not be open under two names. The log (`-wal`) and the owner's lock belong to a name, not to a
 * file: an owner under each name would write over the other, and SQLite calls that a way to corrupt a database.
 *
 * `realpath` finds symbolic links. What it cannot see is found here: hard links, a file that was moved while it is in
 * use, a file that is mounted a second time.
 */
import { existsSync, realpathSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import { sqliteCode } from './result-codes.ts'

const busy = 5

/** Before the owner's lock file is made under this name. Waits up to `waitMs`. Errors: store_locked. */
export function refuseSecondName(path: string, waitMs: number): void {
  const file = statSync(path, { throwIfNoEntry: false })
  if (file === undefined || file.size === 0) return
  refuseUnusedLink(path)
  const wasOwned = existsSync(`${path}.lock`)
  if ((file.nlink > 1 || !wasOwned) && isOpenElsewhere(path, waitMs)) {
    throw new OuthookError(
      'store_locked',
      `${path} is in use under another name; stop the process that uses it there, or start on a copy: two owners of one ` +
        'file destroy it',
    )
  }
}

/**
 * A hard link that no store was ever opened by: the log is beside another name, and without it this one is out of
 * date. Errors: store_locked.
 */
export function refuseUnusedLink(path: string): void {
  const file = statSync(path, { throwIfNoEntry: false })
  if (file === undefined || file.nlink < 2 || existsSync(`${realPath(path)}.lock`)) return
  throw new OuthookError(
    'store_locked',
    `${path} is a hard link: the same file has ${file.nlink} names, and its log stands beside another one. Use the name that ` +
      `the store was made under ("find / -inum ${file.ino}" lists them all), or a copy that "outhook backup" made`,
  )
}

/**
 * Every connection to a database in WAL mode holds a shared lock on the file itself, whatever it is called, and this
 * asks for the exclusive one.
 */
function isOpenElsewhere(path: string, waitMs: number): boolean {
  const probe = new DatabaseSync(path, { timeout: waitMs })
  try {
    probe.exec('pragma locking_mode = exclusive')
    probe.prepare('select count(*) from sqlite_schema').get()
    return false
  } catch (error) {
    // Whatever else is wrong with the file is said by whoever opens it next.
    return sqliteCode(error) === busy
  } finally {
    probe.close()
  }
}

/** Two names of one file that are symbolic links have one lock. */
export function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
