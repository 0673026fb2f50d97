import { bytesToId, idPrefixes, idToBytes } from '../../../core/ids.ts'
import { publishedCell } from '../../../core/stats/cells.ts'
import { agedNow } from '../../../core/time-line.ts'
import type { NewDelivery, NewEvent, NewIdempotencyKey, PublishResult, PublishSettings } from '../../port.ts'
import { hasRoomInMemory } from '../claim/memory-queue.ts'
import { countTokens, spend, writeBucket } from '../claim/rate-buckets.ts'
import { armFresh, armReady } from '../claim/ready-endpoints.ts'
import { fieldValues, keptFields } from '../rows/event-columns.ts'
import { deliveryId, type FanOutEntry, packFanOut, unpackFanOut } from '../rows/fan-out.ts'
import { findKey } from '../rows/key-space.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { insertReceivers, isForMany } from './large-fan-out.ts'
import { findFullLine, wouldOvertake } from './ordered-events.ts'
import { placeWaiting } from './place-waiting.ts'

/** Per call, what is already known of each target: whether it has room for a hand-off, its rate left aside. */
type Grants = Map<string, boolean>

export function publish(
  context: WriteContext,
  batch: readonly NewEvent[],
  options: PublishSettings,
): readonly PublishResult[] {
  const grants: Grants = new Map()
  const spent = new Set<string>()
  const results = batch.map((event) => publishOne(context, event, { ...options, grants, spent }))
  for (const targetId of spent) writeBucket(context, targetId)
  return results
}

interface PublishOptions extends PublishSettings {
  readonly grants: Grants
  /** Targets with a rate, of whose tokens this call has spent some. */
  readonly spent: Set<string>
}

function publishOne(context: WriteContext, event: NewEvent, options: PublishOptions): PublishResult {
  const tenant = context.memory.bytes(event.tenantId)
  if (event.idempotency !== null) {
    const earlier = findIdempotencyKey(context, tenant, event.idempotency)
    if (earlier !== null) return earlier
  }
  if (context.memory.routingVersion(event.tenantId) !== event.routingVersion) return { kind: 'stale_routing' }
  if (wouldOvertake(context, event)) return { kind: 'key_held' }
  const full = findFullLine(context, event, options.maxOrderedBacklog)
  if (full !== null) return { kind: 'backlog_full', subscriptionId: full }

  const id = idToBytes(event.id)
  const key = context.memory.eventKeys.next(event.id)
  const entries = event.deliveries.map((delivery) => toEntry(context, delivery))
  insertEvent(context, event, { key, id, entries })
  context.counts.stats.addToTenant(event.tenantId, publishedCell)
  if (event.receivers !== undefined) {
    insertReceivers(context, { tenantId: event.tenantId, eventKey: key, receivers: event.receivers })
  }
  if (event.idempotency !== null) insertIdempotencyKey(context, tenant, event.idempotency, id)
  const handedOff = event.deliveries.map((delivery, index) =>
    placeDelivery(context, { event, eventKey: key, delivery, entry: entries[index] as FanOutEntry }, options),
  )
  return { kind: 'published', handedOff }
}

function toEntry({ memory }: WriteContext, delivery: NewDelivery): FanOutEntry {
  return {
    key: memory.deliveryKeys.next(delivery.id),
    id: idToBytes(delivery.id),
    subscription: memory.names.numberOrNone(delivery.subscriptionId),
    endpoint: memory.names.numberOrNone(delivery.endpointId),
    target: memory.names.numberOf(delivery.targetId),
  }
}

interface EventInsert {
  readonly key: number
  readonly id: Uint8Array
  readonly entries: readonly FanOutEntry[]
}

/** Put together once: a text that is new each time has to be hashed before its statement is found. */
const insertEventSql = `
insert into events
  (k, id, tenant, topic, topic_text, created_at, fan_out, payload_bytes, payload, ${keptFields.join(', ')})
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ${keptFields.map(() => '?').join(', ')})`

function insertEvent(context: WriteContext, event: NewEvent, { key, id, entries }: EventInsert): void {
  const { names } = context.memory
  const topic = event.topic === null ? null : names.topicNumber(event.topic)
  context
    .prepare(insertEventSql)
    .run(
      key,
      id,
      names.numberOf(event.tenantId),
      topic,
      topic === null ? event.topic : null,
      context.now,
      packFanOut(entries),
      event.payload.byteLength,
      event.payload,
      ...fieldValues(event, names),
    )
}

interface Placing {
  readonly event: NewEvent
  readonly eventKey: number
  readonly delivery: NewDelivery
  readonly entry: FanOutEntry
}

/** Leased to the caller, which is true, or into the table of what waits. */
function placeDelivery(context: WriteContext, placing: Placing, options: PublishOptions): boolean {
  const { event, delivery, entry } = placing
  const owner = { tenantId: event.tenantId, endpointId: delivery.endpointId }
  if (delivery.ordered || (event.deliverAt !== null && event.deliverAt > context.now)) {
    placeInTable(context, placing, options)
    return false
  }
  if (
    delivery.handOff &&
    delivery.parked === null &&
    event.deliverAt === null &&
    isGranted(context, delivery, options)
  ) {
    handOff(context, placing, options.leaseMs)
    context.counts.add(owner, 'in_flight', 1)
    return true
  }
  if (options.mayWaitInMemory === true && hasRoomToWait(context, placing, options)) {
    waitInMemory(context, placing)
  } else {
    placeWaiting(context, entry, {
      tenantId: event.tenantId,
      eventKey: placing.eventKey,
      deliverAt: null,
      parked: delivery.parked,
      line: null,
    })
  }
  context.counts.add(owner, 'pending', 1)
  if (delivery.parked === null) armDue(context, placing, options)
  return false
}

function armDue(context: WriteContext, { event, delivery }: Placing, { grants }: PublishOptions): void {
  const { targetId } = delivery
  if (grants.get(targetId) === false) return
  armFresh(context, context.memory.bytes(event.tenantId), targetId)
  // A due ready row stands now: nobody overtakes it, and the next one need not arm it again.
  if (context.memory.blockedUntil(targetId, context.now) === null) grants.set(targetId, false)
}

/**
 * One for later, or in a line. It keeps nobody from a hand-off while its target has no backlog for it: until its time, or
 * behind its head.
 */
function placeInTable(context: WriteContext, placing: Placing, options: PublishOptions): void {
  const { event, eventKey, delivery, entry } = placing
  const { tenantId, orderingKey, deliverAt } = event
  const { subscriptionId, endpointId, targetId, parked } = delivery
  const isOrdered = delivery.ordered && orderingKey !== null && subscriptionId !== null
  const line = isOrdered ? { tenantId, subscriptionId, orderingKey } : null
  const { dueAt } = placeWaiting(context, entry, { tenantId, eventKey, deliverAt, parked, line })
  context.counts.add({ tenantId, endpointId }, 'pending', 1)
  if (dueAt === null) return
  if (dueAt <= context.now) armDue(context, placing, options)
  else armReady(context, context.memory.bytes(tenantId), targetId, dueAt)
}

/** Behind others that wait there, or as the first where nothing waits in the table. */
function hasRoomToWait(
  context: WriteContext,
  { event, delivery }: Placing,
  { grants }: PublishOptions,
): boolean {
  if (delivery.parked !== null || !hasRoomInMemory(context, event, delivery)) return false
  const isFirst = context.memory.leases.waitingAt(delivery.targetId).size === 0
  return !isFirst || hasRoom(context, delivery.targetId, grants)
}

function waitInMemory({ memory, now }: WriteContext, placing: Placing): void {
  const { id: eventId, topic, metadata, traceContext, request, payload } = placing.event
  memory.leases.grant({
    ...leaseOf(placing, now),
    claimVersion: 0,
    until: Number.POSITIVE_INFINITY,
    // The message that brought the payload is much larger than it is.
    waiting: { eventId, topic, metadata, traceContext, request, payload: Buffer.from(payload) },
  })
}

/** No row but that of the tick's leases: most are delivered at once, and get their only row then. */
function handOff({ memory, now }: WriteContext, placing: Placing, leaseMs: number): void {
  memory.leases.grant({ ...leaseOf(placing, now), claimVersion: 1, until: now + leaseMs, waiting: null })
}

function leaseOf({ event, eventKey, delivery, entry }: Placing, now: number) {
  return {
    id: delivery.id,
    key: entry.key,
    eventKey,
    tenantId: event.tenantId,
    subscriptionId: delivery.subscriptionId,
    endpointId: delivery.endpointId,
    targetId: delivery.targetId,
    attemptCount: 0,
    lostClaims: 0,
    createdAt: now,
    replayedAt: null,
    since: now,
    isLive: false,
    line: null,
  } as const
}

/** A hand-off may not overtake a backlog, nor reach a target that is paused or waits for its probe. */
function isGranted(
  context: WriteContext,
  { targetId, rateLimitRps }: NewDelivery,
  { grants, spent }: PublishOptions,
): boolean {
  if (!hasRoom(context, targetId, grants)) return false
  if (rateLimitRps === null) return true
  if (countTokens(context, targetId) < 1) return false
  spend(context, targetId, 1)
  spent.add(targetId)
  return true
}

function hasRoom(context: WriteContext, targetId: string, grants: Grants): boolean {
  const known = grants.get(targetId)
  if (known !== undefined) return known
  const paused = context.memory.health(targetId)?.health.pausedUntil ?? null
  // A refusal is not noted here: it is noted once the ready row is known to stand.
  if (paused !== null) return false
  const ready = context
    .prepare('select 1 from ready_endpoints where target_id = ? and abs(next_at) <= ?') // primary key
    .get(context.memory.bytes(targetId), context.now)
  grants.set(targetId, ready === undefined)
  return ready === undefined
}

function findIdempotencyKey(
  context: WriteContext,
  tenant: Uint8Array,
  wanted: NewIdempotencyKey,
): PublishResult | null {
  const row = context
    .prepare(
      // primary key
      `select hash, event_id, expires_at from idempotency_keys where tenant_id = ? and scope = ? and key = ?`,
    )
    .get(tenant, wanted.scope, wanted.key)
  if (row === undefined) return null
  const expiresAt = row.expires_at as number
  if (expiresAt <= agedNow(context.line, expiresAt, context.now)) return null
  const eventId = bytesToId(idPrefixes.event, row.event_id as Uint8Array)
  if (Buffer.compare(row.hash as Uint8Array, wanted.hash) !== 0) return { kind: 'conflict', eventId }
  return { kind: 'replayed', eventId, ...answeredWith(context, eventId) }
}

type FirstAnswer = Omit<Extract<PublishResult, { readonly kind: 'replayed' }>, 'kind' | 'eventId'>

/** None of the deliveries may be left, nor the event: keys may be kept for longer. */
function answeredWith(context: WriteContext, eventId: string): FirstAnswer {
  const key = findKey(context, 'events', eventId)
  if (key === null) return { deliveryIds: [], state: 'fanned_out', filteredSubscriptions: 0 }
  const row = context.prepare('select fan_out, filtered_subscriptions from events where k = ?').get(key) // primary key
  const filteredSubscriptions = (row?.filtered_subscriptions ?? 0) as number
  if (isForMany(context, key)) return { deliveryIds: [], state: 'accepted', filteredSubscriptions }
  const deliveryIds = unpackFanOut(row?.fan_out as Uint8Array)
    .map(deliveryId)
    .sort()
  return { deliveryIds, state: 'fanned_out', filteredSubscriptions }
}

/** An expired record of the same key is taken over. */
function insertIdempotencyKey(
  context: WriteContext,
  tenant: Uint8Array,
  record: NewIdempotencyKey,
  event: Uint8Array,
): void {
  context
    .prepare(
      `insert into idempotency_keys (tenant_id, scope, key, hash, event_id, expires_at) values (?, ?, ?, ?, ?, ?)
       on conflict do update set hash = excluded.hash, event_id = excluded.event_id, expires_at = excluded.expires_at`,
    )
    .run(tenant, record.scope, record.key, record.hash, event, context.now + record.ttlMs)
}
