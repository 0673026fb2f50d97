/** A place for the data, or an error that says which path is at fault and why. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { OuthookError } from '../core/errors.ts'

/**
 * Makes the directory, and those above it, for this user alone. Level by level: Node's own recursion never ends where
 * the file system denies that a directory exists which it just refused to make, as `/proc` does.
 *
 * Errors: invalid_config.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = []
  for (let level = resolve(path); !isDirectory(level); level = dirname(level)) missing.unshift(level)
  for (const level of missing) makeOne(level)
}

function isDirectory(path: string): boolean {
  try {
    if (statSync(path).isDirectory()) return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path) return false
    throw refused(path, error)
  }
  throw new OuthookError('invalid_config', `${path} is not a directory; name another place for the data`)
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process was faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw refused(path, error)
  }
}

function refused(path: string, cause: unknown): OuthookError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new OuthookError(
    'invalid_config',
    `the directory ${path} cannot be made or entered (${code ?? message}); check its owner and mode, or name another`,
    { cause },
  )
}
