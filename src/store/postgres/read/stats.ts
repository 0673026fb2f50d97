import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { everything, type FoundStat, mergeFound } from '../../../core/stats/fold.ts'
import type { StatsRequest, StatsRow } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

interface FoundRow {
  readonly endpoint_id: Uint8Array
  readonly start: number
  /** Null: a cell that is not folded yet. */
  readonly tally: Uint8Array | null
  readonly cell: number
  readonly times: number
}

export async function readStats(context: Context, request: StatsRequest): Promise<readonly StatsRow[]> {
  const { tenantId, endpointIds, span, from, to } = request
  const rows = await run(context, readStatement, {
    tenant: tenantId === null ? everything : uuidOfId(tenantId),
    endpoints: endpointIds === null ? [everything] : endpointIds.map(uuidOfId),
    all_tenants: tenantId === null,
    is_total: endpointIds === null,
    span,
    from,
    to,
  })
  const found = rows.map(({ start, tally, cell, times, endpoint_id }): FoundStat => {
    const endpoint = uuid(endpoint_id)
    return tally === null ? { endpoint, start, cell, times } : { endpoint, start, tally }
  })
  return mergeFound(found, span).map(({ endpoint, start, tally }) => ({
    endpointId: endpoint === everything ? null : bytesToId(idPrefixes.endpoint, Buffer.from(endpoint, 'hex')),
    start,
    tally,
  }))
}

/** One statement, so that a fold between two cannot count anything twice or leave it out. */
const readStatement = query<FoundRow>()(
  'read_stats',
  {
    tenant: 'uuid',
    endpoints: 'uuid[]',
    all_tenants: 'boolean',
    is_total: 'boolean',
    span: 'integer',
    from: 'bigint',
    to: 'bigint',
  },
  // primary key of stats; stats_deltas has what a few seconds left
  `select endpoint_id, start, tally, 0 as cell, 0 as times from stats
   where tenant_id = $tenant and endpoint_id = any ($endpoints) and span = $span and start >= $from and start < $to
   union all
   select d.endpoint_id, d.minute, null, c.cell, count(*)::integer from (
     select case when $is_total then '${everything}'::uuid else endpoint_id end as endpoint_id, minute, cells
     from stats_deltas
     where ($all_tenants or tenant_id = $tenant) and ($is_total or endpoint_id = any ($endpoints))
       and minute >= $from and minute < $to) d
   cross join lateral unnest(d.cells) as c (cell)
   group by d.endpoint_id, d.minute, c.cell`,
)
