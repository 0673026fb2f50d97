/** Folds what outcomes left of figures into minutes and hours, and removes those that are too old. */
import { foldCells, type StatRow, spans, statsKeptMs } from '../../../core/stats/fold.ts'
import { addTally, packTally, unpackTally } from '../../../core/stats/tally.ts'
import { type Context, command, query, run } from '../connection/statement.ts'
import { BytesParameter, uuid } from '../rows/wire-types.ts'
import { isMine } from './maintenance.ts'

const minuteMs = 60_000

/** In a transaction, whose lock makes this process the only one that changes `stats`. */
export async function foldStats(
  context: Context,
  { limit }: { readonly limit: number },
): Promise<{ readonly more: boolean }> {
  if (!(await isMine(context, 'fold stats'))) return { more: false }
  const rows = await run(context, takeStatement, { limit })
  const cells = rows.map(({ tenant_id, endpoint_id, ...counted }) => ({
    tenant: uuid(tenant_id),
    endpoint: uuid(endpoint_id),
    ...counted,
  }))
  if (cells.length > 0) await addRows(context, foldCells(cells))
  // With the last slice, not with each.
  return { more: rows[0]?.gone === limit || (await removeOld(context, limit)) }
}

interface TakenCell {
  readonly tenant_id: Uint8Array
  readonly endpoint_id: Uint8Array
  readonly minute: number
  readonly cell: number
  readonly times: number
  /** Rows that were taken. */
  readonly gone: number
}

const takeStatement = query<TakenCell>()(
  'take_stats_deltas',
  { limit: 'bigint' },
  // by tid; the table has what a few seconds left
  `with old as materialized (
     select ctid as tid from stats_deltas limit $limit
   ), gone as (
     delete from stats_deltas where ctid = any (array(select tid from old))
     returning tenant_id, endpoint_id, minute, cells
   )
   select g.tenant_id, g.endpoint_id, g.minute, c.cell, count(*)::integer as times,
     (select count(*)::integer from gone) as gone
   from gone g cross join lateral unnest(g.cells) as c (cell)
   group by g.tenant_id, g.endpoint_id, g.minute, c.cell`,
)

async function addRows(context: Context, rows: readonly StatRow[]): Promise<void> {
  const keys = {
    tenants: rows.map(({ tenant }) => tenant),
    endpoints: rows.map(({ endpoint }) => endpoint),
    spans: rows.map(({ span }) => span),
    starts: rows.map(({ start }) => start),
  }
  for (const { number, tally } of await run(context, beforeStatement, keys)) {
    addTally((rows[number - 1] as StatRow).tally, unpackTally(tally))
  }
  const bytes = new BytesParameter()
  const packed = rows.map(({ tally }) => packTally(tally))
  await run(context, writeStatement, {
    ...keys,
    tallies_at: packed.map((tally) => bytes.add(tally)),
    lengths: packed.map(({ byteLength }) => byteLength),
    bytes: bytes.value(),
  })
}

const keyParameters = {
  tenants: 'uuid[]',
  endpoints: 'uuid[]',
  spans: 'integer[]',
  starts: 'bigint[]',
} as const

const beforeStatement = query<{ readonly number: number; readonly tally: Uint8Array }>()(
  'stats_before',
  keyParameters,
  // primary key, one seek for each whatever is known of the table
  `select k.number::integer as number, s.tally
   from unnest($tenants, $endpoints, $spans, $starts) with ordinality as k (tenant_id, endpoint_id, span, start, number)
   cross join lateral (
     select tally from stats s where s.tenant_id = k.tenant_id and s.endpoint_id = k.endpoint_id
       and s.span = k.span and s.start = k.start limit 1) s`,
)

const writeStatement = command(
  'write_stats',
  { ...keyParameters, tallies_at: 'integer[]', lengths: 'integer[]', bytes: 'bytea' },
  // primary key
  `insert into stats (tenant_id, endpoint_id, span, start, tally)
   select tenant_id, endpoint_id, span, start, substring($bytes from tally_at for length)
   from unnest($tenants, $endpoints, $spans, $starts, $tallies_at, $lengths)
     as o (tenant_id, endpoint_id, span, start, tally_at, length)
   on conflict (tenant_id, endpoint_id, span, start) do update set tally = excluded.tally`,
)

/** True: there may be more. */
async function removeOld(context: Context, limit: number): Promise<boolean> {
  // A clock that has jumped ahead would make everything too old.
  if (context.line.unprovenSince !== null) return false
  let more = false
  for (const name of ['minute', 'hour'] as const) {
    const before = Math.floor((context.moment - statsKeptMs[name]) / minuteMs)
    const [row] = await run(context, removeStatement, { span: spans[name], before, limit })
    more ||= row?.gone === limit
  }
  return more
}

const removeStatement = query<{ readonly gone: number }>()(
  'remove_old_stats',
  { span: 'integer', before: 'bigint', limit: 'bigint' },
  // stats_start, then by tid
  `with gone as (
     delete from stats where ctid = any (array(
       select ctid from stats where span = $span and start < $before order by start limit $limit))
     returning 1
   )
   select count(*)::integer as gone from gone`,
)
