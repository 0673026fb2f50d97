/** Lines whose head is neither live nor a dead letter that blocks them: only a damaged store has any. */
import type { StuckLines } from '../../finding.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { type LineRow, settleLine } from '../record/lines.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Where the next slice begins: behind this line. */
export interface RepairCursor {
  after: number
}

/** SQL, of `ordered_keys` as `o`: by primary keys. */
const isStuck = `iif(o.blocked_at is null,
  not exists (select 1 from live_deliveries l where l.k = o.head and l.reason is not 'behind_head'),
  not exists (select 1 from deliveries f where f.k = o.head and f.state = 4))`

export function repairLines(context: WriteContext, limit: number, cursor: RepairCursor): void {
  const rows = context
    .prepare<LineRow & { readonly is_stuck: number }>(
      // primary key
      `select o.line, o.head, o.blocked_at, o.length, ${isStuck} as is_stuck from ordered_keys o
       where o.line > ? order by o.line limit ?`,
    )
    .all(cursor.after, limit)
  cursor.after = rows.length < limit ? 0 : (rows.at(-1)?.line ?? 0)
  for (const row of rows) if (row.is_stuck === 1) settleLine(context, row.line)
}

export function findStuckLines(context: PreparesStatements): StuckLines {
  const row = context
    .prepare<StuckLines>(
      // all of a table with a row for each key that waits
      `select count(*) as keys, count(o.blocked_at) as blocked, coalesce(sum(${isStuck}), 0) as stuck,
         min(iif(${isStuck}, o.ordering_key, null)) as example
       from ordered_keys o`,
    )
    .get()
  return row as StuckLines
}
