/**
 * Claims due deliveries: reads, locks and writes what `core/claim` says. The cost follows the rows claimed and the
 * targets looked at, never the backlog.
 *
 * Whoever holds a target's ready row is the only one who claims of it. Rows of it that somebody else has locked
 * (an outcome that comes in after its lease ended) are passed over, so a claim waits for nobody.
 */
import { type Ask, ClaimBatch } from '../../../core/claim/claim-batch.ts'
import { fateOf } from '../../../core/claim/row-fate.ts'
import type { ClaimRequest, ClaimResult } from '../../port.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { lockDisabled } from '../record/endpoint-locks.ts'
import { cancelDeliveries, giveUpWithoutPayload } from '../record/finish.ts'
import { parkDeliveries, toLockedRow } from '../record/wait.ts'
import { uuid } from '../rows/wire-types.ts'
import { type Candidate, type Claimant, pickCandidates } from './candidates.ts'
import { type DueRow, leaseRows, type Taken } from './lease-rows.ts'
import type { Lease } from './leases.ts'
import { isLater, moveMark, type Position } from './low-water-marks.ts'
import { writeSpent } from './rate-buckets.ts'
import { writeReadyAfterLook } from './ready-after-look.ts'
import { renewNode } from './shares.ts'

/** How far a claim got with one target. */
interface Progress {
  /** The last delivery that was read: the next look goes on behind it, though it is still due. */
  reached: Position
  readonly rows: DueRow[]
  /** The rows that were cancelled or parked. */
  readonly disposed: Set<DueRow>
}

type ProgressOf = Map<Candidate, Progress>

/** With the leases that this process holds once it is committed. */
export interface Claimed {
  readonly result: ClaimResult
  readonly granted: readonly Lease[]
}

/** In a transaction. */
export async function claim(context: Context, request: ClaimRequest, claimant: Claimant): Promise<Claimed> {
  if (!claimant.node.isRenewed) {
    await renewNode(context, claimant.node, { usableMs: request.leaseMs, openMs: 0 })
  }
  const { limit, startable = limit, maxBytes } = request
  if (limit <= 0) {
    const nextDueMs = await writeReadyAfterLook(context, [])
    const cluster = { shares: new Map(), routingVersions: new Map() }
    return { result: { deliveries: [], nextDueMs, cluster }, granted: [] }
  }
  const { open, blocked, waiting, shares } = await pickCandidates(context, request, claimant)
  const fairness = { credits: claimant.rotation.credits, waiting }
  const batch = new ClaimBatch<Candidate, DueRow>(open, { limit, startable, maxBytes }, fairness)
  const progress: ProgressOf = new Map()
  for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
    await look(context, { asks, batch, progress })
  }
  const taken = batch.grants()
  const { deliveries, granted } = await leaseRows(context, taken, {
    leaseMs: request.leaseMs,
    node: claimant.node,
  })
  const given = countGiven(taken)
  await writeSpent(
    context,
    Array.from(given).flatMap(([{ target, rate }, count]) =>
      rate === null ? [] : [{ target, ...rate, count }],
    ),
  )
  const leasedRows = new Set(taken.map(({ row }) => row))
  const newLeases = Map.groupBy(granted, ({ target }) => target)
  const leaseEnd = ({ target }: Pick<Candidate, 'target'>): number | null =>
    claimant.leases.earliestEnd(target) ?? newLeases.get(target)?.[0]?.until ?? null
  const looked = batch.looked().map((candidate) => {
    const count = given.get(candidate) ?? 0
    const ends = endsOf(progress.get(candidate), leasedRows)
    const reached = moveMark(claimant.marks, { ...candidate, ...ends, given: count })
    // After one that gave, the next look comes soon, and finds what others have locked now.
    const gave = count > 0
    return {
      ...candidate,
      gave,
      leftFrom: gave ? reached : candidate.start.from,
      leaseEnd: leaseEnd(candidate),
    }
  })
  const held = blocked.map((each) => ({
    ...each,
    gave: false,
    isRated: true,
    leftFrom: each.start.from,
    leaseEnd: leaseEnd(each),
  }))
  const nextDueMs = await writeReadyAfterLook(context, [...looked, ...held])
  const versions = taken.map(({ row, target }) => [target.tenantId, row.routing_version] as const)
  return {
    result: { deliveries, nextDueMs, cluster: { shares, routingVersions: new Map(versions) } },
    granted,
  }
}

function countGiven(taken: readonly Taken[]): ReadonlyMap<Candidate, number> {
  const given = new Map<Candidate, number>()
  for (const { target } of taken) given.set(target, (given.get(target) ?? 0) + 1)
  return given
}

interface Ends {
  /** The last delivery that was dealt with. */
  readonly passed: Position | null
  /** The first one that was seen and left as it was. */
  readonly left: Position | null
}

function endsOf(progress: Progress | undefined, leasedRows: ReadonlySet<DueRow>): Ends {
  let passed: Position | null = null
  let left: Position | null = null
  for (const row of progress?.rows ?? []) {
    const at = { dueAt: row.due_at, id: uuid(row.id) }
    if (leasedRows.has(row) || progress?.disposed.has(row))
      passed = passed === null ? at : laterOf(passed, at)
    else if (left === null || isLater(left, at)) left = at
  }
  return { passed, left }
}

const dueStatement = query<DueRow>()(
  'take_due',
  { targets: 'uuid[]', counts: 'integer[]', after_due: 'bigint[]', after_id: 'uuid[]' },
  `
select d.target_id, d.id, d.event_id, d.subscription_id, d.endpoint_id, d.state, d.claim_version, d.attempt_count,
  d.lost_claims, d.line, d.created_at, d.due_at,
  case when d.replayed_at is null then greatest(d.created_at, v.deliver_at) end as since, v.topic, v.metadata, v.trace_context, v.request, v.payload_bytes,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null))
    or (d.endpoint_id is null and t.deleted_at is not null) as is_deleted,
  e.disabled_reason is not null as is_disabled, coalesce(t.routing_version, 0) as routing_version
from unnest($targets, $counts, $after_due, $after_id) as c (target_id, count, after_due, after_id)
cross join lateral ( -- live_deliveries_due
  select l.* from live_deliveries l
  where l.target_id = c.target_id and l.due_at is not null and l.due_at <= ${now} and l.state <> 'in_flight'
    and (l.due_at, l.id) > (c.after_due, c.after_id)
  order by l.due_at, l.id limit c.count for update skip locked) d
left join lateral ( -- primary key
  select deliver_at, topic, metadata, trace_context, request,
    case when payload is not null then payload_bytes end as payload_bytes
  from events v where v.id = d.event_id limit 1) v on true
left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id
left join tenants t on t.id = d.tenant_id`,
)

interface Looking {
  readonly asks: readonly Ask<Candidate>[]
  readonly batch: ClaimBatch<Candidate, DueRow>
  readonly progress: ProgressOf
}

async function look(context: Context, { asks, batch, progress }: Looking): Promise<void> {
  const after = asks.map(({ target }) => progress.get(target)?.reached ?? target.start.from)
  const rows = await run(context, dueStatement, {
    targets: asks.map(({ target }) => target.target),
    counts: asks.map(({ count }) => count),
    after_due: after.map(({ dueAt }) => dueAt),
    after_id: after.map(({ id }) => id),
  })
  const disposed = await disposeOf(context, rows)
  const ofTarget = Map.groupBy(rows, (row) => uuid(row.target_id))
  asks.forEach((ask, index) => {
    const found = ofTarget.get(ask.target.target) ?? []
    const known = progress.get(ask.target) ?? {
      reached: after[index] as Position,
      rows: [],
      disposed: new Set(),
    }
    progress.set(ask.target, known)
    known.rows.push(...found)
    for (const row of found) {
      known.reached = laterOf(known.reached, { dueAt: row.due_at, id: uuid(row.id) })
      if (disposed.has(row)) known.disposed.add(row)
    }
    // One whose endpoint was enabled in this very moment is left for the next claim.
    const leasable = found.filter((row) => fateOfRow(row).kind === 'lease' && row.payload_bytes !== null)
    batch.add(ask, {
      leasable: leasable.map((row) => ({ row, bytes: row.payload_bytes ?? 0 })),
      others: found.length - leasable.length,
    })
  })
}

function fateOfRow(row: DueRow) {
  return fateOf({ isDeleted: row.is_deleted, isDisabled: row.is_disabled })
}

/** Rows that nobody may attempt any more leave the claim index here. */
async function disposeOf(context: Context, rows: readonly DueRow[]): Promise<ReadonlySet<DueRow>> {
  const ofFate = Map.groupBy(rows, (row) => fateOfRow(row).kind)
  const cancelled = ofFate.get('cancel') ?? []
  const parkable = ofFate.get('park') ?? []
  const disabled = await lockDisabled(
    context,
    parkable.flatMap(({ endpoint_id }) => (endpoint_id === null ? [] : [uuid(endpoint_id)])),
  )
  const parked = parkable.filter(({ endpoint_id }) => endpoint_id !== null && disabled.has(uuid(endpoint_id)))
  const bare = (ofFate.get('lease') ?? []).filter(({ payload_bytes }) => payload_bytes === null)
  const gone = await cancelDeliveries(context, cancelled.map(toLockedRow))
  const givenUp = await giveUpWithoutPayload(context, bare.map(toLockedRow))
  await parkDeliveries(context, parked.map(toLockedRow), 'endpoint_disabled')
  const finished = [...cancelled, ...bare].filter(
    ({ id }) => gone.ids.has(uuid(id)) || givenUp.ids.has(uuid(id)),
  )
  return new Set([...finished, ...parked])
}

function laterOf(a: Position, b: Position): Position {
  return isLater(b, a) ? b : a
}
