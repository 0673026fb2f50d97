/** Entry point of the thread that writes a backup: `vacuum into` blocks until the copy is made. */
import { closeSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { parentPort } from 'node:worker_threads'
import { OuthookError } from '../../core/errors.ts'
import type { BackupRequest } from './backup.ts'
import { openDatabase } from './database.ts'
import { ensurePrivateFile } from './private-file.ts'
import { isStoreFault } from './result-codes.ts'
import { refuseUnusedLink } from './second-name.ts'
import { serveThread } from './thread-port.ts'
import { type Result, storeFailure, toFailure } from './tick.ts'

if (parentPort !== null) {
  serveThread<BackupRequest>(parentPort, () => ({
    run: (request) => ({ reply: run(request), transfer: [] }),
    close: () => {},
  }))
}

function run({ sourcePath, targetFile }: BackupRequest): Result {
  const partial = `${targetFile}.partial-${process.pid}`
  try {
    ensurePrivateFile(partial)
    copy(sourcePath, partial)
    check(partial)
    syncToDisk(partial, 'r+')
    // Unlike a rename, a link never replaces a file that has appeared meanwhile.
    linkSync(partial, targetFile)
    if (process.platform !== 'win32') syncToDisk(dirname(targetFile), 'r')
    return { ok: true, value: null }
  } catch (error) {
    return { ok: false, failure: isStoreFault(error) ? storeFailure(error) : toFailure(error) }
  } finally {
    rmSync(partial, { force: true })
  }
}

function copy(sourcePath: string, partial: string): void {
  refuseUnusedLink(sourcePath)
  const source = openDatabase(sourcePath, { readOnly: true })
  try {
    source.prepare('vacuum into ?').run(partial)
  } finally {
    source.close()
  }
}

function check(partial: string): void {
  const copied = openDatabase(partial, { readOnly: true })
  try {
    const found = copied.prepare('pragma integrity_check').all()
    const first = found[0]?.integrity_check
    if (first !== 'ok') {
      throw new OuthookError(
        'store_unavailable',
        `the copy is damaged (${String(first)}); check the disk and try again`,
      )
    }
  } finally {
    copied.close()
  }
}

function syncToDisk(path: string, flags: 'r' | 'r+'): void {
  const file = openSync(path, flags)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
