/** Tells a database that is to be made from one that was there and is gone. */
import { existsSync, statSync } from 'node:fs'
import { OuthookError } from '../../../core/errors.ts'

/**
 * What says that a database was at this path which is missing or empty now; null: nothing does, or it is there. The
 * key file is made after the database, the log holds what the database does not yet, and the lock file is made after
 * an empty database file.
 */
export function findTraceOfLost(path: string): { readonly state: string; readonly trace: string } | null {
  if (path === ':memory:') return null
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? null
  if (size !== null && size > 0) return null
  const state = size === null ? 'missing' : 'empty'
  if (existsSync(`${path}.key`)) return { state, trace: `its key file ${path}.key is there` }
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    return { state, trace: `its log ${path}-wal is there` }
  }
  if (existsSync(`${path}.rescued`)) return { state, trace: `its rescued copy ${path}.rescued is there` }
  if (size === null && existsSync(`${path}.lock`))
    return { state, trace: `its lock file ${path}.lock is there` }
  return null
}

/** Throws `store_missing` where a new database would take the place of a lost one. */
export function refuseLost(path: string): void {
  const lost = findTraceOfLost(path)
  if (lost === null) return
  throw new OuthookError(
    'store_missing',
    `the database ${path} is ${lost.state}, though ${lost.trace}: check the path and that its disk is mounted, ` +
      'or restore a backup. To begin with an empty database all the same, start once with --new-store ' +
      '(in a program: newStore: true)',
  )
}
