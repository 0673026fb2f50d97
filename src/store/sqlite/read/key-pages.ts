/** Pages of the large tables: their cursors hold the last key, in as many bytes as an id has. */
import { OuthookError } from '../../../core/errors.ts'
import { encodeCursor, readPageRequest } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import { keyAt, lowestKey } from '../rows/key-space.ts'
import type { Found } from './walk-down.ts'

/** Keys that a page may show: from `from`, before `before`; one more than the page is read, to know whether it is the last. */
export interface KeyBounds {
  readonly limit: number
  readonly from: number
  readonly before: number
}

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

export interface Times {
  readonly since?: number | undefined
  readonly until?: number | undefined
}

export function readKeyPage(page: PageRequest, { since, until }: Times): KeyBounds {
  const { limit, before } = readPageRequest(page)
  const young = until === undefined ? Number.MAX_SAFE_INTEGER : keyAt(until + idClockSlackMs + 1)
  return {
    limit,
    from: since === undefined ? lowestKey : keyAt(since - idClockSlackMs),
    before: before === null ? young : Math.min(young, toKey(before)),
  }
}

/** Of one event, oldest first: keys that are larger than `after`. */
export function readForwardPage(
  page: PageRequest,
  maxLimit: number,
): { readonly limit: number; readonly after: number } {
  // The bound of such a page is a lower one.
  const { limit, before: after } = readPageRequest(page, maxLimit)
  return { limit, after: after === null ? lowestKey : toKey(after) }
}

/** Of keys in the order of the listing: one more than the page shows, or fewer where reading stopped. */
export function toKeyPage<Item>(
  { keys, stoppedAt }: Found,
  limit: number,
  toItem: (key: number) => Item | null,
): Page<Item> {
  const kept = keys.slice(0, limit)
  const last = keys.length > limit ? (kept.at(-1) ?? null) : stoppedAt
  const nextCursor = last === null ? '' : encodeCursor(toBytes(last))
  return { items: kept.map(toItem).filter((item) => item !== null), nextCursor }
}

function toBytes(key: number): Uint8Array {
  const bytes = new Uint8Array(16)
  new DataView(bytes.buffer).setFloat64(8, key)
  return bytes
}

function toKey(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const key = view.getFloat64(8)
  if (view.getUint32(0) === 0 && view.getUint32(4) === 0 && Number.isSafeInteger(key)) return key
  throw new OuthookError(
    'bad_cursor',
    'the cursor is of another listing; give the next_cursor of an earlier page of this one',
  )
}
