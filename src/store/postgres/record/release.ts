import { parked, released } from '../../../core/claim/row-fate.ts'
import type { Release } from '../../port.ts'
import { returnTokens } from '../claim/rate-buckets.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import type { Context } from '../connection/context.ts'
import { uuid } from '../rows/wire-types.ts'
import { type Atomic, eachTargetApart } from './apart.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { cancelDeliveries } from './finish.ts'
import { type Leased, leaseName, lockLeased } from './leased.ts'
import { clearProbes } from './target-health.ts'
import { makeWait } from './wait.ts'

/**
 * Gives leases back: the claim version grows, and neither an attempt nor a lost claim is counted. Those whose deliveries
 * somebody else has locked are the answer.
 */
export async function release(context: Context, releases: readonly Release[]): Promise<readonly Release[]> {
  const { rows, health, held: locked } = await lockLeased(context, releases)
  const held = releases.filter((each) => locked.has(leaseName(each)))
  if (rows.length === 0) return held
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
  return held
}

/** What somebody else has locked of one target holds no other up. */
export async function releaseApart(
  atomic: Atomic,
  releases: readonly Release[],
): Promise<readonly Release[]> {
  const { done, held } = await eachTargetApart(atomic, releases, (context, indexes) =>
    release(
      context,
      indexes.map((index) => releases[index] as Release),
    ),
  )
  return [...held.map((index) => releases[index] as Release), ...done.flatMap(([, locked]) => locked)]
}
