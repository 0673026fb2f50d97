/** `endpoint_state`: written on failure or transition only, in key order. */
import { type BreakerPolicy, isFailingTooLong, nextHealth } from '../../../core/endpoint-health.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason, EndpointHealth } from '../../../core/model.ts'
import type { TimeLine } from '../../../core/time-line.ts'
import type { DeliveryOutcome } from '../../port.ts'
import type { HealthRow } from '../../rows.ts'
import type { Lease } from '../claim/leases.ts'
import { armReady, holdReady } from '../claim/ready-endpoints.ts'
import type { Disabling } from '../config/disable-endpoint.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { type TargetHealth, toTargetHealth } from './lease-facts.ts'

/** An outcome with the lease that it is about. */
export interface Match {
  readonly outcome: DeliveryOutcome
  readonly lease: Lease
  /** Its endpoint or its subscription is deleted. */
  readonly isDeleted: boolean
}

export interface HealthChange {
  readonly before: EndpointHealth | null
  /** Null: healthy, and its row goes. */
  readonly after: EndpointHealth | null
  /** One delivery of the target. */
  readonly lease: Lease
}

interface Known {
  readonly health: ReadonlyMap<string, TargetHealth>
  readonly breaker: BreakerPolicy
  readonly now: number
  readonly line: TimeLine
}

export interface HealthResult {
  readonly changes: ReadonlyMap<string, HealthChange>
  /** Endpoints that are to be disabled, and why. */
  readonly disabling: ReadonlyMap<string, Required<Disabling>>
}

/** Applies the observations in the order of the batch. */
export function advanceHealth(matches: readonly Match[], known: Known): HealthResult {
  const changes = new Map<string, HealthChange>()
  const disabling = new Map<string, Required<Disabling>>()
  const current = new Map(Array.from(known.health, ([id, { health }]) => [id, unlessHealthy(health)]))
  for (const { lease, outcome, isDeleted } of matches) {
    const disable = (reason: DisabledReason): void => {
      if (lease.endpoint === null || disabling.has(lease.targetId)) return
      disabling.set(lease.targetId, { reason, errorClass: outcome.attempt?.errorClass ?? null })
    }
    if (outcome.disableEndpoint !== null) disable(outcome.disableEndpoint)
    // What is learnt of a deleted endpoint would stay in the table for ever.
    if (outcome.observation === null || isDeleted) continue
    const before = current.get(lease.targetId) ?? null
    const breaker = outcome.breaker ?? known.breaker
    const after = nextHealth(before, outcome.observation, breaker, known.now)
    if (after !== before) {
      current.set(lease.targetId, after)
      changes.set(lease.targetId, { before: changes.get(lease.targetId)?.before ?? before, after, lease })
    }
    if (!outcome.observation.succeeded && isFailingTooLong(after, breaker, known)) disable('failing')
  }
  return { changes, disabling }
}

/** A row that was only made to be locked. */
function unlessHealthy(health: EndpointHealth): EndpointHealth | null {
  const isHealthy =
    health.consecutiveFailures === 0 && health.failingSince === null && health.pausedUntil === null
  return isHealthy ? null : health
}

interface LockedRow extends HealthRow {
  readonly probe_delivery_id: Uint8Array | null
  readonly now: number
}

/**
 * Locks the rows of all targets whose health may change, made where there are none: two nodes that both see an
 * endpoint's first failures must count them one after the other.
 */
export async function lockHealth(
  context: Context,
  matches: readonly Match[],
): Promise<{ readonly health: ReadonlyMap<string, TargetHealth>; readonly now: number }> {
  const failed = matches.filter(({ outcome: { observation }, isDeleted }) => {
    const isFailure = observation !== null && !observation.succeeded && observation.contact !== 'none'
    return isFailure && !isDeleted
  })
  const made = distinctTargets(failed)
  if (made.length > 0) await run(context, makeStatement, { targets: made })
  const rows = await run(context, lockStatement, { targets: distinctTargets(matches) })
  const health = new Map<string, TargetHealth>()
  for (const row of rows) {
    if (row.found) health.set(bytesToId(idPrefixes.endpoint, row.target_id), toTargetHealth(row))
  }
  return { health, now: rows.at(-1)?.now ?? 0 }
}

const makeStatement = command(
  'make_health',
  { targets: 'uuid[]' },
  `insert into endpoint_state (target_id, consecutive_failures, pause_ms)
   select id, 0, 0 from unnest($targets) as o (id) order by id on conflict do nothing`,
)

const lockStatement = query<LockedRow & { readonly found: boolean }>()(
  'lock_health',
  { targets: 'uuid[]' },
  // primary key
  `with locked as materialized (
     select * from endpoint_state where target_id = any ($targets) order by target_id for update
   )
   select true as found, target_id, consecutive_failures, failing_since, paused_until, pause_ms, probe_delivery_id,
     ${now} as now from locked
   union all
   select false, '00000000-0000-0000-0000-000000000000', 0, null, null, 0, null, ${now}`,
)

function distinctTargets(matches: readonly Match[]): readonly string[] {
  return Array.from(new Set(matches.map(({ lease }) => lease.target))).sort()
}

/** A new pause starts without a probe. The rows are locked. */
export async function storeHealth(
  context: Context,
  changes: ReadonlyMap<string, HealthChange>,
): Promise<void> {
  if (changes.size === 0) return
  const kept = Array.from(changes).flatMap(([targetId, { after }]) =>
    after === null ? [] : [{ targetId, after }],
  )
  const gone = Array.from(changes).flatMap(([targetId, { after }]) => (after === null ? [targetId] : []))
  await run(context, storeStatement, {
    gone: gone.map(uuidOfId),
    targets: kept.map(({ targetId }) => uuidOfId(targetId)),
    failures: kept.map(({ after }) => after.consecutiveFailures),
    failing_since: kept.map(({ after }) => after.failingSince),
    paused_until: kept.map(({ after }) => after.pausedUntil),
    pauses: kept.map(({ after }) => Math.round(after.pauseMs)),
  })
  const paused = kept.filter(({ after }) => after.pausedUntil !== null)
  await holdReady(
    context,
    paused.map(({ targetId }) => uuidOfId(targetId)),
  )
}

const storeStatement = command(
  'store_health',
  {
    gone: 'uuid[]',
    targets: 'uuid[]',
    failures: 'integer[]',
    failing_since: 'bigint[]',
    paused_until: 'bigint[]',
    pauses: 'bigint[]',
  },
  // primary key
  `with gone as (
     delete from endpoint_state where target_id = any ($gone)
   )
   update endpoint_state s set consecutive_failures = o.failures, failing_since = o.failing_since,
     probe_delivery_id = case when s.paused_until is not distinct from o.paused_until then s.probe_delivery_id end,
     probe_until = case when s.paused_until is not distinct from o.paused_until then s.probe_until end,
     paused_until = o.paused_until, pause_ms = o.pause_ms
   from unnest($targets, $failures, $failing_since, $paused_until, $pauses)
     as o (target_id, failures, failing_since, paused_until, pause_ms)
   where s.target_id = o.target_id`,
)

/** The probe came back, with an outcome or without: the next one need not wait for the end of its lease. */
export async function clearProbes(context: Context, probes: readonly Lease[]): Promise<void> {
  if (probes.length === 0) return
  await run(context, clearStatement, {
    targets: probes.map(({ target }) => target),
    deliveries: probes.map(({ id }) => id),
  })
  await armReady(
    context,
    probes.map(({ target, tenant }) => ({ target, tenant, delayMs: 0 })),
  )
}

const clearStatement = command(
  'clear_probes',
  { targets: 'uuid[]', deliveries: 'uuid[]' },
  // primary key
  `update endpoint_state s set probe_delivery_id = null, probe_until = null
   from unnest($targets, $deliveries) as o (target_id, delivery_id)
   where s.target_id = o.target_id and s.probe_delivery_id = o.delivery_id`,
)

/** Deleted, or enabled again: what was learnt of it does not count any more. */
export async function forgetHealth(context: Context, target: string): Promise<void> {
  await run(context, forgetStatement, { target })
}

const forgetStatement = command(
  'forget_health',
  { target: 'uuid' },
  'delete from endpoint_state where target_id = $target',
)
