/** Cursors of keyset pages: the last id of a page, opaque to callers. */
import { OuthookError } from '../core/errors.ts'
import { bytesToId, type IdPrefix, idToBytes } from '../core/ids.ts'
import type { Page, PageRequest } from './port.ts'

const defaultMaxLimit = 200

export interface PageBounds {
  readonly limit: number
  /** Exclusive upper bound; null on the first page. */
  readonly before: Uint8Array | null
}

export function readPageRequest(page: PageRequest, maxLimit = defaultMaxLimit): PageBounds {
  const { limit, cursor } = page
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new OuthookError('invalid_request', `limit is ${limit}; give a whole number from 1 to ${maxLimit}`)
  }
  return { limit, before: cursor === null || cursor === '' ? null : decodeCursor(cursor) }
}

/** Makes a page of rows that were read with `limit + 1`, newest first. */
export function toPage<Row extends { readonly id: Uint8Array }, Item>(
  rows: readonly Row[],
  limit: number,
  toItem: (row: Row) => Item,
): Page<Item> {
  const kept = rows.slice(0, limit)
  const last = kept.at(-1)
  const nextCursor = rows.length > limit && last !== undefined ? encodeCursor(last.id) : ''
  return { items: kept.map(toItem), nextCursor }
}

export function encodeCursor(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('base64url')
}

export function decodeCursor(cursor: string): Uint8Array {
  const bytes = Buffer.from(cursor, 'base64url')
  if (bytes.length !== 16 || bytes.toString('base64url') !== cursor) {
    throw new OuthookError(
      'bad_cursor',
      'the cursor cannot be read; give the next_cursor of an earlier page as it was',
    )
  }
  return new Uint8Array(bytes)
}

/** The id bytes of what a caller asks for, or null when the text is no id of that kind: then nothing matches. */
export function bytesOfId(prefix: IdPrefix, id: string): Uint8Array | null {
  if (!id.startsWith(`${prefix}_`)) return null
  try {
    const bytes = idToBytes(id)
    return bytesToId(prefix, bytes) === id ? bytes : null
  } catch {
    return null
  }
}
