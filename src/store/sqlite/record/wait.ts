/** How a delivery comes to wait, for its time or, parked, for the end of a reason: every such change of a row is made here. */
import { fateOf, firstWait, waitingState } from '../../../core/claim/row-fate.ts'
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { ErrorClass, WaitReason } from '../../../core/model.ts'
import type { Lease } from '../claim/leases.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { Columns } from '../connection/columns.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { type LastResult, noResult, stateOfLease, type WaitingRow } from './last-result.ts'

/** Until when it waits, or for the end of which reason. */
export interface Wait {
  /** Milliseconds since the epoch; null: parked. */
  readonly dueAt: number | null
  readonly reason: WaitReason | null
}

/** What changes while a delivery is live. */
export interface WaitingValues extends LastResult, Wait {
  readonly claimVersion: number
  readonly lostClaims: number
}

/** What never does, as integers where the large tables have them. */
export interface NewLiveRow {
  readonly key: number
  readonly id: Uint8Array
  readonly tenant: number
  readonly eventKey: number
  readonly subscription: number | null
  readonly endpoint: number | null
  readonly target: number
  readonly createdAt: number
  /** Of an ordered one, and its place in it. */
  readonly line: number | null
  readonly place: number | null
}

/** Its first row in the table of what is live. */
export function insertWaiting(context: WriteContext, row: NewLiveRow, values: WaitingValues): void {
  const kept = {
    k: row.key,
    id: row.id,
    tenant: row.tenant,
    event_k: row.eventKey,
    subscription: row.subscription,
    endpoint: row.endpoint,
    target: row.target,
    created_at: row.createdAt,
    line: row.line,
    place: row.place,
  }
  context
    .prepare(
      `insert into live_deliveries (${unchanging.names}, ${changing.names})
       values (${unchanging.marks}, ${changing.marks})`,
    )
    .run(...unchanging.values(kept), ...changing.values(changed(context, values)))
}

const unchanging = new Columns(
  'k',
  'id',
  'tenant',
  'event_k',
  'subscription',
  'endpoint',
  'target',
  'created_at',
  'line',
  'place',
)
const changing = new Columns(
  'updated_at',
  'state',
  'due_at',
  'reason',
  'attempt_count',
  'claim_version',
  'lost_claims',
  'last_http_status',
  'error_class',
  'last_error',
)

function changed(context: WriteContext, values: WaitingValues) {
  return {
    updated_at: context.now,
    state: codeOf(waitingState(values)),
    due_at: values.dueAt,
    reason: values.reason,
    attempt_count: values.attemptCount,
    claim_version: values.claimVersion,
    lost_claims: values.lostClaims,
    last_http_status: values.lastHttpStatus,
    error_class: values.errorClass,
    last_error: values.lastError,
  }
}

/** Of a row that was in flight. */
function updateWaiting(context: WriteContext, key: number, values: WaitingValues): void {
  context
    .prepare(`update live_deliveries set ${changing.assigned} where k = ?`) // primary key
    .run(...changing.values(changed(context, values)), key)
}

/** Takes a delivery out of the claim index, for the reason. */
export function parkDelivery(context: WriteContext, row: WaitingRow, reason: WaitReason): void {
  changeWait(context, row.key, { dueAt: null, reason })
}

/**
 * Makes a parked delivery due whose reason is over, or lets it wait for the time of its event, or for its endpoint; when
 * it is due.
 */
export function makeDue(
  context: WriteContext,
  { key, endpointId }: Pick<WaitingRow, 'key' | 'endpointId'>,
): number | null {
  const event = context
    .prepare<{ deliver_at: number | null }>(
      // primary keys
      'select e.deliver_at from live_deliveries d join events e on e.k = d.event_k where d.k = ?',
    )
    .get(key)
  const { now, memory } = context
  const isDisabled = endpointId !== null && memory.endpoint(endpointId)?.disabled === true
  const parked = isDisabled ? 'endpoint_disabled' : null
  const wait = firstWait({ now, deliverAt: event?.deliver_at ?? null, parked })
  changeWait(context, key, wait)
  return wait.dueAt
}

function changeWait(context: WriteContext, key: number, { dueAt, reason }: Wait): void {
  context
    .prepare('update live_deliveries set due_at = ?, reason = ?, updated_at = ? where k = ?') // primary key
    .run(dueAt, reason, context.now, key)
}

/** Due at that time, or without one while the endpoint is disabled. */
export function waitOf(context: WriteContext, endpointId: string | null, dueAt: number): Wait {
  const isDisabled = endpointId !== null && context.memory.endpoint(endpointId)?.disabled === true
  const fate = fateOf({ isDeleted: false, isDisabled })
  return fate.kind === 'park' ? { dueAt: null, reason: fate.reason } : { dueAt, reason: null }
}

/** Ends the lease: the delivery waits. One that was handed off gets its first row, from what the writer knows. */
export function putBack(
  context: WriteContext,
  lease: Lease,
  values: LastResult & Pick<WaitingValues, 'claimVersion' | 'lostClaims'> & { readonly dueAt: number },
): void {
  const { memory } = context
  const waiting = { ...values, ...waitOf(context, lease.endpointId, values.dueAt) }
  if (lease.isLive) updateWaiting(context, lease.key, waiting)
  else insertWaiting(context, toRow(context, lease), waiting)
  memory.leases.end(lease)
  context.counts.move(lease, stateOfLease(lease), waitingState(waiting))
  if (waiting.dueAt !== null) {
    armReady(context, memory.bytes(lease.tenantId), lease.targetId, waiting.dueAt)
  }
}

function toRow({ memory: { names } }: WriteContext, lease: Lease): NewLiveRow {
  return {
    key: lease.key,
    id: idToBytes(lease.id),
    tenant: names.numberOf(lease.tenantId),
    eventKey: lease.eventKey,
    subscription: lease.subscriptionId === null ? null : names.numberOf(lease.subscriptionId),
    endpoint: lease.endpointId === null ? null : names.numberOf(lease.endpointId),
    target: names.numberOf(lease.targetId),
    createdAt: lease.createdAt,
    // It stood in no line, or it would have its row.
    line: null,
    place: null,
  }
}

/** What the attempt before said. */
export function lastResultOf(context: WriteContext, lease: Lease): LastResult {
  if (!lease.isLive) return noResult
  const row = context
    .prepare<{ last_http_status: number | null; error_class: ErrorClass | null; last_error: string | null }>(
      // primary key
      'select last_http_status, error_class, last_error from live_deliveries where k = ?',
    )
    .get(lease.key)
  return {
    attemptCount: lease.attemptCount,
    lastHttpStatus: row?.last_http_status ?? null,
    errorClass: row?.error_class ?? null,
    lastError: row?.last_error ?? null,
  }
}

/** Leases of the target whose time is over: whoever held one is gone, or too late. Each is a lost claim. */
export function endExpiredLeases(context: WriteContext, targetId: string): number {
  const expired = context.memory.leases.expired(context.now, targetId)
  for (const lease of expired) {
    putBack(context, lease, {
      ...lastResultOf(context, lease),
      claimVersion: lease.claimVersion,
      lostClaims: lease.lostClaims + 1,
      dueAt: lease.until,
    })
  }
  return expired.length
}

/** Of a live row whose holder nobody knows any more: due now, with a lost claim more. */
export function endLostLease(context: WriteContext, key: number): void {
  const row = context
    .prepare<{ state: number; tenant: number; endpoint: number | null }>(
      // primary key
      `update live_deliveries set state = iif(attempt_count = 0, ${codeOf('pending')}, ${codeOf('retry_scheduled')}),
         due_at = ?, reason = null, lost_claims = lost_claims + 1, updated_at = ?
       where k = ? returning state, tenant, endpoint`,
    )
    .get(context.now, context.now, key)
  if (row === undefined) return
  const { names } = context.memory
  const owner = {
    tenantId: names.idOf(row.tenant, idPrefixes.tenant),
    endpointId: row.endpoint === null ? null : names.idOf(row.endpoint, idPrefixes.endpoint),
  }
  context.counts.move(owner, 'in_flight', stateOf(row.state))
}
