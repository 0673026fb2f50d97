/** How a delivery comes to wait, for its time or, parked, for the end of a reason: every such change of a row is made here. */
import { type Claimable, parked, unparked, type Waiting } from '../../../core/claim/row-fate.ts'
import type { WaitReason } from '../../../core/model.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid } from '../rows/wire-types.ts'
import { countMoved } from './finish.ts'

/** A row of `live_deliveries` that the caller has locked. */
export interface LockedRow extends Claimable {
  readonly id: Uint8Array
}

export interface Wait {
  readonly row: LockedRow
  readonly becomes: Waiting
}

export async function makeWait(context: Context, waits: readonly Wait[]): Promise<void> {
  if (waits.length === 0) return
  await context.query(
    'make_wait',
    // primary key
    `with waiting as (
       update live_deliveries d set state = o.state, due_at = ${now} + o.due_in, reason = o.reason,
         claim_version = o.claim_version, lost_claims = o.lost_claims, updated_at = ${now}
       from unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::integer[], $8::integer[])
         as o (id, from_state, state, due_in, reason, claim_version, lost_claims)
       where d.id = o.id
       returning d.tenant_id, d.endpoint_id, o.from_state, d.state as to_state
     ), moved as (select * from waiting)
     ${countMoved}`,
    [
      context.shiftMs,
      waits.map(({ row }) => uuid(row.id)),
      waits.map(({ row }) => row.state),
      waits.map(({ becomes }) => becomes.state),
      waits.map(({ becomes }) => becomes.dueInMs),
      waits.map(({ becomes }) => becomes.reason),
      waits.map(({ becomes }) => becomes.claimVersion),
      waits.map(({ becomes }) => becomes.lostClaims),
    ],
  )
}

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

/** Makes rows due whose reason is over. */
export async function unparkDeliveries(context: Context, rows: readonly LockedRow[]): Promise<void> {
  await makeWait(
    context,
    rows.map((row) => ({ row, becomes: unparked(row) })),
  )
}

/** The columns of a `LockedRow`. */
export const lockedColumns = 'id, state, claim_version, attempt_count, lost_claims'

export interface LockedColumns {
  readonly id: Uint8Array
  readonly state: Claimable['state']
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
}

export function toLockedRow(row: LockedColumns): LockedRow {
  return {
    id: row.id,
    state: row.state,
    claimVersion: row.claim_version,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims,
  }
}
