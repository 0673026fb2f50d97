/** How a job goes over rows, in the order of their keys: written once for both databases. */
import type { JobWork } from './job-rows.ts'

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
export const idClockSlackMs = 600_000

export interface Walked<Row> {
  /** Rows to do something about. */
  readonly found: readonly Row[]
  /** Rows that match, and of which nothing can be done. */
  readonly skipped: number
  /** Where to go on; null: the end is reached. */
  readonly cursor: string | null
  /** The key of the last row that was looked at; null: there was none. */
  readonly last: string | null
}

export interface WalkRules<Row> {
  readonly keyOf: (row: Row) => string
  readonly isMatch: (row: Row) => boolean
  readonly isPossible: (row: Row) => boolean
}

/** Over `rows`, which were read with the limit `scan`, until `limit` of them are found. */
export function walk<Row>(
  rows: readonly Row[],
  { limit, scan }: Pick<JobWork, 'limit' | 'scan'>,
  { keyOf, isMatch, isPossible }: WalkRules<Row>,
): Walked<Row> {
  const found: Row[] = []
  let skipped = 0
  let last: Row | null = null
  for (const row of rows) {
    if (found.length === limit) break
    last = row
    if (!isMatch(row)) continue
    if (isPossible(row)) found.push(row)
    else skipped += 1
  }
  const isEnd = rows.length < scan && (last === null || last === rows.at(-1))
  const key = last === null ? null : keyOf(last)
  return { found, skipped, cursor: isEnd ? null : key, last: key }
}
