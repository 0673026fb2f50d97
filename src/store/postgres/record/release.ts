import { type Fate, fateOf, parked, released } from '../../../core/claim/row-fate.ts'
import { stateCell } from '../../../core/stats/cells.ts'
import type { Release } from '../../port.ts'
import type { Ended, Lease, Leases } from '../claim/leases.ts'
import { returnTokens } from '../claim/rate-buckets.ts'
import type { Context } from '../connection/statement.ts'
import { lockLines } from '../ordering/lines.ts'
import { type Apartness, eachTargetApart } from './apart.ts'
import { endLeases } from './end-leases.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { findLeases } from './find-leases.ts'
import { type LeaseEnd, waitOf } from './lease-end.ts'
import { readFacts } from './lease-facts.ts'
import { lockLeases } from './lease-fence.ts'
import { leaveLines } from './leave-lines.ts'
import { clearProbes } from './target-health.ts'

/**
 * Gives leases back: the claim version grows, and neither an attempt nor a lost claim is counted. In a transaction, after
 * whose commit the leases are told.
 */
export async function release(
  context: Context,
  leases: Leases,
  releases: readonly Release[],
): Promise<Ended<readonly Release[]>> {
  const known = await findLeases(context, leases, releases)
  const { locked, held } = await lockLeases(context, Array.from(known.values()))
  const ofLease = new Map(Array.from(known, ([each, lease]) => [lease, each]))
  const rows = Array.from(locked)
  const facts = await readFacts(context, rows)
  const isLeaving = (lease: Lease) => facts.isDeleted(lease)
  await lockLines(
    context,
    rows.filter(isLeaving).map(({ line }) => line),
  )
  await clearProbes(
    context,
    rows.filter(({ targetId, deliveryId }) => facts.health.get(targetId)?.probeDelivery === deliveryId),
  )
  await returnTokens(
    context,
    rows.filter((lease) => ofLease.get(lease)?.sent !== true).map(({ target }) => target),
  )
  const disabled = await lockDisabled(
    context,
    rows.flatMap((lease) => (facts.isDisabled(lease) && lease.endpoint !== null ? [lease.endpoint] : [])),
  )
  const ends = rows.map((lease) => {
    const isDisabled = lease.endpoint !== null && disabled.has(lease.endpoint)
    const fate = fateOf({ isDeleted: facts.isDeleted(lease), isDisabled })
    return endOf(lease, fate, ofLease.get(lease)?.delayMs ?? 0)
  })
  const ended = await endLeases(context, ends, leases)
  await leaveLines(context, ends, { written: ended.written, isDeleted: facts.isDeleted })
  const standing = new Set([...held, ...ended.held])
  return {
    // Those that are not given back, though they stand.
    result: releases.filter((each) => standing.has(known.get(each) as Lease)),
    asked: Array.from(known.values()),
    ended: { ...ended, held: standing },
  }
}

function endOf(lease: Lease, fate: Fate, delayMs: number): LeaseEnd {
  const back = released({ ...lease, state: 'in_flight' }, delayMs)
  const common = { lease, claimVersion: back.claimVersion, attempt: null, cell: null }
  switch (fate.kind) {
    case 'cancel':
      return { ...common, cell: stateCell('cancelled'), state: 'cancelled', finalError: null }
    case 'park':
      return { ...common, ...waitOf(parked(back, fate.reason)) }
    case 'lease':
      return { ...common, ...waitOf(back) }
  }
}

/** What somebody else has locked of one target holds no other up. */
export async function releaseApart(
  apartness: Apartness,
  releases: readonly Release[],
): Promise<readonly Release[]> {
  const { done, held } = await eachTargetApart(apartness, releases, (context, indexes) =>
    release(
      context,
      apartness.leases,
      indexes.map((index) => releases[index] as Release),
    ),
  )
  return [...held.map((index) => releases[index] as Release), ...done.flatMap(([, locked]) => locked)]
}
