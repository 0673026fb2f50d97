/** The two ways out of the table of what is live, for rows that wait; `end-lease.ts` has them for what is leased. */
import type { ErrorClass, FinishedState, LiveState, WaitReason } from '../../../core/model.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

export interface WaitingRow {
  readonly key: number
  readonly state: LiveState
  readonly tenantId: string
  readonly endpointId: string | null
}

export interface GivenUp {
  readonly errorClass: ErrorClass
  readonly lastError: string
}

/** The claim version grows, so that no outcome counts. */
const moveSql = `
insert into deliveries
  (k, id, tenant, event_k, subscription, endpoint, target, state, attempt_count, claim_version, last_http_status,
   error_class, last_error, created_at, updated_at, replayed_at, url, method, headers)
select k, id, tenant, event_k, subscription, endpoint, nullif(target, endpoint), ?, attempt_count, claim_version + 1,
   last_http_status, coalesce(?, error_class), coalesce(?, last_error), created_at, ?, replayed_at, url, method, headers
from live_deliveries where k = ?`

/** Moves a row that waits to `deliveries`. The reason, if there is one, takes the place of what its last attempt said. */
export function finishWaiting(
  context: WriteContext,
  row: WaitingRow,
  end: { readonly state: FinishedState; readonly givenUp: GivenUp | null },
): void {
  const { state, givenUp } = end
  context
    .prepare(moveSql) // primary keys
    .run(codeOf(state), givenUp?.errorClass ?? null, givenUp?.lastError ?? null, context.now, row.key)
  context.prepare('delete from live_deliveries where k = ?').run(row.key)
  context.counts.move(row, row.state, state)
}

/** Cancels a delivery whose endpoint or subscription was deleted. */
export function cancelDelivery(context: WriteContext, row: WaitingRow): void {
  finishWaiting(context, row, { state: 'cancelled', givenUp: null })
}

/** Takes a delivery out of the claim index, for the reason. */
export function parkDelivery(context: WriteContext, row: WaitingRow, reason: WaitReason): void {
  makeWait(context, row, { dueAt: null, reason })
}

/** Makes a parked delivery due whose reason is over. */
export function unparkDelivery(context: WriteContext, row: WaitingRow): void {
  makeWait(context, row, { dueAt: context.now, reason: null })
}

interface Wait {
  readonly dueAt: number | null
  readonly reason: WaitReason | null
}

function makeWait(context: WriteContext, row: WaitingRow, { dueAt, reason }: Wait): void {
  context
    .prepare('update live_deliveries set due_at = ?, reason = ?, updated_at = ? where k = ?') // primary key
    .run(dueAt, reason, context.now, row.key)
}
