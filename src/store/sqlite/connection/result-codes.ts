/** SQLite's result codes, and which fault of the store each stands for. Without the driver: the main thread reads it too. */
import type { StoreFault } from '../../../core/store-fault.ts'

/**
 * Result codes after which nothing of the transaction can be trusted: the store, not the row, is at fault. Null: of no
 * kind that an operator could do something particular about.
 */
const faultsByCode: ReadonlyMap<number, StoreFault | null> = new Map([
  [5, 'busy'],
  [6, 'busy'], // locked
  [7, null], // no memory
  [8, 'read_only'],
  [10, 'io_error'], // also what SQLite calls a corrupt file system, of which all it knows is that a read failed
  [11, 'damaged'], // corrupt
  [13, 'full'],
  [14, 'unreachable'], // cannot open
  [15, null], // protocol
  [26, 'damaged'], // not a database
])

/** SQLite's primary result code, or null when the error is none of SQLite's. */
export function sqliteCode(error: unknown): number | null {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return null
  return typeof error.errcode === 'number' ? error.errcode & 0xff : null
}

export function isStoreFault(error: unknown): boolean {
  const code = sqliteCode(error)
  return code !== null && faultsByCode.has(code)
}

/** Null: no fault of the store, or of no particular kind. */
export function storeFaultOf(error: unknown): StoreFault | null {
  const code = sqliteCode(error)
  if (code === null) return null
  return faultsByCode.get(code) ?? null
}
