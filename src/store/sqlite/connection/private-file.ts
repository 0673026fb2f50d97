/** Files that only their owner may read: payloads and answers are nobody else's. */
import { accessSync, closeSync, constants, openSync, statSync } from 'node:fs'
import { OuthookError } from '../../../core/errors.ts'

/**
 * Makes the file if it is not there, empty, before SQLite would with the mode of the umask; what SQLite puts beside it
 * gets the same mode. A file that is there is never opened here: closing any descriptor of it would release the locks
 * that this process holds on it.
 *
 * Errors: invalid_config, naming the path and the cause.
 */
export function ensurePrivateFile(path: string): void {
  if (path === ':memory:') return
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(path, error)
    checkExisting(path)
  }
}

function checkExisting(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) {
    throw new OuthookError('invalid_config', `${path} is a directory; name a file in it`)
  }
  if (found === undefined) return
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw unusable(path, error)
  }
}

/** What somebody set wrong, as opposed to a disk that is full or broken. */
const misplaced = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'])

function unusable(path: string, cause: unknown): OuthookError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException
  return new OuthookError(
    misplaced.has(code) ? 'invalid_config' : 'store_unavailable',
    `${path} cannot be made or written (${code}); check the directory, its owner and mode, or name another path`,
    { cause },
  )
}
