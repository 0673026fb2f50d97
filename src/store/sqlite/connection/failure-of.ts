/**
 * What is told of an error that SQLite met. SQLite says "database disk image is malformed" also where the disk refused
 * to read (EIO while a statement ran), though nothing need be damaged then and it may pass; what was the errno it does
 * not tell. So before damage is believed, the files are read.
 */
import { openSync, readSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { describeStoreFault } from '../../../core/store-fault.ts'
import { type Failure, storeFailure, toFailure } from '../threads/tick.ts'
import { isStoreFault, storeFaultOf } from './result-codes.ts'

/** Of each file, from its start. The thread does nothing else meanwhile, for about half a second where it is cached. */
const readAtMostBytes = 1024 * 1024 * 1024
const chunkBytes = 1024 * 1024

/** Of each file that was read. Never closed: that would end the locks that SQLite has on it in this process. */
const descriptors = new Map<string, number>()

export function failureOf(error: unknown, database: DatabaseSync): Failure {
  if (!isStoreFault(error)) return toFailure(error)
  const failure = storeFailure(error)
  const path = storeFaultOf(error) === 'damaged' ? database.location() : null
  return path !== null && isUnreadable(path) ? unreadable(path) : failure
}

/** Whether the disk refuses to read the database or its log. */
export function isUnreadable(path: string): boolean {
  return [path, `${path}-wal`].some(refusesToRead)
}

export function unreadable(path: string): Failure {
  const message = `the disk refuses to read ${path}: ${describeStoreFault('io_error')}`
  return { code: 'store_unavailable', message, fault: 'io_error' }
}

function refusesToRead(file: string): boolean {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  try {
    const descriptor = descriptors.get(file) ?? openSync(file, 'r')
    descriptors.set(file, descriptor)
    let position = 0
    while (position < readAtMostBytes) {
      const read = readSync(descriptor, chunk, 0, chunkBytes, position)
      if (read === 0) return false
      position += read
    }
    return false
  } catch (error) {
    // A log that is not there is none that cannot be read.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}
