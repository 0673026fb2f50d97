/**
 * Outcomes. One whose delivery somebody else has locked is held: it is left out, and the others do not wait for it.
 * What belongs to an endpoint (its health, its ready row, its own row) is waited for, for the lock timeout of the lane at
 * most; then each target has a transaction of its own, and only those of which something is locked are held.
 * A batch that only moves deliveries (successes and retries of endpoints whose health stays as it is) is
 * one read without locks and one write that tests every lease by itself. A batch that also changes health, or meets
 * a disabled or deleted endpoint, is a transaction that locks first and decides then.
 */
import { fateOf } from '../../../core/claim/row-fate.ts'
import type { BreakerPolicy } from '../../../core/endpoint-health.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason } from '../../../core/model.ts'
import type { DeliveryOutcome, RecordResult } from '../../port.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import { disableEndpoint } from '../config/disable-endpoint.ts'
import type { Context } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { type Atomic, eachTargetApart } from './apart.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { type Leased, leaseName, lockLeased, type Match, readLeased, type TargetHealth } from './leased.ts'
import { advanceHealth, clearProbes, type HealthChange, lockHealth, storeHealth } from './target-health.ts'
import { type OutcomeStep, writeOutcomes } from './write-outcomes.ts'

export interface RecordRequest {
  readonly outcomes: readonly DeliveryOutcome[]
  readonly breaker: BreakerPolicy
}

/** Null: the batch needs the transaction. */
export async function recordPlainly(context: Context, request: RecordRequest): Promise<RecordResult | null> {
  const { outcomes, breaker } = request
  const found = await readLeased(context, outcomes)
  const matches = match(outcomes, found.rows)
  const { changes, disabling } = advanceHealth(matches, { health: found.health, breaker, now: found.now })
  const isPlain =
    changes.size === 0 &&
    disabling.size === 0 &&
    matches.every(({ leased, outcome }) => {
      const isMoved = outcome.next.state === 'retry_scheduled' && (leased.isDisabled || leased.isDeleted)
      return !isMoved && !isProbe(leased, found.health)
    })
  if (!isPlain) return null
  const steps = matches.map((each) => ({ ...each, isParked: false, isCancelled: false }))
  const recorded = await writeOutcomes(context, steps)
  // A moment ago their leases stood: locked, or taken over since, which the next try tells.
  const held = new Set(matches.flatMap(({ outcome }) => (recorded.has(outcome) ? [] : [outcome])))
  return { ...inOrder(outcomes, recorded, held), health: [], disabled: [] }
}

function isProbe(leased: Leased, health: ReadonlyMap<string, TargetHealth>): boolean {
  return health.get(leased.targetId)?.probeDelivery === leased.deliveryId
}

/** In a transaction. */
export async function recordWithHealth(context: Context, request: RecordRequest): Promise<RecordResult> {
  const { outcomes, breaker } = request
  const { rows, held } = await lockLeased(context, outcomes)
  const matches = match(outcomes, rows)
  const { health, now } = await lockHealth(context, matches)
  const { changes, disabling } = advanceHealth(matches, { health, breaker, now })
  await clearProbes(
    context,
    matches.filter(({ leased }) => isProbe(leased, health)).map(({ leased }) => leased),
  )
  await storeHealth(context, changes)
  await armReady(context, freed(changes))
  const disabledNow = await disableAll(context, disabling)
  const disabled = await lockDisabled(
    context,
    matches.flatMap(({ leased }) =>
      (leased.isDisabled || disabledNow.has(leased.targetId)) && leased.endpoint !== null
        ? [leased.endpoint]
        : [],
    ),
  )
  const steps = matches.map(({ leased, outcome }): OutcomeStep => {
    const isRetry = outcome.next.state === 'retry_scheduled'
    const isDisabled = leased.endpoint !== null && disabled.has(uuid(leased.endpoint))
    const fate = fateOf({ isDeleted: leased.isDeleted, isDisabled }).kind
    return {
      leased,
      outcome,
      isCancelled: isRetry && fate === 'cancel',
      isParked: isRetry && fate === 'park',
    }
  })
  const recorded = await writeOutcomes(context, steps)
  return {
    ...inOrder(outcomes, recorded, new Set(outcomes.filter((outcome) => held.has(leaseName(outcome))))),
    health: Array.from(changes, ([targetId, { after }]) => [targetId, after] as const),
    disabled: Array.from(disabledNow.values()),
  }
}

/** What somebody else has locked of one target holds no other up. */
export async function recordApart(atomic: Atomic, request: RecordRequest): Promise<RecordResult> {
  const { outcomes, breaker } = request
  const { done, held } = await eachTargetApart(atomic, outcomes, (context, indexes) =>
    recordWithHealth(context, {
      outcomes: indexes.map((index) => outcomes[index] as DeliveryOutcome),
      breaker,
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
    disabled: done.flatMap(([, result]) => result.disabled),
  }
}

/** The first outcome of each lease; a second one is stale by then. */
function match(outcomes: readonly DeliveryOutcome[], rows: readonly Leased[]): readonly Match[] {
  const leases = new Map(rows.map((row) => [leaseName(row), row]))
  const matches: Match[] = []
  for (const outcome of outcomes) {
    const name = leaseName(outcome)
    const leased = leases.get(name)
    if (leased === undefined) continue
    leases.delete(name)
    matches.push({ outcome, leased })
  }
  return matches
}

function inOrder(
  outcomes: readonly DeliveryOutcome[],
  recorded: ReadonlySet<DeliveryOutcome>,
  held: ReadonlySet<DeliveryOutcome>,
): Pick<RecordResult, 'recorded' | 'held'> {
  return {
    recorded: outcomes.map((outcome) => recorded.has(outcome)),
    held: outcomes.flatMap((outcome, index) => (held.has(outcome) ? [index] : [])),
  }
}

/** Targets whose pause has ended with these outcomes. */
function freed(changes: ReadonlyMap<string, HealthChange>) {
  return Array.from(changes.values())
    .filter(({ before, after }) => before?.pausedUntil != null && after?.pausedUntil == null)
    .map(({ leased }) => ({ target: leased.target, tenant: leased.tenant, delayMs: 0 }))
}

type Disabled = RecordResult['disabled'][number]

async function disableAll(
  context: Context,
  disabling: ReadonlyMap<string, DisabledReason>,
): Promise<ReadonlyMap<string, Disabled>> {
  const disabled = new Map<string, Disabled>()
  const inKeyOrder = Array.from(disabling).sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [endpointId, reason] of inKeyOrder) {
    const tenant = await disableEndpoint(context, uuidOfId(endpointId), reason)
    if (tenant === null) continue
    disabled.set(endpointId, { tenantId: bytesToId(idPrefixes.tenant, tenant), endpointId, reason })
  }
  return disabled
}
