/**
 * Claims due deliveries. Tenants take turns, and within a tenant its ready targets: every candidate gives an equal
 * share, and what the small ones leave goes to the others in further rounds, so that a lone target fills the batch.
 * The cost follows the rows claimed and the targets looked at, never the backlog.
 *
 * Whoever holds a target's ready row is the only one who claims of it. Rows of it that somebody else has locked
 * (an outcome that comes in after its lease ended) are passed over, so a claim waits for nobody.
 */
import { bytesToId, idPrefixes } from '../../core/ids.ts'
import type { LiveState } from '../../core/model.ts'
import type { ClaimedDelivery, ClaimRequest, ClaimResult } from '../port.ts'
import { type Candidate, type Claimant, pickCandidates } from './claim-candidates.ts'
import { type Context, now } from './context.ts'
import { lockDisabled } from './endpoint-locks.ts'
import { cancelDeliveries, countMoved, giveUpWithoutPayload, parkDeliveries } from './finish.ts'
import { isLater, moveMark, type Position } from './low-water-marks.ts'
import { writeSpent } from './rate-buckets.ts'
import { settleReady } from './settle-ready.ts'
import { renewNode } from './shares.ts'
import { uuid } from './wire-types.ts'

/** Rounds of one claim. Each further one serves what the rows before it left. */
const maxRounds = 4

interface DueRow {
  readonly target_id: Uint8Array
  readonly id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly state: LiveState
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly created_at: number
  readonly due_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly payload_bytes: number | null
  readonly is_deleted: boolean
  readonly is_disabled: boolean
  readonly routing_version: number
}

interface Taken {
  readonly row: DueRow
  readonly candidate: Candidate
}

interface Batch {
  readonly request: ClaimRequest
  readonly taken: Taken[]
  /** What targets with a rate may still give. */
  startable: number
  bytes: number
  /** Due work was left because of `maxBytes`. */
  isFull: boolean
}

export async function claim(
  context: Context,
  request: ClaimRequest,
  claimant: Claimant,
): Promise<ClaimResult> {
  if (!claimant.node.isRenewed) {
    await renewNode(context, claimant.node, { usableMs: request.leaseMs, openMs: 0 })
  }
  if (request.limit <= 0) {
    return { deliveries: [], nextDueMs: await settleReady(context, { candidates: [], blocked: [] }) }
  }
  const { open, blocked, shares } = await pickCandidates(context, request, claimant)
  const startable = request.startable ?? request.limit
  const batch: Batch = { request, taken: [], startable, bytes: 0, isFull: false }
  await takeFresh(context, open, batch)
  await takeFairly(context, open, batch)
  const deliveries = await lease(context, batch)
  const looked = open.filter((candidate) => candidate.isLooked)
  await writeSpent(
    context,
    looked.flatMap(({ target, rate, given }) =>
      rate === null || given === 0 ? [] : [{ target, ...rate, count: given }],
    ),
  )
  for (const candidate of looked) {
    const reached = moveMark(claimant.marks, candidate)
    // Its next look comes soon, and finds what others have locked now.
    if (candidate.given > 0) candidate.settleFrom = reached
  }
  const nextDueMs = await settleReady(context, { candidates: looked, blocked })
  if (deliveries.length === 0) return { deliveries, nextDueMs, shares }
  const versions = batch.taken.map(({ row, candidate }) => [candidate.tenantId, row.routing_version] as const)
  return { deliveries, nextDueMs, shares, routingVersions: new Map(versions) }
}

/** What one fresh target may give before the others have their turn: what gathers while it waits for its own. */
const freshQuantum = 16

/** The fresh targets first, from at most half of what is their tenants' share. */
async function takeFresh(context: Context, candidates: readonly Candidate[], batch: Batch): Promise<void> {
  const fresh = candidates.filter((candidate) => candidate.isFresh)
  const share = batch.request.limit / countTenants(candidates)
  const upTo = Math.ceil((share * countTenants(fresh)) / 2)
  await takeInRounds(context, { candidates: fresh, upTo, quantum: freshQuantum }, batch)
}

function countTenants(candidates: readonly Candidate[]): number {
  return new Set(candidates.map(({ tenantId }) => tenantId)).size
}

async function takeFairly(context: Context, candidates: readonly Candidate[], batch: Batch): Promise<void> {
  await takeInRounds(context, { candidates, upTo: batch.request.limit, quantum: batch.request.limit }, batch)
}

interface Rounds {
  readonly candidates: readonly Candidate[]
  /** Deliveries in the batch, when they end. */
  readonly upTo: number
  /** Deliveries of one target. */
  readonly quantum: number
}

/** Rounds of equal shares: by tenant, then by target, until there are enough or nothing is left. */
async function takeInRounds(
  context: Context,
  { candidates, upTo, quantum }: Rounds,
  batch: Batch,
): Promise<void> {
  const mayGive = (candidate: Candidate) =>
    candidate.mayHaveMore && candidate.slots > 0 && candidate.given < quantum
  let open = candidates.filter(mayGive)
  for (let round = 0; round < maxRounds && open.length > 0 && !batch.isFull; round++) {
    const budget = upTo - batch.taken.length
    if (budget <= 0) return
    await takeDue(context, shareOut(open, { budget, quantum }), batch)
    open = open.filter(mayGive)
  }
}

interface Share {
  readonly candidate: Candidate
  readonly count: number
}

function shareOut(
  open: readonly Candidate[],
  { budget, quantum }: { readonly budget: number; readonly quantum: number },
): readonly Share[] {
  const targetsOf = new Map<string, number>()
  for (const { tenantId } of open) targetsOf.set(tenantId, (targetsOf.get(tenantId) ?? 0) + 1)
  const tenantShare = Math.max(1, Math.floor(budget / targetsOf.size))
  const leftOf = new Map(Array.from(targetsOf.keys(), (tenantId) => [tenantId, tenantShare]))
  const shares: Share[] = []
  let left = budget
  for (const candidate of open) {
    const { tenantId } = candidate
    const share = Math.max(1, Math.floor(tenantShare / (targetsOf.get(tenantId) ?? 1)))
    // However many targets a tenant has, together they get its share; the next round gives out what is left.
    const count = Math.min(share, left, leftOf.get(tenantId) ?? 0, candidate.slots, quantum - candidate.given)
    if (count <= 0) continue
    shares.push({ candidate, count })
    left -= count
    leftOf.set(tenantId, (leftOf.get(tenantId) ?? 0) - count)
  }
  return shares
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

async function takeDue(context: Context, shares: readonly Share[], batch: Batch): Promise<void> {
  const rows = await context.query<DueRow>('take_due', dueSql, [
    context.shiftMs,
    shares.map(({ candidate }) => uuid(candidate.target)),
    shares.map(({ count }) => count),
    shares.map(({ candidate }) => candidate.after.dueAt),
    shares.map(({ candidate }) => candidate.after.id),
  ])
  const byTarget = new Map(shares.map((share) => [uuid(share.candidate.target), share]))
  const found = new Map<Candidate, number>()
  const disabled = await lockDisabled(
    context,
    rows.flatMap((row) => (row.is_disabled && row.endpoint_id !== null ? [row.endpoint_id] : [])),
  )
  const cancelled: Uint8Array[] = []
  const parked: DueRow[] = []
  for (const row of rows) {
    const candidate = byTarget.get(uuid(row.target_id))?.candidate
    if (candidate === undefined) continue
    found.set(candidate, (found.get(candidate) ?? 0) + 1)
    const at = { dueAt: row.due_at, id: uuid(row.id) }
    candidate.after = laterOf(candidate.after, at)
    let isLeft = false
    if (row.is_deleted) cancelled.push(row.id)
    else if (row.endpoint_id !== null && disabled.has(uuid(row.endpoint_id))) parked.push(row)
    // Enabled in this very moment: it is due again with the next claim.
    else isLeft = row.is_disabled || !take(batch, { row, candidate })
    if (!isLeft) candidate.passed = laterOf(candidate.passed ?? at, at)
    else if (candidate.left === null || isLater(candidate.left, at)) candidate.left = at
  }
  for (const { candidate, count } of shares) {
    candidate.mayHaveMore = found.get(candidate) === count
    candidate.isLooked = true
  }
  await cancelDeliveries(context, cancelled)
  await parkDeliveries(context, parked)
}

function laterOf(a: Position, b: Position): Position {
  return isLater(b, a) ? b : a
}

/** False: the batch has no room for it. */
function take(batch: Batch, taken: Taken): boolean {
  const { candidate } = taken
  if (candidate.rate !== null && batch.startable <= 0) candidate.slots = 0
  if (candidate.slots <= 0) return false
  const bytes = taken.row.payload_bytes ?? 0
  if (batch.taken.length > 0 && batch.bytes + bytes > batch.request.maxBytes) batch.isFull = true
  if (batch.isFull) return false
  batch.bytes += bytes
  batch.taken.push(taken)
  candidate.slots -= 1
  candidate.given += 1
  if (candidate.rate !== null) batch.startable -= 1
  return true
}

async function lease(context: Context, batch: Batch): Promise<readonly ClaimedDelivery[]> {
  if (batch.taken.length === 0) return []
  const { leaseMs } = batch.request
  const payloads = await leaseRows(context, batch.taken, leaseMs)
  const whole = batch.taken.filter(({ row }) => payloads.has(uuid(row.event_id)))
  if (whole.length < batch.taken.length) {
    const bare = batch.taken.filter(({ row }) => !payloads.has(uuid(row.event_id)))
    await giveUpWithoutPayload(
      context,
      bare.map(({ row }) => row.id),
    )
  }
  await markProbes(context, whole, leaseMs)
  return whole.map((taken) => toClaimed(taken, payloads.get(uuid(taken.row.event_id)) as Uint8Array))
}

/** The payloads by event. One that is gone leaves its delivery as it was. */
async function leaseRows(
  context: Context,
  taken: readonly Taken[],
  leaseMs: number,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const rows = await context.query<{ readonly event_id: Uint8Array; readonly payload: Uint8Array }>(
    'lease_rows',
    // primary keys; the rows are locked since they were read
    `with leased as (
       update live_deliveries d set state = 'in_flight', due_at = ${now} + $6::bigint,
         claim_version = d.claim_version + 1, lost_claims = d.lost_claims + (d.state = 'in_flight')::integer,
         updated_at = ${now}
       from unnest($2::uuid[], $3::text[], $4::uuid[]) as o (id, state, event_id)
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
    ],
  )
  return new Map(rows.map((row) => [uuid(row.event_id), row.payload]))
}

async function markProbes(context: Context, taken: readonly Taken[], leaseMs: number): Promise<void> {
  const probes = taken.filter(({ candidate }) => candidate.isProbe)
  if (probes.length === 0) return
  await context.query(
    'mark_probes',
    // primary key; the rows are locked since they were chosen
    `update endpoint_state s set probe_delivery_id = o.delivery_id, probe_until = ${now} + $4::bigint
     from unnest($2::uuid[], $3::uuid[]) as o (target_id, delivery_id) where s.target_id = o.target_id`,
    [
      context.shiftMs,
      probes.map(({ candidate }) => uuid(candidate.target)),
      probes.map(({ row }) => uuid(row.id)),
      Math.round(leaseMs),
    ],
  )
}

function toClaimed({ row, candidate }: Taken, payload: Uint8Array): ClaimedDelivery {
  const optionalId = (prefix: 'ep' | 'sub', bytes: Uint8Array | null) =>
    bytes === null ? null : bytesToId(prefix, bytes)
  return {
    id: bytesToId(idPrefixes.delivery, row.id),
    tenantId: candidate.tenantId,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    subscriptionId: optionalId(idPrefixes.subscription, row.subscription_id),
    endpointId: optionalId(idPrefixes.endpoint, row.endpoint_id),
    targetId: candidate.targetId,
    topic: row.topic,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    payload,
    claimVersion: row.claim_version + 1,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims + (row.state === 'in_flight' ? 1 : 0),
    createdAt: row.created_at,
  }
}
