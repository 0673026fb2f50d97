import type { Release } from '../port.ts'
import { type Context, now } from './context.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { cancelDeliveries, countMoved } from './finish.ts'
import { type Leased, readLeased } from './leased.ts'
import { returnTokens } from './rate-buckets.ts'
import { armReady } from './ready-endpoints.ts'
import { clearProbes } from './target-health.ts'
import { uuid } from './wire-types.ts'

/** Gives leases back: the claim version grows, and neither an attempt nor a lost claim is counted. */
export async function release(context: Context, releases: readonly Release[]): Promise<void> {
  const { rows, health } = await readLeased(context, releases, { lock: true })
  if (rows.length === 0) return
  const delays = new Map(releases.map((each) => [each.deliveryId, each.delayMs]))
  await clearProbes(
    context,
    rows.filter((leased) => health.get(leased.targetId)?.probeDelivery === leased.deliveryId),
  )
  const sent = new Set(releases.filter((each) => each.sent === true).map((each) => each.deliveryId))
  await returnTokens(
    context,
    rows.filter(({ deliveryId }) => !sent.has(deliveryId)).map(({ target }) => target),
  )
  const disabled = await lockDisabled(
    context,
    rows.flatMap((leased) => (leased.isDisabled && leased.endpoint !== null ? [leased.endpoint] : [])),
  )
  const isParked = (leased: Leased): boolean =>
    leased.endpoint !== null && disabled.has(uuid(leased.endpoint))
  const delayOf = (leased: Leased): number => Math.max(0, Math.round(delays.get(leased.deliveryId) ?? 0))
  await context.query(
    'release',
    // primary key; the rows are locked since they were read
    `with released as (
       update live_deliveries d set
         state = case when d.attempt_count = 0 then 'pending' else 'retry_scheduled' end,
         due_at = case when o.is_parked then null else ${now} + o.delay_ms end,
         reason = case when o.is_parked then 'endpoint_disabled' end,
         claim_version = d.claim_version + 1, updated_at = ${now}
       from unnest($2::uuid[], $3::bigint[], $4::boolean[]) as o (id, delay_ms, is_parked)
       where d.id = o.id
       returning d.tenant_id, d.endpoint_id, 'in_flight' as from_state, d.state as to_state
     ), moved as (select * from released)
     ${countMoved}`,
    [context.shiftMs, rows.map(({ id }) => uuid(id)), rows.map(delayOf), rows.map(isParked)],
  )
  const [deleted, kept] = [rows.filter((row) => row.isDeleted), rows.filter((row) => !row.isDeleted)]
  await cancelDeliveries(
    context,
    deleted.map(({ id }) => id),
  )
  await armReady(
    context,
    kept
      .filter((leased) => !isParked(leased))
      .map((leased) => ({ target: leased.target, tenant: leased.tenant, delayMs: delayOf(leased) })),
  )
}
