/** A whole copy of a database in a new file: complete, checked and on disk, or not there at all. Blocks. */
import { closeSync, fsyncSync, linkSync, openSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { OuthookError } from '../../../core/errors.ts'
import { openDatabase } from '../connection/database.ts'
import { ensurePrivateFile } from '../connection/private-file.ts'
import { isStoreFault } from '../connection/result-codes.ts'
import { type Result, storeFailure, toFailure } from '../threads/tick.ts'

/** `copyTo` copies one snapshot into an empty file; the target must not exist. */
export function writeCopy(targetFile: string, copyTo: (partial: string) => void): Result {
  const partial = `${targetFile}.partial-${process.pid}`
  try {
    ensurePrivateFile(partial)
    copyTo(partial)
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
