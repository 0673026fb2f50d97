import { type BreakerPolicy, isFailingTooLong, nextHealth } from '../../core/endpoint-health.ts'
import { bytesToId, idPrefixes, idToBytes } from '../../core/ids.ts'
import { type DisabledReason, type ErrorClass, limits } from '../../core/model.ts'
import type { DeliveryOutcome, NewAttempt, RecordResult, Release } from '../port.ts'
import { disableEndpoint } from './disable-endpoint.ts'
import { cancelDelivery, finishDelivery } from './finish.ts'
import { spend, writeBucket } from './rate-buckets.ts'
import { armReady } from './ready-endpoints.ts'
import { clearProbe, storeHealth } from './target-health.ts'
import type { WriteContext } from './write-context.ts'

interface LeasedRow {
  readonly tenant_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly target_id: Uint8Array
  readonly attempt_count: number
}

interface Leased {
  readonly id: Uint8Array
  readonly deliveryId: string
  readonly tenant: Uint8Array
  readonly tenantId: string
  readonly endpointId: string | null
  readonly targetId: string
  readonly attemptCount: number
  readonly isDeleted: boolean
}

export function recordOutcomes(
  context: WriteContext,
  outcomes: readonly DeliveryOutcome[],
  breaker: BreakerPolicy,
): RecordResult {
  const changed = new Set<string>()
  const disabled: { tenantId: string; endpointId: string; reason: DisabledReason }[] = []
  const recorded = outcomes.map((outcome) => {
    const leased = findLeased(context, outcome.deliveryId, outcome.claimVersion)
    if (leased === null) return false
    const reason = advanceHealth(context, { leased, outcome, breaker }, changed)
    if (
      reason !== null &&
      leased.endpointId !== null &&
      disableEndpoint(context, leased.endpointId, reason)
    ) {
      disabled.push({ tenantId: leased.tenantId, endpointId: leased.endpointId, reason })
    }
    if (outcome.attempt !== null) insertAttempt(context, leased.id, outcome.claimVersion, outcome.attempt)
    applyNextStep(context, leased, outcome)
    return true
  })
  const health = Array.from(changed, (id) => [id, context.memory.health(id)?.health ?? null] as const)
  return { recorded, health, disabled }
}

/** Null: stale. In flight under that claim version is the only state in which an outcome counts. */
function findLeased(context: WriteContext, deliveryId: string, claimVersion: number): Leased | null {
  const { memory } = context
  const id = idToBytes(deliveryId)
  const row = context
    .prepare(
      // primary key
      `select tenant_id, subscription_id, endpoint_id, target_id, attempt_count from live_deliveries
       where id = ? and state = 'in_flight' and claim_version = ?`,
    )
    .get(id, claimVersion) as unknown as LeasedRow | undefined
  if (row === undefined) return null
  const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
  return {
    id,
    deliveryId,
    tenant: row.tenant_id,
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    endpointId,
    targetId: bytesToId(idPrefixes.endpoint, row.target_id),
    attemptCount: row.attempt_count,
    isDeleted:
      (endpointId !== null && memory.endpoint(endpointId)?.deleted !== false) ||
      (row.subscription_id !== null &&
        memory.isSubscriptionDeleted(bytesToId(idPrefixes.subscription, row.subscription_id))),
  }
}

interface HealthStep {
  readonly leased: Leased
  readonly outcome: DeliveryOutcome
  readonly breaker: BreakerPolicy
}

/** Why the endpoint is to be disabled, if it is. */
function advanceHealth(context: WriteContext, step: HealthStep, changed: Set<string>): DisabledReason | null {
  const { leased, outcome, breaker } = step
  const { memory, now } = context
  clearProbe(context, leased)
  // What is learnt of a deleted endpoint would stay in the table for ever.
  if (outcome.observation === null || leased.isDeleted) return outcome.disableEndpoint
  const before = memory.health(leased.targetId)?.health ?? null
  const after = nextHealth(before, outcome.observation, breaker, now)
  if (after !== before) {
    storeHealth(context, leased.targetId, after)
    changed.add(leased.targetId)
    const isFreed =
      before !== null && before.pausedUntil !== null && (after === null || after.pausedUntil === null)
    if (isFreed) armReady(context, leased.tenant, leased.targetId, now)
  }
  if (outcome.disableEndpoint !== null) return outcome.disableEndpoint
  return !outcome.observation.succeeded && isFailingTooLong(after, breaker, now) ? 'failing' : null
}

function insertAttempt(
  context: WriteContext,
  id: Uint8Array,
  claimVersion: number,
  attempt: NewAttempt,
): void {
  const { response } = attempt
  context
    .prepare(
      `insert into attempts
         (delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
          response_headers, response_body, response_truncated)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      claimVersion,
      attempt.attemptNo,
      attempt.status,
      attempt.httpStatus,
      attempt.errorClass,
      cut(attempt.error),
      attempt.latencyMs,
      attempt.startedAt,
      response === null ? null : JSON.stringify(response.headers),
      response === null ? null : response.body,
      response === null ? null : response.truncated ? 1 : 0,
    )
}

function applyNextStep(context: WriteContext, leased: Leased, outcome: DeliveryOutcome): void {
  const { attempt, next } = outcome
  const result = {
    claimVersion: outcome.claimVersion,
    ...(attempt === null ? lastResult(context, leased.id) : resultOf(attempt)),
  }
  switch (next.state) {
    case 'succeeded':
      finishDelivery(context, leased.id, { ...result, state: 'succeeded' })
      context.counts.move(leased, 'in_flight', 'succeeded')
      return
    case 'dead_lettered':
      finishDelivery(context, leased.id, { ...result, state: 'dead_lettered', errorClass: next.finalError })
      context.counts.move(leased, 'in_flight', 'dead_lettered')
      return
    case 'retry_scheduled':
      scheduleRetry(context, leased, { ...result, delayMs: next.delayMs })
  }
}

interface LastResult {
  readonly attemptCount: number
  readonly lastHttpStatus: number | null
  readonly errorClass: ErrorClass | null
  readonly lastError: string | null
}

function resultOf(attempt: NewAttempt): LastResult {
  return {
    attemptCount: attempt.attemptNo,
    lastHttpStatus: attempt.httpStatus,
    errorClass: attempt.errorClass,
    lastError: cut(attempt.error),
  }
}

/** Given up without an attempt: what the attempt before said stays. */
function lastResult(context: WriteContext, id: Uint8Array): LastResult {
  return context
    .prepare(
      `select attempt_count as attemptCount, last_http_status as lastHttpStatus, error_class as errorClass,
              last_error as lastError
       from live_deliveries where id = ?`,
    )
    .get(id) as unknown as LastResult
}

type Retry = LastResult & { readonly delayMs: number }

function scheduleRetry(context: WriteContext, leased: Leased, retry: Retry): void {
  const { now } = context
  const isParked = isDisabled(context, leased)
  context
    .prepare(
      `update live_deliveries set state = 'retry_scheduled', due_at = ?, reason = ?, attempt_count = ?,
         lost_claims = 0, last_http_status = ?, error_class = ?, last_error = ?, updated_at = ?
       where id = ?`,
    )
    .run(
      isParked ? null : now + retry.delayMs,
      isParked ? 'endpoint_disabled' : null,
      retry.attemptCount,
      retry.lastHttpStatus,
      retry.errorClass,
      retry.lastError,
      now,
      leased.id,
    )
  context.counts.move(leased, 'in_flight', 'retry_scheduled')
  if (leased.isDeleted) cancelDelivery(context, { ...leased, state: 'retry_scheduled' })
  else if (!isParked) armReady(context, leased.tenant, leased.targetId, now + retry.delayMs)
}

/** Gives leases back: the claim version grows, and neither an attempt nor a lost claim is counted. */
export function release(context: WriteContext, releases: readonly Release[]): void {
  const { now } = context
  const unspent = new Set<string>()
  for (const { deliveryId, claimVersion, delayMs, sent = false } of releases) {
    const leased = findLeased(context, deliveryId, claimVersion)
    if (leased === null) continue
    clearProbe(context, leased)
    if (!sent) {
      spend(context, leased.targetId, -1)
      unspent.add(leased.targetId)
    }
    const isParked = isDisabled(context, leased)
    const state = leased.attemptCount === 0 ? 'pending' : 'retry_scheduled'
    context
      .prepare(
        `update live_deliveries set state = ?, due_at = ?, reason = ?, claim_version = claim_version + 1, updated_at = ?
         where id = ?`,
      )
      .run(state, isParked ? null : now + delayMs, isParked ? 'endpoint_disabled' : null, now, leased.id)
    context.counts.move(leased, 'in_flight', state)
    if (leased.isDeleted) cancelDelivery(context, { ...leased, state })
    else if (!isParked) armReady(context, leased.tenant, leased.targetId, now + delayMs)
  }
  for (const targetId of unspent) writeBucket(context, targetId)
}

function isDisabled(context: WriteContext, leased: Leased): boolean {
  return leased.endpointId !== null && context.memory.endpoint(leased.endpointId)?.disabled === true
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, limits.maxLastErrorChars)
}
