/** Folds what ticks left of figures into minutes and hours, and removes those that are too old. */
import {
  foldCells,
  type PendingCell,
  type Span,
  type StatRow,
  spans,
  statsKeptMs,
} from '../../../core/stats/fold.ts'
import { addTally, packTally, unpackTally } from '../../../core/stats/tally.ts'
import { unpackCells } from '../rows/stat-cells.ts'
import type { WriteContext } from '../threads/write-context.ts'

const minuteMs = 60_000

export function foldStats(
  context: WriteContext,
  { limit }: { readonly limit: number },
): { readonly more: boolean } {
  const rows = context
    .prepare<DeltaRow>(
      'select k, tenant_id, endpoint_id, minute, cells from stats_deltas order by k limit ?', // primary key
    )
    .all(limit)
  const last = rows.at(-1)
  if (last !== undefined) {
    for (const row of foldCells(rows.flatMap(toCells))) addRow(context, row)
    context.prepare('delete from stats_deltas where k <= ?').run(last.k) // primary key
  }
  // With the last slice, not with each.
  return { more: rows.length === limit || removeOld(context, limit) }
}

interface DeltaRow {
  readonly k: number
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly minute: number
  readonly cells: Uint8Array
}

function toCells(row: DeltaRow): readonly PendingCell[] {
  const tenant = Buffer.from(row.tenant_id).toString('hex')
  const endpoint = Buffer.from(row.endpoint_id).toString('hex')
  return unpackCells(row.cells).map((counted) => ({ tenant, endpoint, minute: row.minute, ...counted }))
}

function addRow(context: WriteContext, { tenant, endpoint, span, start, tally }: StatRow): void {
  const key = [Buffer.from(tenant, 'hex'), Buffer.from(endpoint, 'hex'), span, start] as const
  const before = context
    .prepare<{ readonly tally: Uint8Array }>(
      'select tally from stats where tenant_id = ? and endpoint_id = ? and span = ? and start = ?', // primary key
    )
    .get(...key)
  if (before !== undefined) addTally(tally, unpackTally(before.tally))
  context
    .prepare(
      `insert into stats (tenant_id, endpoint_id, span, start, tally) values (?, ?, ?, ?, ?)
       on conflict do update set tally = excluded.tally`,
    )
    .run(...key, packTally(tally))
}

/** True: there may be more. */
function removeOld({ prepare, now, line }: WriteContext, limit: number): boolean {
  // A clock that has jumped ahead would make everything too old.
  if (line.unprovenSince !== null) return false
  const remove = (span: Span, keptMs: number) =>
    prepare(
      // stats_start, then primary key
      `delete from stats where (tenant_id, endpoint_id, span, start) in (
         select tenant_id, endpoint_id, span, start from stats where span = ? and start < ? order by start limit ?)`,
    ).run(span, Math.floor((now - keptMs) / minuteMs), limit).changes === limit
  const moreMinutes = remove(spans.minute, statsKeptMs.minute)
  return remove(spans.hour, statsKeptMs.hour) || moreMinutes
}
