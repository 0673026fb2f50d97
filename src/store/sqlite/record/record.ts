import { type BreakerPolicy, isFailingTooLong, nextHealth } from '../../../core/endpoint-health.ts'
import { type DisabledReason, type EndpointHealth, limits } from '../../../core/model.ts'
import { cellWithState, outcomeCell, stateCell } from '../../../core/stats/cells.ts'
import { capturedHeadersText } from '../../captured-headers.ts'
import type { DeliveryOutcome, NewAttempt, RecordResult, Release } from '../../port.ts'
import type { Lease } from '../claim/leases.ts'
import { spend, writeBucket } from '../claim/rate-buckets.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { disableEndpoint } from '../config/disable-endpoint.ts'
import { Columns } from '../connection/columns.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { addDeliveryNotice } from './delivery-notices.ts'
import { finishLease } from './finish.ts'
import type { LastResult } from './last-result.ts'
import { clearProbe, storeHealth } from './target-health.ts'
import { lastResultOf, putBack, waitOf } from './wait.ts'

export function recordOutcomes(
  context: WriteContext,
  outcomes: readonly DeliveryOutcome[],
  breaker: BreakerPolicy,
): RecordResult {
  const changes: HealthChanges = new Map()
  const disabling: { readonly ending: Ending; readonly reason: DisabledReason }[] = []
  const endings = new Map<Lease, Ending>()
  const recorded = outcomes.map((outcome) => {
    const lease = findLease(context, outcome.deliveryId, outcome.claimVersion)
    if (lease === null || endings.has(lease)) return false
    const isDeleted = context.memory.isOfDeleted(lease)
    const reason = advanceHealth(context, { lease, isDeleted, outcome, breaker }, changes)
    const ending = { lease, isDeleted, outcome }
    if (reason !== null) disabling.push({ ending, reason })
    endings.set(lease, ending)
    return true
  })
  storeChanges(context, changes)
  const disabled = disabling.flatMap(({ ending: { lease, outcome }, reason }) => {
    const { tenantId, endpointId } = lease
    const errorClass = outcome.attempt?.errorClass ?? null
    return endpointId !== null && disableEndpoint(context, endpointId, { reason, errorClass })
      ? [{ tenantId, endpointId, reason }]
      : []
  })
  let advanced = false
  for (const ending of endings.values()) advanced = applyNextStep(context, ending) || advanced
  const health = Array.from(changes, ([id, { after }]) => [id, after] as const)
  // Nobody else has rows of it locked.
  return { recorded, held: [], health, advanced, disabled }
}

/** Null: stale. An outcome counts only for the claim version of a lease that stands. */
function findLease(context: WriteContext, deliveryId: string, claimVersion: number): Lease | null {
  const lease = context.memory.leases.get(deliveryId)
  return lease?.claimVersion === claimVersion ? lease : null
}

interface Ending {
  readonly lease: Lease
  /** Its endpoint or subscription is deleted. */
  readonly isDeleted: boolean
  readonly outcome: DeliveryOutcome
}

interface HealthStep extends Ending {
  readonly breaker: BreakerPolicy
}

interface HealthChange {
  readonly tenantId: string
  readonly before: EndpointHealth | null
  readonly after: EndpointHealth | null
}

type HealthChanges = Map<string, HealthChange>

/** Why the endpoint is to be disabled, if it is. */
function advanceHealth(
  context: WriteContext,
  step: HealthStep,
  changes: HealthChanges,
): DisabledReason | null {
  const { lease, outcome } = step
  const breaker = outcome.breaker ?? step.breaker
  const { memory, now } = context
  clearProbe(context, lease)
  // What is learnt of a deleted endpoint would stay in the table for ever.
  if (outcome.observation === null || step.isDeleted) return outcome.disableEndpoint
  const { tenantId, targetId } = lease
  const change = changes.get(targetId)
  const stored = change === undefined ? (memory.health(targetId)?.health ?? null) : change.before
  const before = change === undefined ? stored : change.after
  const after = nextHealth(before, outcome.observation, breaker, now)
  if (after !== before) changes.set(targetId, { tenantId, before: stored, after })
  if (outcome.disableEndpoint !== null) return outcome.disableEndpoint
  return !outcome.observation.succeeded && isFailingTooLong(after, breaker, context) ? 'failing' : null
}

/** A pause that begins and ends within a batch leaves the ready row where it stood, as if it had not been. */
function storeChanges(context: WriteContext, changes: HealthChanges): void {
  for (const [targetId, { tenantId, before, after }] of changes) {
    storeHealth(context, targetId, after)
    const isFreed = before !== null && before.pausedUntil !== null && (after?.pausedUntil ?? null) === null
    if (isFreed) armReady(context, context.memory.bytes(tenantId), targetId, context.now)
  }
}

/** True: another delivery is due in its place. */
function applyNextStep(context: WriteContext, { lease, isDeleted, outcome }: Ending): boolean {
  const { attempt, next, claimVersion } = outcome
  const cell = outcomeCell(outcome, lease.since)
  const isCancelled = isDeleted && next.state === 'retry_scheduled'
  context.counts.stats.add(lease, isCancelled ? cellWithState(cell, 'cancelled') : cell)
  const result = attempt === null ? lastResultOf(context, lease) : resultOf(attempt)
  const isInRow = attempt?.status === 'success' && next.state === 'succeeded'
  if (attempt !== null && !isInRow) insertAttempt(context, lease.key, claimVersion, attempt)
  const end = { ...result, claimVersion, attempt: isInRow ? attempt : null }
  if (next.state === 'succeeded') return finishLease(context, lease, { ...end, state: 'succeeded' })
  if (next.state === 'dead_lettered') {
    if (outcome.notice !== undefined) addDeliveryNotice(context, outcome.notice, null)
    return finishLease(context, lease, { ...end, state: 'dead_lettered', errorClass: next.finalError })
  }
  if (isDeleted) {
    return finishLease(context, lease, { ...end, state: 'cancelled', claimVersion: claimVersion + 1 })
  }
  const dueAt = context.now + next.delayMs
  if (outcome.notice !== undefined) {
    addDeliveryNotice(context, outcome.notice, waitOf(context, lease.endpointId, dueAt).dueAt)
  }
  putBack(context, lease, { ...result, claimVersion, lostClaims: 0, dueAt })
  return false
}

function resultOf(attempt: NewAttempt): LastResult {
  return {
    attemptCount: attempt.attemptNo,
    lastHttpStatus: attempt.httpStatus,
    errorClass: attempt.errorClass,
    lastError: cut(attempt.error),
  }
}

function insertAttempt(context: WriteContext, key: number, claimVersion: number, attempt: NewAttempt): void {
  const { response } = attempt
  const row = {
    delivery_k: key,
    claim_version: claimVersion,
    attempt_no: attempt.attemptNo,
    status: attempt.status,
    http_status: attempt.httpStatus,
    error_class: attempt.errorClass,
    error: cut(attempt.error),
    latency_ms: attempt.latencyMs,
    started_at: attempt.startedAt,
    response_headers: response === null ? null : capturedHeadersText(response.headers),
    response_body: response === null ? null : response.body,
    response_truncated: response === null ? null : response.truncated ? 1 : 0,
  }
  context
    .prepare(`insert into attempts (${newAttempt.names}) values (${newAttempt.marks})`)
    .run(...newAttempt.values(row))
}

const newAttempt = new Columns(
  'delivery_k',
  'claim_version',
  'attempt_no',
  'status',
  'http_status',
  'error_class',
  'error',
  'latency_ms',
  'started_at',
  'response_headers',
  'response_body',
  'response_truncated',
)

/** Gives leases back: the claim version grows, and neither an attempt nor a lost claim is counted. */
export function release(context: WriteContext, releases: readonly Release[]): readonly Release[] {
  const unspent = new Set<string>()
  for (const { deliveryId, claimVersion, delayMs, sent = false } of releases) {
    const lease = findLease(context, deliveryId, claimVersion)
    if (lease === null) continue
    clearProbe(context, lease)
    if (!sent) {
      spend(context, lease.targetId, -1)
      unspent.add(lease.targetId)
    }
    const result = { ...lastResultOf(context, lease), claimVersion: claimVersion + 1 }
    if (context.memory.isOfDeleted(lease)) {
      finishLease(context, lease, { ...result, state: 'cancelled', attempt: null })
      context.counts.stats.add(lease, stateCell('cancelled'))
    } else {
      putBack(context, lease, { ...result, lostClaims: lease.lostClaims, dueAt: context.now + delayMs })
    }
  }
  for (const targetId of unspent) writeBucket(context, targetId)
  // Nobody else has rows of it locked.
  return []
}

function cut(text: string | null): string | null {
  return text === null ? null : text.slice(0, limits.maxLastErrorChars)
}
