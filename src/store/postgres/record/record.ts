/**
 * Outcomes. One whose delivery somebody else has locked is held: it is left out, and the others do not wait for it.
 * What belongs to an endpoint (its health, its ready row, its own row) is waited for, for the lock timeout of the lane at
 * most; then each target has a transaction of its own, and only those of which something is locked are held.
 * A batch of successes of plainly healthy endpoints is one write that reads nothing before.
 * A batch that only moves deliveries (successes and retries of endpoints whose health stays as it is) is one small read
 * without locks and one write that tests every lease by itself. A batch that also changes health, or meets a disabled or
 * deleted endpoint, is a transaction that locks first and decides then.
 */
import { type Fate, fateOf, parked, retried } from '../../../core/claim/row-fate.ts'
import type { BreakerPolicy } from '../../../core/endpoint-health.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { cellWithState, outcomeCell } from '../../../core/stats/cells.ts'
import type { DeliveryOutcome, RecordResult } from '../../port.ts'
import type { Ended, EndedLeases, Lease, Leases } from '../claim/leases.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { type Disabling, disableEndpoint } from '../config/disable-endpoint.ts'
import type { Context } from '../connection/statement.ts'
import { lockLines } from '../ordering/lines.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { type Apartness, eachTargetApart } from './apart.ts'
import { addDeliveryNotices, type NoticedEnd } from './delivery-notices.ts'
import { endLeases, endLeasesOfHealthy } from './end-leases.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { findLeases } from './find-leases.ts'
import { type LeaseEnd, waitOf } from './lease-end.ts'
import { type LeaseFacts, readFacts, type TargetHealth } from './lease-facts.ts'
import { lockLeases } from './lease-fence.ts'
import { leaveLines } from './leave-lines.ts'
import {
  advanceHealth,
  clearProbes,
  type HealthChange,
  lockHealth,
  type Match,
  storeHealth,
} from './target-health.ts'

export interface RecordRequest {
  readonly outcomes: readonly DeliveryOutcome[]
  readonly breaker: BreakerPolicy
  readonly leases: Leases
}

type Recorded = Ended<RecordResult>
/** By outcome; what is missing is stale. */
type Known = ReadonlyMap<DeliveryOutcome, Lease>

/**
 * Successes of deliveries that this process knows, by one statement that reads nothing before. Null: nothing is written,
 * because there is more in the batch, or a target has failed lately.
 */
export async function recordSuccesses(context: Context, request: RecordRequest): Promise<Recorded | null> {
  const { outcomes, leases } = request
  const known = new Map<DeliveryOutcome, Lease>()
  for (const outcome of outcomes) {
    const lease = leases.get(outcome)
    if (lease === null || lease.line !== null || !isPlainSuccess(outcome)) return null
    known.set(outcome, lease)
  }
  const ends = Array.from(known, ([outcome, lease]) =>
    endOf({ outcome, lease, isDeleted: false }, { kind: 'lease' }),
  )
  const ended = await endLeasesOfHealthy(context, ends, leases)
  return ended && answer(outcomes, { known, ended, advanced: false, health: [], disabled: [] })
}

function isPlainSuccess({ next, observation, disableEndpoint, notice }: DeliveryOutcome): boolean {
  const isSuccess = next.state === 'succeeded' && (observation === null || observation.succeeded)
  return isSuccess && disableEndpoint === null && notice === undefined
}

/** Locks nothing before its one write. Null: nothing is written, and the batch needs locks first. */
export async function recordPlainly(context: Context, request: RecordRequest): Promise<Recorded | null> {
  const { outcomes, breaker, leases } = request
  if (outcomes.some(({ notice }) => notice !== undefined)) return null
  const known = await findLeases(context, leases, outcomes)
  // The end of an ordered one changes its line as well.
  if (Array.from(known.values()).some(({ line }) => line !== null)) return null
  const facts = await readFacts(context, Array.from(known.values()))
  const matches = match(known, facts)
  const { changes, disabling } = advanceHealth(matches, {
    health: facts.health,
    breaker,
    now: facts.now,
    line: context.line,
  })
  const isPlain =
    changes.size === 0 &&
    disabling.size === 0 &&
    matches.every(({ lease, outcome, isDeleted }) => {
      const isMoved = mayWait(outcome) && (isDeleted || facts.isDisabled(lease))
      return !isMoved && !isProbe(lease, facts.health)
    })
  if (!isPlain) return null
  const ends = matches.map((each) => endOf(each, { kind: 'lease' }))
  const ended = await endLeases(context, ends, leases)
  return answer(outcomes, { known, ended, advanced: false, health: [], disabled: [] })
}

/** Its delivery may wait again. */
function mayWait({ next }: DeliveryOutcome): boolean {
  return next.state === 'retry_scheduled'
}

function match(known: Known, facts: LeaseFacts): readonly Match[] {
  return Array.from(known, ([outcome, lease]) => ({ outcome, lease, isDeleted: facts.isDeleted(lease) }))
}

function isProbe(lease: Lease, health: ReadonlyMap<string, TargetHealth>): boolean {
  return health.get(lease.targetId)?.probeDelivery === lease.deliveryId
}

function endOf({ lease, outcome }: Match, fate: Fate): LeaseEnd {
  const { attempt, claimVersion, next } = outcome
  const common = { lease, attempt, claimVersion, cell: outcomeCell(outcome, lease.since) }
  if (next.state === 'succeeded') return { ...common, state: next.state, finalError: null }
  if (next.state === 'dead_lettered') return { ...common, state: next.state, finalError: next.finalError }
  const attemptCount = attempt?.attemptNo ?? lease.attemptCount
  const again = retried({ ...lease, state: 'in_flight' }, { attemptCount, delayMs: next.delayMs })
  switch (fate.kind) {
    case 'cancel':
      return {
        ...common,
        cell: cellWithState(common.cell, 'cancelled'),
        claimVersion: claimVersion + 1,
        state: 'cancelled',
        finalError: null,
      }
    case 'park':
      return { ...common, ...waitOf(parked(again, fate.reason)) }
    case 'lease':
      return { ...common, ...waitOf(again) }
  }
}

/** In a transaction. */
export async function recordWithHealth(context: Context, request: RecordRequest): Promise<Recorded> {
  const { outcomes, breaker, leases } = request
  const known = await findLeases(context, leases, outcomes)
  const { locked, held } = await lockLeases(context, Array.from(known.values()))
  const ours: Known = new Map(Array.from(known).filter(([, lease]) => locked.has(lease)))
  const rows = Array.from(locked)
  await lockLines(
    context,
    rows.map(({ line }) => line),
  )
  const facts = await readFacts(context, rows)
  const matches = match(ours, facts)
  const { health, now } = await lockHealth(context, matches)
  const { changes, disabling } = advanceHealth(matches, { health, breaker, now, line: context.line })
  await clearProbes(
    context,
    matches.filter(({ lease }) => isProbe(lease, health)).map(({ lease }) => lease),
  )
  await storeHealth(context, changes)
  await armReady(context, freed(changes))
  const disabledNow = await disableAll(context, disabling)
  const disabled = await lockDisabled(
    context,
    matches.flatMap(({ lease }) =>
      lease.endpoint !== null && (facts.isDisabled(lease) || disabledNow.has(lease.targetId))
        ? [lease.endpoint]
        : [],
    ),
  )
  const ends = matches.map((each) => {
    const isDisabled = each.lease.endpoint !== null && disabled.has(each.lease.endpoint)
    return endOf(each, fateOf({ isDeleted: each.isDeleted, isDisabled }))
  })
  const ended = await endLeases(context, ends, leases)
  const advanced = await leaveLines(context, ends, { written: ended.written, isDeleted: facts.isDeleted })
  await addDeliveryNotices(context, noticedEnds(matches, ends), ended.written)
  return answer(outcomes, {
    known,
    advanced,
    ended: { ...ended, held: new Set([...held, ...ended.held]) },
    health: Array.from(changes, ([targetId, { after }]) => [targetId, after] as const),
    disabled: Array.from(disabledNow.values()),
  })
}

function noticedEnds(matches: readonly Match[], ends: readonly LeaseEnd[]): readonly NoticedEnd[] {
  return matches.flatMap(({ outcome: { notice } }, index) =>
    notice === undefined ? [] : [{ notice, end: ends[index] as LeaseEnd }],
  )
}

interface Answer extends Pick<RecordResult, 'health' | 'disabled' | 'advanced'> {
  readonly known: Known
  readonly ended: EndedLeases
}

function answer(
  outcomes: readonly DeliveryOutcome[],
  { known, ended, health, disabled, advanced }: Answer,
): Recorded {
  const leaseOf = (outcome: DeliveryOutcome) => known.get(outcome) as Lease
  return {
    result: {
      recorded: outcomes.map((outcome) => ended.written.has(leaseOf(outcome))),
      held: outcomes.flatMap((outcome, index) => (ended.held.has(leaseOf(outcome)) ? [index] : [])),
      health,
      advanced,
      disabled,
    },
    asked: Array.from(known.values()),
    ended,
  }
}

/** What somebody else has locked of one target holds no other up. */
export async function recordApart(apartness: Apartness, request: RecordRequest): Promise<RecordResult> {
  const { outcomes } = request
  const { done, held } = await eachTargetApart(apartness, outcomes, (context, indexes) =>
    recordWithHealth(context, {
      ...request,
      outcomes: indexes.map((index) => outcomes[index] as DeliveryOutcome),
    }),
  )
  const recorded = outcomes.map(() => false)
  for (const [indexes, result] of done) {
    indexes.forEach((index, at) => {
      recorded[index] = result.recorded[at] === true
    })
  }
  return {
    recorded,
    held: [...held, ...done.flatMap(([indexes, result]) => result.held.map((at) => indexes[at] as number))],
    health: done.flatMap(([, result]) => result.health),
    advanced: done.some(([, result]) => result.advanced),
    disabled: done.flatMap(([, result]) => result.disabled),
  }
}

/** Targets whose pause has ended with these outcomes. */
function freed(changes: ReadonlyMap<string, HealthChange>) {
  return Array.from(changes.values())
    .filter(({ before, after }) => before?.pausedUntil != null && after?.pausedUntil == null)
    .map(({ lease }) => ({ target: lease.target, tenant: lease.tenant, delayMs: 0 }))
}

type Disabled = RecordResult['disabled'][number]

async function disableAll(
  context: Context,
  disabling: ReadonlyMap<string, Required<Disabling>>,
): Promise<ReadonlyMap<string, Disabled>> {
  const disabled = new Map<string, Disabled>()
  const inKeyOrder = Array.from(disabling).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [endpointId, cause] of inKeyOrder) {
    const { reason } = cause
    const tenant = await disableEndpoint(context, uuidOfId(endpointId), cause)
    if (tenant === null) continue
    disabled.set(endpointId, { tenantId: bytesToId(idPrefixes.tenant, tenant), endpointId, reason })
  }
  return disabled
}
