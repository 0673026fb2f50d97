import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { everything, type FoundStat, mergeFound } from '../../../core/stats/fold.ts'
import type { StatsRequest, StatsRow } from '../../port.ts'
import { unpackCells } from '../rows/stat-cells.ts'
import type { ReadContext } from './context.ts'

interface FoundRow {
  readonly endpoint_id: Uint8Array
  readonly start: number
  /** One of the two. */
  readonly tally: Uint8Array | null
  readonly cells: Uint8Array | null
}

/** One statement, so that a fold between two cannot count anything twice or leave it out. */
export function readStats(context: ReadContext, request: StatsRequest): readonly StatsRow[] {
  const { tenantId, endpointIds, span, from, to } = request
  const tenant = tenantId === null ? Buffer.from(everything, 'hex') : idToBytes(tenantId)
  const isTotal = endpointIds === null ? 1 : 0
  const wanted = endpointIds === null ? [everything] : endpointIds.map((id) => toHex(idToBytes(id)))
  const rows = context
    .prepare<FoundRow>(
      // primary key of stats; stats_deltas has what a few seconds left
      `with wanted as (select unhex(value) as id from json_each(?1))
       select endpoint_id, start, tally, null as cells from stats
       where tenant_id = ?2 and endpoint_id in (select id from wanted) and span = ?3
         and start >= ?4 and start < ?5
       union all
       select endpoint_id, minute, null, cells from stats_deltas
       where (?6 or tenant_id = ?2) and (?7 or endpoint_id in (select id from wanted))
         and minute >= ?4 and minute < ?5`,
    )
    .all(JSON.stringify(wanted), tenant, span, from, to, tenantId === null ? 1 : 0, isTotal)
  const found = rows.flatMap((row): FoundStat[] => {
    const { start, tally, cells } = row
    const endpoint = isTotal === 1 ? everything : toHex(row.endpoint_id)
    if (tally !== null) return [{ endpoint, start, tally }]
    return unpackCells(cells ?? new Uint8Array(0)).map((counted) => ({ endpoint, start, ...counted }))
  })
  return mergeFound(found, span).map(({ endpoint, start, tally }) => ({
    endpointId: endpoint === everything ? null : bytesToId(idPrefixes.endpoint, Buffer.from(endpoint, 'hex')),
    start,
    tally,
  }))
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
