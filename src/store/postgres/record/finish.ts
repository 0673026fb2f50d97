/** How a delivery that waits leaves the live table; `end-leases.ts` has that of deliveries that are leased. */
import type { ErrorClass } from '../../../core/model.ts'
import { stateCell } from '../../../core/stats/cells.ts'
import { type Context, command, now, run } from '../connection/statement.ts'
import { leaving, lockFreeLines, settleLines } from '../ordering/lines.ts'
import { countColumns, deltaColumns, finishedColumns } from '../rows/columns.ts'

/** SQL: for the relation `moved (tenant_id, endpoint_id, from_state, to_state)`. */
export const countMoved = `
  insert into delivery_counts (${countColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), s.state, ${now} / 60000, sum(s.delta)
  from moved cross join lateral (values (from_state, -1), (to_state, 1)) as s (state, delta)
  where from_state <> to_state
  group by tenant_id, endpoint_id, s.state`

/** SQL: a relation, of the same `moved`, that adds what came to the state to the figures over time. */
export function figureMoved(state: 'cancelled' | 'dead_lettered' | 'skipped'): string {
  return `figured as (
    insert into stats_deltas (${deltaColumns})
    select tenant_id, coalesce(endpoint_id, tenant_id), ${now} / 60000, array_agg(${stateCell(state)})
    from moved where to_state = '${state}' group by tenant_id, endpoint_id
  )`
}

/**
 * Cancels rows that the caller has locked; the claim version grows, so no outcome counts any more. The reason, if there is
 * one, takes the place of the last error.
 */
export function cancelDeliveries(
  context: Context,
  rows: readonly Finishing[],
  reason: string | null = null,
): Promise<Finished> {
  return finish(context, rows, { state: 'cancelled', errorClass: null, lastError: reason })
}

/** Only a damaged database gets here. Leaving the rows would make every claim come back to them. */
export function giveUpWithoutPayload(context: Context, rows: readonly Finishing[]): Promise<Finished> {
  const lastError = 'the payload is gone from the store'
  return finish(context, rows, { state: 'dead_lettered', errorClass: 'internal', lastError })
}

/** A row that the caller has locked. Its id is hexadecimal. */
export interface Finishing {
  readonly id: string
  /** Of an ordered one. */
  readonly line: number | null
}

export interface Finished {
  /** Without those in lines that somebody else has locked, which are left as they were. */
  readonly ids: ReadonlySet<string>
  /** Others have become the heads of their lines, and are due. */
  readonly advanced: boolean
}

interface End {
  readonly state: 'cancelled' | 'dead_lettered'
  /** Null: the row keeps what its last attempt said. */
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
}

async function finish(context: Context, rows: readonly Finishing[], end: End): Promise<Finished> {
  const locked = await lockFreeLines(
    context,
    rows.map(({ line }) => line),
  )
  const mine = rows.filter(({ line }) => line === null || !locked.has(line))
  const ids = mine.map(({ id }) => id)
  if (ids.length === 0) return { ids: new Set(), advanced: false }
  const { state, errorClass, lastError } = end
  await run(context, finishStatements[state], { ids, state, error_class: errorClass, last_error: lastError })
  const isBlocking = state === 'dead_lettered'
  const { dueTargets } = await settleLines(
    context,
    mine.flatMap(({ id, line }) => (line === null ? [] : [leaving(line, { id, isBlocking })])),
  )
  return { ids: new Set(ids), advanced: dueTargets.length > 0 }
}

const finishStatement = (end: End['state']) =>
  command(
    `finish_waiting_${end}`,
    { ids: 'uuid[]', state: 'text', error_class: 'text', last_error: 'text' },
    // primary key
    `with gone as (
     delete from live_deliveries where id = any ($ids) returning *
   ), kept as (
     insert into deliveries (${finishedColumns})
     select id, tenant_id, event_id, subscription_id, endpoint_id, nullif(target_id, endpoint_id), $state, attempt_count,
       claim_version + 1, last_http_status, coalesce($error_class, error_class), coalesce($last_error, last_error),
       created_at, ${now}, replayed_at, url, method, headers, null, null, null, null, null
     from gone
   ), moved as (
     select tenant_id, endpoint_id, state as from_state, $state as to_state from gone
   ), ${figureMoved(end)}
   ${countMoved}`,
  )

const finishStatements = {
  cancelled: finishStatement('cancelled'),
  dead_lettered: finishStatement('dead_lettered'),
}
