/**
 * Folding: what outcomes left is added to the minute and the hour of its endpoint, its tenant and the whole server, so that
 * whoever reads a day of a server with ten thousand endpoints reads a day's rows and not ten thousand times as many.
 */
import { addCell, addTally, packTally, type Tally, unpackTally } from './tally.ts'

/** Minutes that a row is of. */
export const spans = { minute: 1, hour: 60 } as const
export type Span = (typeof spans)[keyof typeof spans]

/** Minutes are for the charts of a day, hours for those of a month. */
export const statsKeptMs = { minute: 48 * 3_600_000, hour: 90 * 86_400_000 } as const

/** In the place of an endpoint: all of the tenant; in the place of a tenant: all of them. The hexadecimal form of an id. */
export const everything = 'f'.repeat(32)

/** Ids are hexadecimal. A direct send to a URL has its tenant's id in the place of an endpoint. */
export interface PendingCell {
  readonly tenant: string
  /** `everything`: it is the tenant's alone, as an event is. */
  readonly endpoint: string
  /** Since the epoch. */
  readonly minute: number
  readonly cell: number
  readonly times: number
}

export interface StatRow {
  readonly tenant: string
  readonly endpoint: string
  readonly span: Span
  /** Minutes since the epoch. */
  readonly start: number
  readonly tally: Tally
}

/**
 * Ticks leave the same few cells again and again, so these are added up by themselves first: to spread each of them over
 * minute and hour of three owners cost more than all else that figures cost a delivery.
 */
export function foldCells(cells: readonly PendingCell[]): readonly StatRow[] {
  const rows = new Map<string, StatRow>()
  for (const { tenant, endpoint, minute, counted } of gather(cells)) {
    const tally: Tally = new Map()
    for (const [cell, times] of counted) addCell(tally, cell, times)
    const owners: (readonly [string, string])[] = [
      [tenant, everything],
      [everything, everything],
    ]
    if (endpoint !== everything) owners.push([tenant, endpoint])
    for (const [ownTenant, ownEndpoint] of owners) {
      for (const span of [spans.minute, spans.hour]) {
        const start = minute - (minute % span)
        const key = `${ownTenant} ${ownEndpoint} ${span} ${start}`
        let row = rows.get(key)
        if (row === undefined) {
          row = { tenant: ownTenant, endpoint: ownEndpoint, span, start, tally: new Map() }
          rows.set(key, row)
        }
        addTally(row.tally, tally)
      }
    }
  }
  return Array.from(rows.values())
}

interface Gathered extends Pick<PendingCell, 'tenant' | 'endpoint' | 'minute'> {
  /** By cell, how often. */
  readonly counted: Map<number, number>
}

/** Cells that follow one another are mostly of the same owner and minute, which is looked up once then. */
function gather(cells: readonly PendingCell[]): Iterable<Gathered> {
  const all = new Map<string, Gathered>()
  let last: Gathered | null = null
  for (const { tenant, endpoint, minute, cell, times } of cells) {
    if (last === null || last.endpoint !== endpoint || last.minute !== minute || last.tenant !== tenant) {
      const key: string = `${tenant} ${endpoint} ${minute}`
      last = all.get(key) ?? { tenant, endpoint, minute, counted: new Map() }
      all.set(key, last)
    }
    last.counted.set(cell, (last.counted.get(cell) ?? 0) + times)
  }
  return all.values()
}

/** What a read finds: rows that are folded, and cells that are not. */
export type FoundStat = { readonly endpoint: string; readonly start: number } & (
  | { readonly tally: Uint8Array }
  | { readonly cell: number; readonly times: number }
)

/** One row for each endpoint and span. */
export function mergeFound(
  found: readonly FoundStat[],
  span: Span,
): readonly { readonly endpoint: string; readonly start: number; readonly tally: Uint8Array }[] {
  const rows = new Map<string, { readonly endpoint: string; readonly start: number; readonly tally: Tally }>()
  for (const each of found) {
    const start = each.start - (each.start % span)
    const key = `${each.endpoint} ${start}`
    const known = rows.get(key)
    const row = known ?? { endpoint: each.endpoint, start, tally: new Map() }
    if (known === undefined) rows.set(key, row)
    if ('tally' in each) addTally(row.tally, unpackTally(each.tally))
    else addCell(row.tally, each.cell, each.times)
  }
  return Array.from(rows.values(), (row) => ({ ...row, tally: packTally(row.tally) }))
}
