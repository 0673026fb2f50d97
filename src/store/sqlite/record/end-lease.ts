/**
 * How a lease ends: its delivery is finished, or waits again. One that was handed off has no row yet and gets its first
 * one here, from what the writer knows; one that was claimed has a row in `live_deliveries`, which is changed or goes.
 */
import { waitingState } from '../../../core/claim/row-fate.ts'
import { idToBytes } from '../../../core/ids.ts'
import type { ErrorClass, FinishedState, WaitReason } from '../../../core/model.ts'
import type { NewAttempt } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** What the last attempt said. */
export interface LastResult {
  readonly attemptCount: number
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
}

export interface FinishedValues extends LastResult {
  readonly state: FinishedState
  readonly claimVersion: number
  /** Of a success, which is kept in the delivery's row. */
  readonly attempt: NewAttempt | null
}

export function finishLease(context: WriteContext, lease: Lease, values: FinishedValues): void {
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
      response === null ? null : JSON.stringify(response.headers),
      response === null ? null : response.truncated ? 1 : 0,
      response === null ? null : response.body,
    )
  if (lease.isLive) context.prepare('delete from live_deliveries where k = ?').run(lease.key) // primary key
  memory.leases.end(lease)
  context.counts.move(lease, 'in_flight', values.state)
}

export interface WaitingValues extends LastResult {
  readonly claimVersion: number
  readonly lostClaims: number
  /** Milliseconds since the epoch. */
  readonly dueAt: number
}

/** Makes the delivery wait: for its time, or without one while its endpoint is disabled. */
export function putBack(context: WriteContext, lease: Lease, values: WaitingValues): void {
  const { memory } = context
  const isParked = lease.endpointId !== null && memory.endpoint(lease.endpointId)?.disabled === true
  const state = waitingState(values)
  const row = {
    ...values,
    state: codeOf(state),
    dueAt: isParked ? null : values.dueAt,
    reason: isParked ? 'endpoint_disabled' : null,
  } as const
  if (lease.isLive) updateRow(context, lease, row)
  else insertRow(context, lease, row)
  memory.leases.end(lease)
  context.counts.move(lease, 'in_flight', state)
  if (!isParked) armReady(context, memory.bytes(lease.tenantId), lease.targetId, values.dueAt)
}

interface WaitingColumns extends Omit<WaitingValues, 'dueAt'> {
  readonly state: number
  readonly dueAt: number | null
  readonly reason: WaitReason | null
}

function updateRow(context: WriteContext, lease: Lease, row: WaitingColumns): void {
  context
    .prepare(
      // primary key
      `update live_deliveries set state = ?, due_at = ?, reason = ?, attempt_count = ?, claim_version = ?,
         lost_claims = ?, last_http_status = ?, error_class = ?, last_error = ?, updated_at = ?
       where k = ?`,
    )
    .run(
      row.state,
      row.dueAt,
      row.reason,
      row.attemptCount,
      row.claimVersion,
      row.lostClaims,
      row.lastHttpStatus,
      row.errorClass,
      row.lastError,
      context.now,
      lease.key,
    )
}

function insertRow(context: WriteContext, lease: Lease, row: WaitingColumns): void {
  const { names } = context.memory
  context
    .prepare(
      `insert into live_deliveries
         (k, id, tenant, event_k, subscription, endpoint, target, state, due_at, reason, attempt_count, claim_version,
          lost_claims, last_http_status, error_class, last_error, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      lease.key,
      idToBytes(lease.id),
      names.numberOf(lease.tenantId),
      lease.eventKey,
      lease.subscriptionId === null ? null : names.numberOf(lease.subscriptionId),
      lease.endpointId === null ? null : names.numberOf(lease.endpointId),
      names.numberOf(lease.targetId),
      row.state,
      row.dueAt,
      row.reason,
      row.attemptCount,
      row.claimVersion,
      row.lostClaims,
      row.lastHttpStatus,
      row.errorClass,
      row.lastError,
      lease.createdAt,
      context.now,
    )
}

/** What the attempt before said. */
export function lastResultOf(context: WriteContext, lease: Lease): LastResult {
  if (!lease.isLive) return { attemptCount: 0, lastHttpStatus: null, errorClass: null, lastError: null }
  const row = context
    .prepare(
      // primary key
      'select attempt_count, last_http_status, error_class, last_error from live_deliveries where k = ?',
    )
    .get(lease.key)
  return {
    attemptCount: lease.attemptCount,
    lastHttpStatus: (row?.last_http_status ?? null) as number | null,
    errorClass: (row?.error_class ?? null) as ErrorClass | null,
    lastError: (row?.last_error ?? null) as string | null,
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
