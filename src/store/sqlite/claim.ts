/**
 * Claims due deliveries. Tenants take turns, and within a tenant its ready targets: every candidate gives an equal
 * share, and what the small ones leave goes to the others in further rounds, so that a lone target fills the batch.
 * The cost follows the rows claimed and the targets looked at, never the backlog.
 */
import { bytesToId, idPrefixes, idToBytes } from '../../core/ids.ts'
import type { ClaimedDelivery, ClaimRequest, ClaimResult } from '../port.ts'
import { type Candidate, nextReadyAt, pickCandidates, type TenantRotation } from './claim-candidates.ts'
import { cancelDelivery, finishDelivery, parkDelivery } from './finish.ts'
import { spend, writeBucket } from './rate-buckets.ts'
import { moveReady, rearmReady } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Rows of one target that a claim cancels or parks at most; the next one goes on. */
const maxDisposed = 200

interface DueRow {
  readonly id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly state: 'pending' | 'in_flight' | 'retry_scheduled'
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly created_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly payload: Uint8Array | null
}

interface Batch {
  readonly request: ClaimRequest
  readonly deliveries: ClaimedDelivery[]
  /** What targets with a rate may still give. */
  startable: number
  bytes: number
  /** Due work was left because of `maxBytes`. */
  full: boolean
}

export function claim(context: WriteContext, request: ClaimRequest, rotation: TenantRotation): ClaimResult {
  const startable = request.startable ?? request.limit
  const batch: Batch = { request, deliveries: [], startable, bytes: 0, full: request.limit <= 0 }
  if (!batch.full) {
    const candidates = pickCandidates(context, request, rotation)
    takeFresh(context, candidates, batch)
    takeFairly(context, candidates, batch)
    for (const candidate of candidates) settleReady(context, candidate)
  }
  const next = nextReadyAt(context)
  return { deliveries: batch.deliveries, nextDueMs: next === null ? null : Math.max(0, next - context.now) }
}

/** What one fresh target may give before the shares are counted: what gathers while it waits for its turn. */
const freshQuantum = 16

/** The fresh targets of a tenant first, from at most half of its share. */
function takeFresh(context: WriteContext, candidates: readonly Candidate[], batch: Batch): void {
  const byTenant = Map.groupBy(candidates, (candidate) => candidate.tenantId)
  const half = Math.max(1, Math.floor(batch.request.limit / byTenant.size / 2))
  for (const ofTenant of byTenant.values()) {
    const end = batch.deliveries.length + half
    for (const candidate of ofTenant) {
      const room = Math.min(end, batch.request.limit) - batch.deliveries.length
      if (room <= 0 || batch.full) break
      if (!candidate.isFresh || candidate.slots === 0) continue
      takeDue(context, candidate, Math.min(freshQuantum, room, candidate.slots), batch)
    }
  }
}

/** Rounds of equal shares: by tenant, then by target, until the batch is full or nothing is left. */
function takeFairly(context: WriteContext, candidates: readonly Candidate[], batch: Batch): void {
  let open = candidates.filter((candidate) => candidate.mayHaveMore && candidate.slots > 0)
  while (open.length > 0 && !batch.full) {
    const budget = batch.request.limit - batch.deliveries.length
    if (budget <= 0) return
    const targetsOf = new Map<string, number>()
    for (const { tenantId } of open) targetsOf.set(tenantId, (targetsOf.get(tenantId) ?? 0) + 1)
    const tenantShare = Math.max(1, Math.floor(budget / targetsOf.size))
    const leftOf = new Map(Array.from(targetsOf.keys(), (tenantId) => [tenantId, tenantShare]))
    for (const candidate of open) {
      const { tenantId } = candidate
      const left = leftOf.get(tenantId) ?? 0
      const share = Math.max(1, Math.floor(tenantShare / (targetsOf.get(tenantId) ?? 1)))
      const room = Math.min(left, batch.request.limit - batch.deliveries.length)
      if (batch.full) break
      if (room <= 0) continue
      const before = batch.deliveries.length
      takeDue(context, candidate, Math.min(share, room, candidate.slots), batch)
      leftOf.set(tenantId, left - (batch.deliveries.length - before))
    }
    open = open.filter((candidate) => candidate.mayHaveMore && candidate.slots > 0)
  }
}

function takeDue(context: WriteContext, candidate: Candidate, count: number, batch: Batch): void {
  const rows = readDue(context, candidate, { count, maxBytes: batch.request.maxBytes - batch.bytes })
  candidate.looked = true
  for (const row of rows) {
    if (dispose(context, candidate, row)) continue
    const { payload } = row
    if (payload === null) {
      giveUpWithoutPayload(context, candidate, row)
      continue
    }
    if (candidate.isRated && batch.startable <= 0) {
      candidate.slots = 0
      return
    }
    const bytes = payload.byteLength
    if (batch.deliveries.length > 0 && batch.bytes + bytes > batch.request.maxBytes) {
      batch.full = true
      return
    }
    batch.bytes += bytes
    batch.deliveries.push(lease(context, candidate, { ...row, payload }, batch.request.leaseMs))
    candidate.slots -= 1
    candidate.given += 1
    if (candidate.isRated) batch.startable -= 1
  }
}

/** The first `count` due rows, cut off behind the one that exceeds `maxBytes`: payloads may be large. */
function readDue(
  context: WriteContext,
  candidate: Candidate,
  bounds: { readonly count: number; readonly maxBytes: number },
): readonly DueRow[] {
  const due = context
    .prepare(
      // live_deliveries_due, then primary keys
      `select d.id, d.event_id, d.subscription_id, d.endpoint_id, d.state, d.claim_version, d.attempt_count,
              d.lost_claims, d.created_at, e.topic, e.metadata, p.payload
       from live_deliveries d indexed by live_deliveries_due
       left join events e on e.id = d.event_id
       left join event_payloads p on p.event_id = d.event_id
       where d.target_id = ? and d.due_at <= ?
       order by d.due_at, d.id limit ?`,
    )
    .iterate(candidate.target, context.now, bounds.count) as unknown as Iterable<DueRow>
  const rows: DueRow[] = []
  let bytes = 0
  for (const row of due) {
    rows.push(row)
    bytes += row.payload?.byteLength ?? 0
    if (bytes > bounds.maxBytes) break
  }
  candidate.mayHaveMore = rows.length === bounds.count || bytes > bounds.maxBytes
  return rows
}

/** Rows that nobody may attempt any more leave the claim index here. True: it is gone from it. */
function dispose(context: WriteContext, candidate: Candidate, row: DueRow): boolean {
  const { memory } = context
  const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
  const facts = endpointId === null ? null : memory.endpoint(endpointId)
  const waiting = { id: row.id, state: row.state, tenantId: candidate.tenantId, endpointId }
  const isDeleted =
    (endpointId !== null && (facts === null || facts.deleted)) ||
    (row.subscription_id !== null &&
      memory.isSubscriptionDeleted(bytesToId(idPrefixes.subscription, row.subscription_id)))
  if (!isDeleted && facts?.disabled !== true) return false
  if (candidate.disposed >= maxDisposed) candidate.mayHaveMore = false
  candidate.disposed += 1
  if (isDeleted) cancelDelivery(context, waiting)
  else parkDelivery(context, waiting)
  return true
}

/** Only a damaged database gets here. Leaving the row would make every claim come back to it. */
function giveUpWithoutPayload(context: WriteContext, candidate: Candidate, row: DueRow): void {
  finishDelivery(context, row.id, {
    state: 'dead_lettered',
    claimVersion: row.claim_version + 1,
    attemptCount: row.attempt_count,
    lastHttpStatus: null,
    errorClass: 'internal',
    lastError: 'the payload is gone from the store',
  })
  const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
  context.counts.move({ tenantId: candidate.tenantId, endpointId }, row.state, 'dead_lettered')
}

type LeasableRow = DueRow & { readonly payload: Uint8Array }

function lease(
  context: WriteContext,
  candidate: Candidate,
  row: LeasableRow,
  leaseMs: number,
): ClaimedDelivery {
  const { now } = context
  const lostClaims = row.lost_claims + (row.state === 'in_flight' ? 1 : 0)
  context
    .prepare(
      `update live_deliveries set state = 'in_flight', due_at = ?, claim_version = ?, lost_claims = ?, updated_at = ?
       where id = ?`,
    )
    .run(now + leaseMs, row.claim_version + 1, lostClaims, now, row.id)
  const id = bytesToId(idPrefixes.delivery, row.id)
  const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
  context.counts.move({ tenantId: candidate.tenantId, endpointId }, row.state, 'in_flight')
  if (candidate.isProbe) markProbe(context, candidate, { deliveryId: id, until: now + leaseMs })
  return {
    id,
    tenantId: candidate.tenantId,
    eventId: bytesToId(idPrefixes.event, row.event_id),
    subscriptionId:
      row.subscription_id === null ? null : bytesToId(idPrefixes.subscription, row.subscription_id),
    endpointId,
    targetId: candidate.targetId,
    topic: row.topic,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    payload: row.payload,
    claimVersion: row.claim_version + 1,
    attemptCount: row.attempt_count,
    lostClaims,
    createdAt: row.created_at,
  }
}

function markProbe(
  context: WriteContext,
  candidate: Candidate,
  probe: { readonly deliveryId: string; readonly until: number },
): void {
  const known = context.memory.health(candidate.targetId)
  if (known === null) return
  context.memory.setHealth(candidate.targetId, { health: known.health, probe })
  context
    .prepare('update endpoint_state set probe_delivery_id = ?, probe_until = ? where target_id = ?')
    .run(idToBytes(probe.deliveryId), probe.until, candidate.target)
}

/** Never leaves a ready row that promises work where there is none: that would make claims spin. */
function settleReady(context: WriteContext, candidate: Candidate): void {
  if (candidate.given > 0) {
    spend(context, candidate.targetId, candidate.given)
    writeBucket(context, candidate.targetId)
  }
  const blockedUntil = context.memory.blockedUntil(candidate.targetId, context.now)
  if (candidate.looked) rearmReady(context, candidate.target, { blockedUntil, wasFresh: candidate.isFresh })
  else if (blockedUntil !== null) moveReady(context, candidate.target, blockedUntil)
}
