import { parked, released } from '../../core/claim/row-fate.ts'
import type { Release } from '../port.ts'
import type { Context } from './context.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { cancelDeliveries } from './finish.ts'
import { type Leased, readLeased } from './leased.ts'
import { returnTokens } from './rate-buckets.ts'
import { armReady } from './ready-endpoints.ts'
import { clearProbes } from './target-health.ts'
import { makeWait } from './wait.ts'
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
  await makeWait(
    context,
    rows.map((leased) => {
      const row = { ...leased, state: 'in_flight' as const }
      const back = released(row, delayOf(leased))
      return { row, becomes: isParked(leased) ? parked(back, 'endpoint_disabled') : back }
    }),
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
