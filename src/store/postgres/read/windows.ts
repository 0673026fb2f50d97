/**
 * Reading a page downwards by id, a window after the other. A window is as wide as a number of index entries that are
 * counted first; within it a page is read by one statement, since a row may be on its way from one table to another. That
 * the count is another statement than the reading does no harm: how far a window reaches decides only what is read.
 */
import { encodeCursor, type PageBounds, toPage } from '../../cursors.ts'
import { maxLookedAt } from '../../page-reading.ts'
import type { Page } from '../../port.ts'

/** Ids from `floor`, before `before`; null: no such bound. */
export interface Window {
  readonly floor: Uint8Array | null
  readonly before: Uint8Array | null
}

export interface Listing<Row> {
  /** The id that lies about `most` entries below `before`; null: there are not that many. */
  findFloor(before: Uint8Array | null, most: number): Promise<Uint8Array | null>
  /** Newest first, `most` at most. */
  read(window: Window, most: number): Promise<readonly Row[]>
}

/** Most pages are full by then. */
const firstWindow = (limit: number) => 10 * (limit + 1)

export async function readInWindows<Row extends { readonly id: Uint8Array }, Item>(
  bounds: PageBounds,
  listing: Listing<Row>,
  toItem: (row: Row) => Item,
): Promise<Page<Item>> {
  const { items, nextCursor } = await searchInWindows({ ...bounds, most: maxLookedAt }, listing, toItem)
  return { items, nextCursor }
}

interface Search extends PageBounds {
  /** Entries that the widest window has. */
  readonly most: number
}

interface Searched<Item> extends Page<Item> {
  /** Where reading stopped before the page was full; null: it did not. */
  readonly stoppedAt: Uint8Array | null
}

export async function searchInWindows<Row extends { readonly id: Uint8Array }, Item>(
  { limit, before: begin, most: widest }: Search,
  listing: Listing<Row>,
  toItem: (row: Row) => Item,
): Promise<Searched<Item>> {
  const found: Row[] = []
  let before = begin
  for (const most of [firstWindow(limit), widest]) {
    const floor = await listing.findFloor(before, most)
    found.push(...(await listing.read({ floor, before }, limit + 1 - found.length)))
    if (found.length > limit || floor === null) return { ...toPage(found, limit, toItem), stoppedAt: null }
    before = floor
  }
  return { items: found.map(toItem), nextCursor: encodeCursor(before as Uint8Array), stoppedAt: before }
}
