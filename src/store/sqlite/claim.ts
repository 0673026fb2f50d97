/** Claims due deliveries: reads and writes what `core/claim` says. The cost follows the rows claimed and the targets looked at, never the backlog. */
import { type Ask, ClaimBatch, type Found } from '../../core/claim/claim-batch.ts'
import { type Claimable, fateOf, leased } from '../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes, idToBytes } from '../../core/ids.ts'
import type { ClaimedDelivery, ClaimRequest, ClaimResult } from '../port.ts'
import { type Candidate, pickCandidates, type TenantRotation } from './claim-candidates.ts'
import { cancelDelivery, finishDelivery, parkDelivery } from './finish.ts'
import { spend, writeBucket } from './rate-buckets.ts'
import { nextReadyAt, writeReadyAfterLook } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Payloads up to this come with the row; larger ones are read once it is known that the row is leased. */
const maxEagerBytes = 16 * 1024

interface DueRow {
  readonly id: Uint8Array
  readonly event_id: Uint8Array
  readonly subscription_id: Uint8Array | null
  readonly endpoint_id: Uint8Array | null
  readonly state: Claimable['state']
  readonly due_at: number
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly created_at: number
  readonly topic: string | null
  readonly metadata: string | null
  readonly payload_bytes: number | null
  /** Null: it is large. */
  readonly payload: Uint8Array | null
}

/** The last due row that was read of a target. */
type Position = Pick<DueRow, 'due_at' | 'id'>

const beginning: Position = { due_at: -1, id: new Uint8Array(0) }

export function claim(context: WriteContext, request: ClaimRequest, rotation: TenantRotation): ClaimResult {
  const deliveries = request.limit <= 0 ? [] : claimDue(context, request, rotation)
  const next = nextReadyAt(context)
  return { deliveries, nextDueMs: next === null ? null : Math.max(0, next - context.now), cluster: null }
}

function claimDue(
  context: WriteContext,
  request: ClaimRequest,
  rotation: TenantRotation,
): readonly ClaimedDelivery[] {
  const { limit, startable = limit, maxBytes, leaseMs } = request
  const { open, blocked } = pickCandidates(context, request, rotation)
  const batch = new ClaimBatch<Candidate, DueRow>(open, { limit, startable, maxBytes })
  const reached = new Map<Candidate, Position>()
  for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
    for (const ask of asks) {
      const rows = readDue(context, ask, reached.get(ask.target) ?? beginning)
      const last = rows.at(-1)
      if (last !== undefined) reached.set(ask.target, last)
      batch.add(ask, sortOut(context, ask.target, rows))
    }
  }
  const given = new Map<Candidate, number>()
  const deliveries = batch.grants().map(({ target, row }) => {
    given.set(target, (given.get(target) ?? 0) + 1)
    return lease(context, target, row, leaseMs)
  })
  for (const [{ targetId }, count] of given) {
    spend(context, targetId, count)
    writeBucket(context, targetId)
  }
  for (const candidate of [...batch.looked(), ...blocked]) {
    const gave = given.has(candidate)
    writeReadyAfterLook(context, candidate.target, {
      targetId: candidate.targetId,
      standing: candidate.nextAt,
      gave,
    })
  }
  return deliveries
}

function readDue(context: WriteContext, ask: Ask<Candidate>, after: Position): readonly DueRow[] {
  return context
    .prepare(
      // live_deliveries_due, then primary keys
      `select d.id, d.event_id, d.subscription_id, d.endpoint_id, d.state, d.due_at, d.claim_version, d.attempt_count,
              d.lost_claims, d.created_at, e.topic, e.metadata, length(p.payload) as payload_bytes,
              iif(length(p.payload) <= ${maxEagerBytes}, p.payload, null) as payload
       from live_deliveries d indexed by live_deliveries_due
       left join events e on e.id = d.event_id
       left join event_payloads p on p.event_id = d.event_id
       where d.target_id = ? and d.due_at <= ? and (d.due_at, d.id) > (?, ?)
       order by d.due_at, d.id limit ?`,
    )
    .all(ask.target.target, context.now, after.due_at, after.id, ask.count) as unknown as readonly DueRow[]
}

/** Rows that nobody may attempt any more leave the claim index here. */
function sortOut(context: WriteContext, candidate: Candidate, rows: readonly DueRow[]): Found<DueRow> {
  const { memory } = context
  const leasable: { readonly row: DueRow; readonly bytes: number }[] = []
  for (const row of rows) {
    const endpointId = row.endpoint_id === null ? null : bytesToId(idPrefixes.endpoint, row.endpoint_id)
    const facts = endpointId === null ? null : memory.endpoint(endpointId)
    const isDeleted =
      (endpointId !== null && (facts === null || facts.deleted)) ||
      (row.subscription_id !== null &&
        memory.isSubscriptionDeleted(bytesToId(idPrefixes.subscription, row.subscription_id)))
    const fate = fateOf({ isDeleted, isDisabled: facts?.disabled === true })
    const waiting = { id: row.id, state: row.state, tenantId: candidate.tenantId, endpointId }
    if (fate.kind === 'cancel') cancelDelivery(context, waiting)
    else if (fate.kind === 'park') parkDelivery(context, waiting)
    else if (row.payload_bytes === null) giveUpWithoutPayload(context, candidate, row)
    else leasable.push({ row, bytes: row.payload_bytes })
  }
  return { leasable, others: rows.length - leasable.length }
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

function lease(context: WriteContext, candidate: Candidate, row: DueRow, leaseMs: number): ClaimedDelivery {
  const { now } = context
  const { claimVersion, lostClaims } = leased({
    state: row.state,
    claimVersion: row.claim_version,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims,
  })
  context
    .prepare(
      `update live_deliveries set state = 'in_flight', due_at = ?, claim_version = ?, lost_claims = ?, updated_at = ?
       where id = ?`,
    )
    .run(now + leaseMs, claimVersion, lostClaims, now, row.id)
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
    payload: row.payload ?? readPayload(context, row.event_id),
    claimVersion,
    attemptCount: row.attempt_count,
    lostClaims,
    createdAt: row.created_at,
  }
}

function readPayload(context: WriteContext, event: Uint8Array): Uint8Array {
  // primary key
  const row = context.prepare('select payload from event_payloads where event_id = ?').get(event)
  return row?.payload as Uint8Array
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
