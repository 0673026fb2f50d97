/**
 * How a delivery that nobody holds comes to wait, for its time or, parked, for the end of a reason. What becomes of it is
 * the rule of `core/claim/row-fate.ts`; `end-leases.ts` has that of deliveries that are leased.
 */
import { type Claimable, parked, unparked, type Waiting } from '../../../core/claim/row-fate.ts'
import type { WaitReason } from '../../../core/model.ts'
import { type Context, command, now, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'
import { countMoved } from './finish.ts'

/** A row of `live_deliveries` that the caller has locked. Its id is hexadecimal. */
export interface LockedRow extends Claimable {
  readonly id: string
  readonly line: number | null
  /** Until the time of its event; not above zero: it has come, or there was none. */
  readonly deliversInMs: number
}

export interface Wait {
  readonly row: LockedRow
  readonly becomes: Waiting
}

export async function makeWait(context: Context, waits: readonly Wait[]): Promise<void> {
  if (waits.length === 0) return
  await run(context, waitStatement, {
    ids: waits.map(({ row }) => row.id),
    states_before: waits.map(({ row }) => row.state),
    states: waits.map(({ becomes }) => becomes.state),
    due_in: waits.map(({ becomes }) => becomes.dueInMs),
    reasons: waits.map(({ becomes }) => becomes.reason),
    claim_versions: waits.map(({ becomes }) => becomes.claimVersion),
    lost_claims: waits.map(({ becomes }) => becomes.lostClaims),
  })
}

const waitStatement = command(
  'make_wait',
  {
    ids: 'uuid[]',
    states_before: 'text[]',
    states: 'text[]',
    due_in: 'bigint[]',
    reasons: 'text[]',
    claim_versions: 'integer[]',
    lost_claims: 'integer[]',
  },
  // primary key, one seek for each whatever is known of the table; the rows are locked
  `with waiting as (
     update live_deliveries d set state = o.state, due_at = ${now} + o.due_in, reason = o.reason,
       claim_version = o.claim_version, lost_claims = o.lost_claims, updated_at = ${now}
     from (
       select w.*, l.tid from unnest($ids, $states_before, $states, $due_in, $reasons, $claim_versions, $lost_claims)
         as w (id, from_state, state, due_in, reason, claim_version, lost_claims)
       cross join lateral (select ctid as tid from live_deliveries l where l.id = w.id limit 1) l) o
     where d.ctid = o.tid
     returning d.tenant_id, d.endpoint_id, o.from_state, d.state as to_state
   ), moved as (select * from waiting)
   ${countMoved}`,
)

/** Takes rows out of the claim index, for a reason that the caller has made sure of. */
export async function parkDeliveries(
  context: Context,
  rows: readonly LockedRow[],
  reason: WaitReason,
): Promise<void> {
  await makeWait(
    context,
    rows.map((row) => ({ row, becomes: parked(row, reason) })),
  )
}

/** Makes rows due whose reason is over, or lets them wait for the time of their event. */
export async function unparkDeliveries(context: Context, rows: readonly LockedRow[]): Promise<void> {
  await makeWait(
    context,
    rows.map((row) => ({ row, becomes: unparked(row, row.deliversInMs) })),
  )
}

/** The columns of a `LockedRow`, of `live_deliveries` as `l`. */
export const lockedColumns = `l.id, l.state, l.claim_version, l.attempt_count, l.lost_claims, l.line,
  coalesce((select e.deliver_at from events e where e.id = l.event_id), 0) - ${now} as delivers_in`

export interface LockedColumns {
  readonly id: Uint8Array
  readonly state: Claimable['state']
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly line: number | null
  readonly delivers_in: number
}

export function toLockedRow(row: LockedColumns): LockedRow {
  return {
    id: uuid(row.id),
    state: row.state,
    claimVersion: row.claim_version,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims,
    line: row.line,
    deliversInMs: row.delivers_in,
  }
}
