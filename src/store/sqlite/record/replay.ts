import { idPrefixes } from '../../../core/ids.ts'
import type { DeliveryState, FinishedState } from '../../../core/model.ts'
import type { ReplayResult } from '../../port.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { findKey } from '../rows/key-space.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { stateOfLease } from './last-result.ts'
import { lineOf, type Place, returnToLine } from './lines.ts'
import { type Wait, waitOf } from './wait.ts'

interface Found {
  readonly key: number
  readonly state: number
  readonly tenant: number
  readonly target: number
  readonly endpoint: number | null
  readonly subscription: number | null
  readonly event_k: number
}

/** Moves a dead letter back. Whatever its subscription or endpoint was deleted with has nowhere to go. */
export function replay(context: WriteContext, tenantId: string, deliveryId: string): ReplayResult {
  return sendAgain(context, { tenantId, deliveryId, from: deadLettersOnly })
}

/** The same for any delivery that is at an end. */
export function resend(context: WriteContext, tenantId: string, deliveryId: string): ReplayResult {
  return sendAgain(context, { tenantId, deliveryId, from: finishedStates })
}

const deadLettersOnly: ReadonlySet<DeliveryState> = new Set(['dead_lettered'])
const finishedStates: ReadonlySet<DeliveryState> = new Set([
  'succeeded',
  'dead_lettered',
  'cancelled',
  'skipped',
])

interface SendAgain {
  readonly tenantId: string
  readonly deliveryId: string
  /** The states that it may be in. */
  readonly from: ReadonlySet<DeliveryState>
}

function sendAgain(context: WriteContext, { tenantId, deliveryId, from }: SendAgain): ReplayResult {
  const { memory } = context
  const lease = memory.leases.get(deliveryId)
  if (lease !== null && !lease.isLive) {
    if (lease.tenantId !== tenantId) return { kind: 'not_found' }
    return { kind: 'not_replayable', state: stateOfLease(lease), endpointDeleted: memory.isOfDeleted(lease) }
  }
  const row = find(context, deliveryId)
  if (row === null || memory.names.idOf(row.tenant, idPrefixes.tenant) !== tenantId)
    return { kind: 'not_found' }
  const { names } = memory
  const endpointId = row.endpoint === null ? null : names.idOf(row.endpoint, idPrefixes.endpoint)
  const subscriptionId =
    row.subscription === null ? null : names.idOf(row.subscription, idPrefixes.subscription)
  const state = stateOf(row.state)
  const endpointDeleted = memory.isOfDeleted({ endpointId, subscriptionId })
  if (!from.has(state) || endpointDeleted) return { kind: 'not_replayable', state, endpointDeleted }
  const event = context
    .prepare<{ readonly has_payload: number; readonly expunged_at: number | null }>(
      'select payload is not null as has_payload, expunged_at from events where k = ?', // primary key
    )
    .get(row.event_k)
  if (event?.has_payload !== 1) return { kind: 'expired', expungedAt: event?.expunged_at ?? null }

  const targetId = names.idOf(row.target, idPrefixes.endpoint)
  moveFinished(context, {
    key: row.key,
    tenantId,
    endpointId,
    subscriptionId,
    targetId,
    eventKey: row.event_k,
    state: state as FinishedState,
  })
  return { kind: 'replayed', targetId }
}

export interface FinishedRow {
  readonly key: number
  readonly tenantId: string
  readonly endpointId: string | null
  readonly subscriptionId: string | null
  readonly targetId: string
  readonly eventKey: number
  readonly state: FinishedState
}

/** Of a delivery that can be sent again. False: it is parked, and not due. */
export function moveFinished(context: WriteContext, row: FinishedRow): boolean {
  const { tenantId, endpointId, targetId, state } = row
  const line = lineOf(context, row)
  const place = line === null ? null : returnToLine(context, line, row.key)
  const wait: Wait =
    place?.isHead === false
      ? { dueAt: null, reason: 'behind_head' }
      : waitOf(context, endpointId, context.now)
  if (state === 'succeeded') keepAttempt(context, row.key)
  moveBack(context, row.key, wait, place)
  context.counts.move({ tenantId, endpointId }, state, 'pending')
  if (wait.dueAt !== null) armReady(context, context.memory.bytes(tenantId), targetId, context.now)
  return wait.dueAt !== null
}

function find(context: WriteContext, deliveryId: string): Found | null {
  for (const table of ['deliveries', 'live_deliveries'] as const) {
    const key = findKey(context, table, deliveryId)
    if (key === null) continue
    const found = context
      .prepare<Found>(
        // primary key
        `select k as key, state, tenant, coalesce(target, endpoint) as target, endpoint, subscription, event_k
         from ${table} where k = ?`,
      )
      .get(key)
    if (found !== undefined) return found
  }
  return null
}

/** The attempt that succeeded stands in the row that is about to go. */
function keepAttempt(context: WriteContext, key: number): void {
  context
    .prepare(
      // primary key
      `insert into attempts
         (delivery_k, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
          response_headers, response_body, response_truncated)
       select k, claim_version, attempt_count, 'success', last_http_status, error_class, last_error, latency_ms, started_at,
         response_headers, response_body, response_truncated
       from deliveries where k = ? and started_at is not null`,
    )
    .run(key)
}

function moveBack(context: WriteContext, key: number, { dueAt, reason }: Wait, place: Place | null): void {
  const { now } = context
  context
    .prepare(
      // primary keys
      `insert into live_deliveries
         (k, id, tenant, event_k, subscription, endpoint, target, state, due_at, reason, attempt_count, claim_version,
          lost_claims, last_http_status, error_class, last_error, created_at, updated_at, replayed_at, url, method,
          headers, line, place)
       select k, id, tenant, event_k, subscription, endpoint, coalesce(target, endpoint), ${codeOf('pending')}, ?, ?, 0,
          claim_version + 1, 0, last_http_status, error_class, last_error, created_at, ?, ?, url, method, headers,
          ?, ?
       from deliveries where k = ?`,
    )
    .run(dueAt, reason, now, now, place?.line ?? null, place?.place ?? null, key)
  context.prepare('delete from deliveries where k = ?').run(key)
}
