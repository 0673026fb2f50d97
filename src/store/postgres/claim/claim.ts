/**
 * Claims due deliveries: reads, locks and writes what `core/claim` says. The cost follows the rows claimed and the
 * targets looked at, never the backlog.
 *
 * Whoever holds a target's ready row is the only one who claims of it. Rows of it that somebody else has locked
 * (an outcome that comes in after its lease ended) are passed over, so a claim waits for nobody.
 */
import { type Ask, ClaimBatch, type Grant } from '../../../core/claim/claim-batch.ts'
import { fateOf, leased } from '../../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { ClaimedDelivery, ClaimRequest, ClaimResult } from '../../port.ts'
import { type Context, now } from '../connection/context.ts'
import { lockDisabled } from '../record/endpoint-locks.ts'
import { cancelDeliveries, countMoved, giveUpWithoutPayload } from '../record/finish.ts'
import { type LockedColumns, parkDeliveries, toLockedRow } from '../record/wait.ts'
import { uuid } from '../rows/wire-types.ts'
import { type Candidate, type Claimant, pickCandidates } from './candidates.ts'
import { isLater, moveMark, type Position } from './low-water-marks.ts'
import { writeSpent } from './rate-buckets.ts'
import { writeReadyAfterLook } from './ready-after-look.ts'
import { renewNode } from './shares.ts'

interface DueRow extends LockedColumns {
  readonly target_id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly created_at: number
  readonly due_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly payload_bytes: number | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly routing_version: number
}

type Taken = Grant<Candidate, DueRow>

/** How far a claim got with one target. */
interface Progress {
  /** The last delivery that was read: the next look goes on behind it, though it is still due. */
  reached: Position
  readonly rows: DueRow[]
  /** Those that were cancelled or parked. */
  readonly disposed: Set<DueRow>
}

type ProgressOf = Map<Candidate, Progress>

export async function claim(
  context: Context,
  request: ClaimRequest,
  claimant: Claimant,
): Promise<ClaimResult> {
  if (!claimant.node.isRenewed) {
    await renewNode(context, claimant.node, { usableMs: request.leaseMs, openMs: 0 })
  }
  const { limit, startable = limit, maxBytes } = request
  if (limit <= 0) {
    const nextDueMs = await writeReadyAfterLook(context, [])
    return { deliveries: [], nextDueMs, cluster: { shares: new Map(), routingVersions: new Map() } }
  }
  const { open, blocked, shares } = await pickCandidates(context, request, claimant)
  const batch = new ClaimBatch<Candidate, DueRow>(open, { limit, startable, maxBytes })
  const progress: ProgressOf = new Map()
  for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
    await look(context, { asks, batch, progress })
  }
  const taken = batch.grants()
  const deliveries = await lease(context, taken, request.leaseMs)
  const given = countGiven(taken)
  await writeSpent(
    context,
    Array.from(given).flatMap(([{ target, rate }, count]) =>
      rate === null ? [] : [{ target, ...rate, count }],
    ),
  )
  const leasedRows = new Set(taken.map(({ row }) => row))
  const looked = batch.looked().map((candidate) => {
    const count = given.get(candidate) ?? 0
    const ends = endsOf(progress.get(candidate), leasedRows)
    const reached = moveMark(claimant.marks, { ...candidate, ...ends, given: count })
    // After one that gave, the next look comes soon, and finds what others have locked now.
    return { ...candidate, gave: count > 0, leftFrom: count > 0 ? reached : candidate.start.from }
  })
  const held = blocked.map((each) => ({ ...each, gave: false, isRated: true, leftFrom: each.start.from }))
  const nextDueMs = await writeReadyAfterLook(context, [...looked, ...held])
  const versions = taken.map(({ row, target }) => [target.tenantId, row.routing_version] as const)
  return { deliveries, nextDueMs, cluster: { shares, routingVersions: new Map(versions) } }
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

const dueSql = `
select d.target_id, d.id, d.event_id, d.subscription_id, d.endpoint_id, d.state, d.claim_version, d.attempt_count,
  d.lost_claims, d.created_at, d.due_at, v.topic, v.metadata, v.payload_bytes,
  (d.endpoint_id is not null and (e.id is null or e.deleted_at is not null))
    or (d.subscription_id is not null and (s.id is null or s.deleted_at is not null)) as is_deleted,
  e.disabled_reason is not null as is_disabled, coalesce(t.routing_version, 0) as routing_version
from unnest($2::uuid[], $3::integer[], $4::bigint[], $5::uuid[]) as c (target_id, count, after_due, after_id)
cross join lateral ( -- live_deliveries_due
  select l.* from live_deliveries l
  where l.target_id = c.target_id and l.due_at is not null and l.due_at <= ${now}
    and (l.due_at, l.id) > (c.after_due, c.after_id)
  order by l.due_at, l.id limit c.count for update skip locked) d
left join events v on v.id = d.event_id
left join endpoints e on e.id = d.endpoint_id
left join subscriptions s on s.id = d.subscription_id
left join tenants t on t.id = d.tenant_id`

interface Looking {
  readonly asks: readonly Ask<Candidate>[]
  readonly batch: ClaimBatch<Candidate, DueRow>
  readonly progress: ProgressOf
}

async function look(context: Context, { asks, batch, progress }: Looking): Promise<void> {
  const after = asks.map(({ target }) => progress.get(target)?.reached ?? target.start.from)
  const rows = await context.query<DueRow>('take_due', dueSql, [
    context.shiftMs,
    asks.map(({ target }) => uuid(target.target)),
    asks.map(({ count }) => count),
    after.map(({ dueAt }) => dueAt),
    after.map(({ id }) => id),
  ])
  const disposed = await disposeOf(context, rows)
  const ofTarget = Map.groupBy(rows, (row) => uuid(row.target_id))
  asks.forEach((ask, index) => {
    const found = ofTarget.get(uuid(ask.target.target)) ?? []
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
    const leasable = found.filter((row) => fateOfRow(row).kind === 'lease')
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
    parkable.flatMap(({ endpoint_id }) => endpoint_id ?? []),
  )
  const parked = parkable.filter(({ endpoint_id }) => endpoint_id !== null && disabled.has(uuid(endpoint_id)))
  await cancelDeliveries(
    context,
    cancelled.map(({ id }) => id),
  )
  await parkDeliveries(context, parked.map(toLockedRow), 'endpoint_disabled')
  return new Set([...cancelled, ...parked])
}

function laterOf(a: Position, b: Position): Position {
  return isLater(b, a) ? b : a
}

async function lease(
  context: Context,
  taken: readonly Taken[],
  leaseMs: number,
): Promise<readonly ClaimedDelivery[]> {
  if (taken.length === 0) return []
  const payloads = await leaseRows(context, taken, leaseMs)
  const whole = taken.filter(({ row }) => payloads.has(uuid(row.event_id)))
  if (whole.length < taken.length) {
    const bare = taken.filter(({ row }) => !payloads.has(uuid(row.event_id)))
    await giveUpWithoutPayload(
      context,
      bare.map(({ row }) => row.id),
    )
  }
  await markProbes(context, whole, leaseMs)
  return whole.map((each) => toClaimed(each, payloads.get(uuid(each.row.event_id)) as Uint8Array))
}

function leasedRow(row: DueRow) {
  return leased(toLockedRow(row))
}

/** The payloads by event. One that is gone leaves its delivery as it was. */
async function leaseRows(
  context: Context,
  taken: readonly Taken[],
  leaseMs: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const after = taken.map(({ row }) => leasedRow(row))
  const rows = await context.query<{ readonly event_id: Uint8Array; readonly payload: Uint8Array }>(
    'lease_rows',
    // primary keys; the rows are locked since they were read
    `with leased as (
       update live_deliveries d set state = 'in_flight', due_at = ${now} + $6::bigint,
         claim_version = o.claim_version, lost_claims = o.lost_claims, updated_at = ${now}
       from unnest($2::uuid[], $3::text[], $4::uuid[], $7::integer[], $8::integer[])
         as o (id, state, event_id, claim_version, lost_claims)
       where d.id = o.id and exists (select from event_payloads p where p.event_id = o.event_id)
       returning d.tenant_id, d.endpoint_id, o.state as from_state, d.state as to_state
     ), moved as (select * from leased), counted as (${countMoved})
     select p.event_id, p.payload
     from unnest($5::uuid[]) as w (event_id) join event_payloads p on p.event_id = w.event_id`,
    [
      context.shiftMs,
      taken.map(({ row }) => uuid(row.id)),
      taken.map(({ row }) => row.state),
      taken.map(({ row }) => uuid(row.event_id)),
      Array.from(new Set(taken.map(({ row }) => uuid(row.event_id)))),
      Math.round(leaseMs),
      after.map(({ claimVersion }) => claimVersion),
      after.map(({ lostClaims }) => lostClaims),
    ],
  )
  return new Map(rows.map((row) => [uuid(row.event_id), row.payload]))
}

async function markProbes(context: Context, taken: readonly Taken[], leaseMs: number): Promise<void> {
  const probes = taken.filter(({ target }) => target.isProbe)
  if (probes.length === 0) return
  await context.query(
    'mark_probes',
    // primary key; the rows are locked since they were chosen
    `update endpoint_state s set probe_delivery_id = o.delivery_id, probe_until = ${now} + $4::bigint
     from unnest($2::uuid[], $3::uuid[]) as o (target_id, delivery_id) where s.target_id = o.target_id`,
    [
      context.shiftMs,
      probes.map(({ target }) => uuid(target.target)),
      probes.map(({ row }) => uuid(row.id)),
      Math.round(leaseMs),
    ],
  )
}

function toClaimed({ row, target }: Taken, payload: Uint8Array): ClaimedDelivery {
  const optionalId = (prefix: 'ep' | 'sub', bytes: Uint8Array | null) =>
    bytes === null ? null : bytesToId(prefix, bytes)
  const { claimVersion, lostClaims } = leasedRow(row)
  return {
    id: bytesToId(idPrefixes.delivery, row.id),
    tenantId: target.tenantId,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    subscriptionId: optionalId(idPrefixes.subscription, row.subscription_id),
    endpointId: optionalId(idPrefixes.endpoint, row.endpoint_id),
    targetId: target.targetId,
    topic: row.topic,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    payload,
    claimVersion,
    attemptCount: row.attempt_count,
    lostClaims,
    createdAt: row.created_at,
  }
}
