/** `endpoint_state`: written on failure or transition only, in key order. */
import { type BreakerPolicy, isFailingTooLong, nextHealth } from '../../../core/endpoint-health.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { DisabledReason, EndpointHealth } from '../../../core/model.ts'
import { newTimeLine } from '../../../core/time-line.ts'
import { type HealthRow, toHealth } from '../../rows.ts'
import { armReady, holdReady } from '../claim/ready-endpoints.ts'
import { type Context, now } from '../connection/context.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import type { Leased, Match, TargetHealth } from './leased.ts'

export interface HealthChange {
  readonly before: EndpointHealth | null
  /** Null: healthy, and its row goes. */
  readonly after: EndpointHealth | null
  /** One delivery of the target. */
  readonly leased: Leased
}

interface Known {
  readonly health: ReadonlyMap<string, TargetHealth>
  readonly breaker: BreakerPolicy
  readonly now: number
}

export interface HealthResult {
  readonly changes: ReadonlyMap<string, HealthChange>
  /** Endpoints that are to be disabled, and why. */
  readonly disabling: ReadonlyMap<string, DisabledReason>
}

/** Applies the observations in the order of the batch. */
export function advanceHealth(matches: readonly Match[], known: Known): HealthResult {
  const changes = new Map<string, HealthChange>()
  const disabling = new Map<string, DisabledReason>()
  const current = new Map(Array.from(known.health, ([id, { health }]) => [id, unlessHealthy(health)]))
  for (const { leased, outcome } of matches) {
    const disable = (reason: DisabledReason): void => {
      if (leased.endpointId !== null && !disabling.has(leased.endpointId))
        disabling.set(leased.endpointId, reason)
    }
    if (outcome.disableEndpoint !== null) disable(outcome.disableEndpoint)
    // What is learnt of a deleted endpoint would stay in the table for ever.
    if (outcome.observation === null || leased.isDeleted) continue
    const before = current.get(leased.targetId) ?? null
    const after = nextHealth(before, outcome.observation, known.breaker, known.now)
    if (after !== before) {
      current.set(leased.targetId, after)
      changes.set(leased.targetId, { before: changes.get(leased.targetId)?.before ?? before, after, leased })
    }
    if (
      !outcome.observation.succeeded &&
      isFailingTooLong(after, known.breaker, { line: newTimeLine, now: known.now })
    )
      disable('failing')
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
  const failed = matches.filter(({ outcome: { observation }, leased }) => {
    const isFailure = observation !== null && !observation.succeeded && observation.contact !== 'none'
    return isFailure && !leased.isDeleted
  })
  const made = distinctTargets(failed)
  if (made.length > 0) {
    await context.query(
      'make_health',
      `insert into endpoint_state (target_id, consecutive_failures, pause_ms)
       select id, 0, 0 from unnest($1::uuid[]) as o (id) order by id on conflict do nothing`,
      [made],
    )
  }
  const rows = await context.query<LockedRow & { readonly found: boolean }>(
    'lock_health',
    // primary key
    `with locked as materialized (
       select * from endpoint_state where target_id = any ($2::uuid[]) order by target_id for update
     )
     select true as found, target_id, consecutive_failures, failing_since, paused_until, pause_ms, probe_delivery_id,
       ${now} as now from locked
     union all
     select false, '00000000-0000-0000-0000-000000000000', 0, null, null, 0, null, ${now}`,
    [context.shiftMs, distinctTargets(matches)],
  )
  const health = new Map<string, TargetHealth>()
  for (const row of rows) {
    if (!row.found) continue
    const probe = row.probe_delivery_id
    health.set(bytesToId(idPrefixes.endpoint, row.target_id), {
      health: toHealth(row),
      probeDelivery: probe === null ? null : bytesToId(idPrefixes.delivery, probe),
    })
  }
  return { health, now: rows.at(-1)?.now ?? 0 }
}

function distinctTargets(matches: readonly Match[]): readonly string[] {
  return Array.from(new Set(matches.map(({ leased }) => uuid(leased.target)))).sort()
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
  await context.query(
    'store_health',
    // primary key
    `with gone as (
       delete from endpoint_state where target_id = any ($1::uuid[])
     )
     update endpoint_state s set consecutive_failures = o.failures, failing_since = o.failing_since,
       probe_delivery_id = case when s.paused_until is not distinct from o.paused_until then s.probe_delivery_id end,
       probe_until = case when s.paused_until is not distinct from o.paused_until then s.probe_until end,
       paused_until = o.paused_until, pause_ms = o.pause_ms
     from unnest($2::uuid[], $3::integer[], $4::bigint[], $5::bigint[], $6::bigint[])
       as o (target_id, failures, failing_since, paused_until, pause_ms)
     where s.target_id = o.target_id`,
    [
      gone.map(uuidOfId),
      kept.map(({ targetId }) => uuidOfId(targetId)),
      kept.map(({ after }) => after.consecutiveFailures),
      kept.map(({ after }) => after.failingSince),
      kept.map(({ after }) => after.pausedUntil),
      kept.map(({ after }) => Math.round(after.pauseMs)),
    ],
  )
  const paused = kept.filter(({ after }) => after.pausedUntil !== null)
  await holdReady(
    context,
    paused.map(({ targetId }) => Buffer.from(uuidOfId(targetId), 'hex')),
  )
}

/** The probe came back, with an outcome or without: the next one need not wait for the end of its lease. */
export async function clearProbes(context: Context, probes: readonly Leased[]): Promise<void> {
  if (probes.length === 0) return
  await context.query(
    'clear_probes',
    // primary key
    `update endpoint_state s set probe_delivery_id = null, probe_until = null
     from unnest($1::uuid[], $2::uuid[]) as o (target_id, delivery_id)
     where s.target_id = o.target_id and s.probe_delivery_id = o.delivery_id`,
    [probes.map(({ target }) => uuid(target)), probes.map(({ id }) => uuid(id))],
  )
  await armReady(
    context,
    probes.map(({ target, tenant }) => ({ target, tenant, delayMs: 0 })),
  )
}

/** Deleted, or enabled again: what was learnt of it does not count any more. */
export async function forgetHealth(context: Context, target: string): Promise<void> {
  await context.query('forget_health', 'delete from endpoint_state where target_id = $1', [target])
}
