/** Claims due deliveries: reads and writes what `core/claim` says. The cost follows the rows claimed and the targets looked at, never the backlog. */
import { type Ask, ClaimBatch, type Found } from '../../../core/claim/claim-batch.ts'
import { fateOf, leased } from '../../../core/claim/row-fate.ts'
import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import type { LiveState } from '../../../core/model.ts'
import type { ClaimedDelivery, ClaimRequest, ClaimResult } from '../../port.ts'
import { anyLimit } from '../connection/statement-cache.ts'
import { cancelDelivery, finishWaiting } from '../record/finish.ts'
import type { WaitingRow } from '../record/last-result.ts'
import { endExpiredLeases, parkDelivery } from '../record/wait.ts'
import { lowestKey } from '../rows/key-space.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { type Candidate, pickCandidates, type TenantRotation } from './candidates.ts'
import type { Lease } from './leases.ts'
import { leaseWaiting, WaitingLook } from './memory-queue.ts'
import { spend, writeBucket } from './rate-buckets.ts'
import { nextReadyAt, writeReadyAfterLook } from './ready-endpoints.ts'

/** Payloads up to this come with the row; larger ones are read once it is known that the row is leased. */
const maxEagerBytes = 16 * 1024

interface DueRow {
  readonly k: number
  readonly id: Uint8Array
  readonly event_k: number
  readonly event_id: Uint8Array | null
  readonly subscription: number | null
  readonly endpoint: number | null
  readonly state: number
  readonly due_at: number
  readonly claim_version: number
  readonly attempt_count: number
  readonly lost_claims: number
  readonly created_at: number
  readonly replayed_at: number | null
  readonly deliver_at: number | null
  readonly line: number | null
  readonly topic: string | null
  readonly metadata: string | null
  readonly trace_context: string | null
  readonly request: string | null
  /** Null: there is no payload. */
  readonly payload_bytes: number | null
  /** Null: it is large. */
  readonly payload: Uint8Array | null
}

/** From the table, or from memory. */
type Due = DueRow | Lease

/** How far a claim has looked at a target. */
interface Reached {
  /** The last due row that was read. */
  row: Pick<DueRow, 'due_at' | 'k'>
  readonly inMemory: WaitingLook
}

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
  const { open, blocked, waiting } = pickCandidates(context, request, rotation)
  for (const { targetId } of open) endExpiredLeases(context, targetId)
  const fairness = { credits: rotation.credits, waiting }
  const batch = new ClaimBatch<Candidate, Due>(open, { limit, startable, maxBytes }, fairness)
  const reached = new Map(open.map((target) => [target, startLook(context, target)]))
  for (let asks = batch.nextLook(); asks.length > 0; asks = batch.nextLook()) {
    for (const ask of asks) batch.add(ask, look(context, ask, reached.get(ask.target) as Reached))
  }
  const given = new Map<Candidate, number>()
  const deliveries = batch.grants().map(({ target, row }) => {
    given.set(target, (given.get(target) ?? 0) + 1)
    return isInMemory(row) ? take(context, row, leaseMs) : lease(context, target, row, leaseMs)
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

function startLook(context: WriteContext, { targetId }: Candidate): Reached {
  return { row: { due_at: -1, k: lowestKey }, inMemory: new WaitingLook(context, targetId) }
}

/** What waits in the table and what waits in memory, in order: in the table may be what is due for longer. */
function look(context: WriteContext, { target, count }: Ask<Candidate>, reached: Reached): Found<Due> {
  const since = reached.inMemory.nextSince
  if (since === null) return lookAtTable(context, { target, count, dueBy: context.now }, reached)
  const before = lookAtTable(context, { target, count, dueBy: Math.min(since - 1, context.now) }, reached)
  const inMemory = reached.inMemory.take(count - countOf(before))
  const found = {
    leasable: [...before.leasable, ...inMemory.leases.map(toLeasable)],
    others: before.others + inMemory.others,
  }
  const left = count - countOf(found)
  if (left === 0) return found
  const after = lookAtTable(context, { target, count: left, dueBy: context.now }, reached)
  return { leasable: [...found.leasable, ...after.leasable], others: found.others + after.others }
}

function countOf({ leasable, others }: Found<Due>): number {
  return leasable.length + others
}

function toLeasable(lease: Lease) {
  return { row: lease, bytes: lease.waiting?.payload.byteLength ?? 0 }
}

interface TableAsk extends Ask<Candidate> {
  /** Milliseconds since the epoch. */
  readonly dueBy: number
}

function lookAtTable(context: WriteContext, ask: TableAsk, reached: Reached): Found<DueRow> {
  const rows = ask.count === 0 ? [] : readDue(context, ask, reached.row)
  reached.row = rows.at(-1) ?? reached.row
  return sortOut(context, ask.target, rows)
}

function readDue(context: WriteContext, ask: TableAsk, after: Reached['row']): readonly DueRow[] {
  const target = context.memory.names.numberOf(ask.target.targetId)
  return context
    .prepare<DueRow>(
      // live_deliveries_due, then primary keys
      `select d.k, d.id, d.event_k, e.id as event_id, d.subscription, d.endpoint, d.state, d.due_at, d.claim_version,
              d.attempt_count, d.lost_claims, d.created_at, d.replayed_at, d.line, coalesce(t.topic, e.topic_text) as topic,
              e.deliver_at, e.metadata, e.trace_context, e.request, iif(e.payload is null, null, e.payload_bytes) as payload_bytes,
              iif(e.payload_bytes <= ${maxEagerBytes}, e.payload, null) as payload
       from live_deliveries d indexed by live_deliveries_due
       left join events e on e.k = d.event_k
       left join topics t on t.n = e.topic
       where d.target = ? and d.due_at <= ? and d.state <> 1 and (d.due_at, d.k) > (?, ?)
       order by d.due_at, d.k limit ${anyLimit}`,
    )
    .all(target, ask.dueBy, after.due_at, after.k, ask.count)
}

/** Rows that nobody may attempt any more leave the claim index here. */
function sortOut(context: WriteContext, candidate: Candidate, rows: readonly DueRow[]): Found<DueRow> {
  const { memory } = context
  const { tenantId } = candidate
  const leasable: { readonly row: DueRow; readonly bytes: number }[] = []
  for (const row of rows) {
    const owners = ownersOf(context, row)
    const { endpointId } = owners
    const isDisabled = endpointId !== null && memory.endpoint(endpointId)?.disabled === true
    const fate = fateOf({ isDeleted: memory.isForNobody({ ...owners, tenantId }), isDisabled })
    if (fate.kind === 'lease' && row.payload_bytes !== null) {
      leasable.push({ row, bytes: row.payload_bytes })
      continue
    }
    const waiting: WaitingRow = {
      key: row.k,
      state: stateOf(row.state) as LiveState,
      tenantId,
      endpointId,
    }
    if (fate.kind === 'cancel') cancelDelivery(context, waiting)
    else if (fate.kind === 'park') parkDelivery(context, waiting, fate.reason)
    else finishWaiting(context, waiting, withoutPayload)
  }
  return { leasable, others: rows.length - leasable.length }
}

/** Only in a damaged database. Leaving the row would make every claim come back to it. */
const withoutPayload = {
  state: 'dead_lettered',
  givenUp: { errorClass: 'internal', lastError: 'the payload is gone from the store' },
} as const

function ownersOf({ memory: { names } }: WriteContext, { endpoint, subscription }: DueRow) {
  return {
    endpointId: endpoint === null ? null : names.idOf(endpoint, idPrefixes.endpoint),
    subscriptionId: subscription === null ? null : names.idOf(subscription, idPrefixes.subscription),
  }
}

function isInMemory(row: Due): row is Lease {
  return 'waiting' in row
}

function take(context: WriteContext, waiting: Lease, leaseMs: number): ClaimedDelivery {
  const { eventId, topic, metadata, traceContext, request, payload } = waiting.waiting as NonNullable<
    Lease['waiting']
  >
  const { id, tenantId, subscriptionId, endpointId, targetId, ...lease } = leaseWaiting(
    context,
    waiting,
    leaseMs,
  )
  const { claimVersion, attemptCount, lostClaims, createdAt } = lease
  return {
    id,
    tenantId,
    subscriptionId,
    endpointId,
    targetId,
    claimVersion,
    attemptCount,
    lostClaims,
    createdAt,
    eventId,
    topic,
    metadata,
    traceContext,
    request,
    payload,
  }
}

function lease(context: WriteContext, candidate: Candidate, row: DueRow, leaseMs: number): ClaimedDelivery {
  const { memory, now } = context
  const { claimVersion, lostClaims } = leased({
    state: stateOf(row.state) as LiveState,
    claimVersion: row.claim_version,
    attemptCount: row.attempt_count,
    lostClaims: row.lost_claims,
  })
  context
    .prepare(
      `update live_deliveries set state = ${codeOf('in_flight')}, claim_version = ?, updated_at = ? where k = ?`, // primary key
    )
    .run(claimVersion, now, row.k)
  const { tenantId, targetId } = candidate
  const known = {
    id: bytesToId(idPrefixes.delivery, row.id),
    tenantId,
    ...ownersOf(context, row),
    targetId,
    claimVersion,
    attemptCount: row.attempt_count,
    lostClaims,
    createdAt: row.created_at,
  }
  const { k: key, event_k: eventKey, replayed_at: replayedAt } = row
  memory.leases.grant({
    ...known,
    key,
    eventKey,
    replayedAt,
    since: replayedAt === null ? Math.max(row.created_at, row.deliver_at ?? 0) : null,
    until: now + leaseMs,
    isLive: true,
    line: row.line,
    waiting: null,
  })
  context.counts.move(known, stateOf(row.state), 'in_flight')
  if (candidate.isProbe) markProbe(context, candidate, { deliveryId: known.id, until: now + leaseMs })
  return {
    ...known,
    eventId: bytesToId(idPrefixes.event, row.event_id as Uint8Array),
    topic: row.topic,
    metadata: row.metadata === null ? null : JSON.parse(row.metadata),
    traceContext: row.trace_context === null ? null : JSON.parse(row.trace_context),
    request: row.request === null ? null : JSON.parse(row.request),
    payload: row.payload ?? readPayload(context, row.event_k),
  }
}

function readPayload(context: WriteContext, eventKey: number): Uint8Array {
  const row = context.prepare('select payload from events where k = ?').get(eventKey) // primary key
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
