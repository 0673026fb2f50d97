import { publishedCell } from '../../../core/stats/cells.ts'
import { everything } from '../../../core/stats/fold.ts'
import { now } from '../connection/statement.ts'
import { deltaColumns } from '../rows/columns.ts'

/** SQL: adds the events of the relation `accepted (tenant_id)` to the figures over time. */
export const figurePublished = `figured as (
  insert into stats_deltas (${deltaColumns})
  select tenant_id, '${everything}'::uuid, ${now} / 60000, array_agg(${publishedCell})
  from accepted group by tenant_id
)`
