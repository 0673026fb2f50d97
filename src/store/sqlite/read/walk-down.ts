/**
 * Reading a page downwards by key. A walk goes through the entries of one index, whatever else is asked for, and says of
 * each whether it is wanted; several walks are merged. So what a page reads is counted, and where it stops the next page
 * goes on.
 */
import { maxLookedAt } from '../../page-reading.ts'

export interface Entry {
  readonly k: number
  /** 1: all filters want it. Null where something it is compared with is null. */
  readonly wanted: number | null
}

/** Lowest key last. */
export type Walk = Generator<Entry, void, undefined>

export interface Found {
  /** Newest first; one more than the page shows, where there is one. */
  readonly keys: readonly number[]
  /** The last key that was looked at, where reading stopped before the page was full; null: it did not. */
  readonly stoppedAt: number | null
}

interface Chunks {
  /** Exclusive. */
  readonly before: number
  /** How many are read at first. */
  readonly first: number
}

const largestChunk = 1024

/** Reads larger chunks the further it is asked to go. */
export function* walkDown(
  read: (before: number, most: number) => readonly Entry[],
  { before, first }: Chunks,
): Walk {
  let end = before
  for (let most = first; ; most = Math.min(most * 4, largestChunk)) {
    const entries = read(end, most)
    yield* entries
    const last = entries.at(-1)
    if (last === undefined || entries.length < most) return
    end = last.k
  }
}

/** The newest that are wanted, of all walks together. */
export function findWanted(walks: readonly Walk[], limit: number): Found {
  const heads = walks
    .map(nextOf)
    .filter((head) => head !== null)
    .sort((a, b) => a.entry.k - b.entry.k)
  const keys: number[] = []
  for (let lookedAt = 1; ; lookedAt += 1) {
    const newest = heads.pop()
    if (newest === undefined) return { keys, stoppedAt: null }
    const { entry, walk } = newest
    if (entry.wanted) keys.push(entry.k)
    if (keys.length > limit) return { keys, stoppedAt: null }
    if (lookedAt === maxLookedAt) return { keys, stoppedAt: entry.k }
    const next = nextOf(walk)
    if (next !== null) heads.splice(placeOf(next.entry.k, heads), 0, next)
  }
}

interface Head {
  readonly entry: Entry
  readonly walk: Walk
}

function nextOf(walk: Walk): Head | null {
  const next = walk.next()
  return next.done === true ? null : { entry: next.value, walk }
}

/** Among heads whose keys rise. */
function placeOf(key: number, heads: readonly Head[]): number {
  let low = 0
  let high = heads.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((heads[middle] as Head).entry.k < key) low = middle + 1
    else high = middle
  }
  return low
}
