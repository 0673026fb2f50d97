/**
 * One process owns a database file. The right is an exclusive transaction on a second SQLite file, `<db>.lock`,
 * held for the owner's whole life: the operating system releases it when the process ends, however it ends.
 * `<db>.owner` says who holds it, for the error of whoever comes second.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { OuthookError } from '../../../core/errors.ts'
import { ensurePrivateFile } from './private-file.ts'
import { sqliteCode } from './result-codes.ts'

export interface Ownership {
  /** The owner before did not release it: it was killed, or its machine lost power. */
  readonly isAfterCrash: boolean
  release(): void
}

const busy = 5

/** Waits up to `waitMs` (for restarts by a file watcher), then throws `store_locked`. Blocks the thread. */
export function acquireOwnership(path: string, waitMs: number, now: number): Ownership {
  ensurePrivateFile(`${path}.lock`)
  const lock = new DatabaseSync(`${path}.lock`, { timeout: waitMs })
  try {
    lock.exec('begin exclusive')
  } catch (error) {
    lock.close()
    if (sqliteCode(error) === busy) throw lockedError(path, error)
    throw error
  }
  const ownerFile = `${path}.owner`
  const isAfterCrash = existsSync(ownerFile)
  const owner = `${thisProcess()} since ${new Date(now).toISOString()}\n`
  writeFileSync(ownerFile, owner, { mode: 0o600 })
  return {
    isAfterCrash,
    release() {
      if (!lock.isOpen) return
      rmSync(ownerFile, { force: true })
      lock.close()
    },
  }
}

function lockedError(path: string, cause: unknown): OuthookError {
  const owner = readOwner(path)
  const message =
    owner?.startsWith(`${thisProcess()} since`) === true
      ? `${path} is open in this process already (${owner}): use the Outhook that was opened first, or close it and wait ` +
        'for that. Where code is loaded anew while the process goes on (Next.js, hot reload), keep it on globalThis: ' +
        'docs/guides/hot-reload.md shows how'
      : `${path} is in use by ${owner ?? 'another process'}; stop that process, or give this one another path`
  return new OuthookError('store_locked', message, { cause })
}

function thisProcess(): string {
  return `pid ${process.pid} on ${hostname()}`
}

/** Null when nobody wrote down who it is. */
function readOwner(path: string): string | null {
  try {
    return readFileSync(`${path}.owner`, 'utf8').trim() || null
  } catch {
    return null
  }
}
