/** How a delivery is finished, from a wait or from a lease: the two ways into `deliveries`, and the one out of what is live. */
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { ErrorClass, FinishedState } from '../../../core/model.ts'
import { stateCell } from '../../../core/stats/cells.ts'
import { capturedHeadersText } from '../../captured-headers.ts'
import type { NewAttempt } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { type LastResult, stateOfLease, type WaitingRow } from './last-result.ts'
import { leaveLine } from './lines.ts'

export interface GivenUp {
  /** Null: that of its last attempt stays. */
  readonly errorClass: ErrorClass | null
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

/**
 * Moves a row that waits to `deliveries`. The reason, if there is one, takes the place of what its last attempt said.
 * True: another one is due in its place in a line.
 */
export function finishWaiting(
  context: WriteContext,
  row: WaitingRow,
  end: { readonly state: FinishedState; readonly givenUp: GivenUp | null },
): boolean {
  const { state, givenUp } = end
  context
    .prepare(moveSql) // primary keys
    .run(codeOf(state), givenUp?.errorClass ?? null, givenUp?.lastError ?? null, context.now, row.key)
  context.counts.move(row, row.state, state)
  context.counts.stats.add(row, stateCell(state))
  return leaveLive(context, leavingRow(context, row.key), state)
}

function leavingRow(context: WriteContext, key: number): Leaving {
  const row = context
    .prepare<LineRow>('select line, subscription, endpoint from live_deliveries where k = ?') // primary key
    .get(key)
  const { names } = context.memory
  const subscription = row?.subscription ?? null
  const endpoint = row?.endpoint ?? null
  return {
    key,
    line: row?.line ?? null,
    subscriptionId: subscription === null ? null : names.idOf(subscription, idPrefixes.subscription),
    endpointId: endpoint === null ? null : names.idOf(endpoint, idPrefixes.endpoint),
  }
}

interface LineRow {
  readonly line: number | null
  readonly subscription: number | null
  readonly endpoint: number | null
}

/** Cancels a delivery whose endpoint or subscription was deleted. */
export function cancelDelivery(context: WriteContext, row: WaitingRow): boolean {
  return finishWaiting(context, row, { state: 'cancelled', givenUp: null })
}

export interface FinishedValues extends LastResult {
  readonly state: FinishedState
  readonly claimVersion: number
  /** Of a success, which is kept in the delivery's row. */
  readonly attempt: NewAttempt | null
}

/**
 * Ends the lease. What was handed off has no live row to leave, and stands in no line. True: another one is due in its
 * place in a line.
 */
export function finishLease(context: WriteContext, lease: Lease, values: FinishedValues): boolean {
  const { memory, now } = context
  const { names } = memory
  const { attempt } = values
  const response = attempt?.response ?? null
  const endpoint = lease.endpointId === null ? null : names.numberOf(lease.endpointId)
  context
    .prepare(
      `insert into deliveries
         (k, id, tenant, event_k, subscription, endpoint, target, state, attempt_count, claim_version, last_http_status,
          error_class, last_error, created_at, updated_at, replayed_at, started_at, latency_ms, response_headers,
          response_truncated, response_body)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      lease.key,
      idToBytes(lease.id),
      names.numberOf(lease.tenantId),
      lease.eventKey,
      lease.subscriptionId === null ? null : names.numberOf(lease.subscriptionId),
      endpoint,
      lease.targetId === lease.endpointId ? null : names.numberOf(lease.targetId),
      codeOf(values.state),
      values.attemptCount,
      values.claimVersion,
      values.lastHttpStatus,
      values.errorClass,
      values.lastError,
      lease.createdAt,
      now,
      lease.replayedAt,
      attempt?.startedAt ?? null,
      attempt?.latencyMs ?? null,
      response === null ? null : capturedHeadersText(response.headers),
      response === null ? null : response.truncated ? 1 : 0,
      response === null ? null : response.body,
    )
  memory.leases.end(lease)
  context.counts.move(lease, stateOfLease(lease), values.state)
  return lease.isLive && leaveLive(context, lease, values.state)
}

interface Leaving {
  readonly key: number
  readonly line: number | null
  readonly subscriptionId: string | null
  readonly endpointId: string | null
}

/** The one way out of the live table. */
function leaveLive(context: WriteContext, leaving: Leaving, state: FinishedState): boolean {
  const { key, line } = leaving
  context.prepare('delete from live_deliveries where k = ?').run(key) // primary key
  if (line === null) return false
  const isBlocking = state === 'dead_lettered' && !context.memory.isOfDeleted(leaving)
  return leaveLine(context, { line, key, isBlocking })
}
