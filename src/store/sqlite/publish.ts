import { bytesToId, idPrefixes, idToBytes } from '../../core/ids.ts'
import type { DeliveryState } from '../../core/model.ts'
import type { NewDelivery, NewEvent, NewIdempotencyKey, PublishResult } from '../port.ts'
import { countTokens, spend, writeBucket } from './rate-buckets.ts'
import { armFresh } from './ready-endpoints.ts'
import type { WriteContext } from './write-context.ts'

/** Per call, what is already known of each target: whether it has room for a hand-off, its rate left aside. */
type Grants = Map<string, boolean>

export function publish(
  context: WriteContext,
  batch: readonly NewEvent[],
  options: { readonly leaseMs: number },
): readonly PublishResult[] {
  const grants: Grants = new Map()
  const spent = new Set<string>()
  const results = batch.map((event) => publishOne(context, event, { ...options, grants, spent }))
  for (const targetId of spent) writeBucket(context, targetId)
  return results
}

interface PublishOptions {
  readonly leaseMs: number
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

  const id = idToBytes(event.id)
  insertEvent(context, event, id)
  if (event.idempotency !== null) insertIdempotencyKey(context, tenant, event.idempotency, id)
  const handedOff = event.deliveries.map((delivery) =>
    insertDelivery(context, { event, id, tenant, delivery }, options),
  )
  return { kind: 'published', handedOff }
}

function insertEvent(context: WriteContext, event: NewEvent, id: Uint8Array): void {
  const { memory, now } = context
  context
    .prepare(
      `insert into events
         (id, tenant_id, topic, state, payload_bytes, metadata, ordering_key, producer_key_id, created_at)
       values (?, ?, ?, 'fanned_out', ?, ?, ?, ?, ?)`,
    )
    .run(
      id,
      memory.bytes(event.tenantId),
      event.topic,
      event.payload.byteLength,
      event.metadata === null ? null : JSON.stringify(event.metadata),
      event.orderingKey,
      event.producerKeyId === null ? null : memory.bytes(event.producerKeyId),
      now,
    )
  context.prepare('insert into event_payloads (event_id, payload) values (?, ?)').run(id, event.payload)
}

interface DeliveryInsert {
  readonly event: NewEvent
  readonly id: Uint8Array
  readonly tenant: Uint8Array
  readonly delivery: NewDelivery
}

/** True when the hand-off was granted. */
function insertDelivery(context: WriteContext, insert: DeliveryInsert, options: PublishOptions): boolean {
  const { memory, now } = context
  const { event, delivery, tenant } = insert
  const handedOff = delivery.handOff && delivery.parked === null && isGranted(context, delivery, options)
  const state: DeliveryState = handedOff ? 'in_flight' : 'pending'
  const dueAt = delivery.parked !== null ? null : handedOff ? now + options.leaseMs : now
  context
    .prepare(
      `insert into live_deliveries
         (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason,
          attempt_count, claim_version, lost_claims, ordering_key, created_at, updated_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, 0, ?, ?, ?)`,
    )
    .run(
      idToBytes(delivery.id),
      tenant,
      insert.id,
      memory.bytes(delivery.subscriptionId),
      memory.bytes(delivery.endpointId),
      memory.bytes(delivery.targetId),
      state,
      dueAt,
      delivery.parked,
      handedOff ? 1 : 0,
      event.orderingKey,
      now,
      now,
    )
  context.counts.add({ tenantId: event.tenantId, endpointId: delivery.endpointId }, state, 1)
  if (!handedOff && dueAt !== null && options.grants.get(delivery.targetId) !== false) {
    armFresh(context, tenant, delivery.targetId)
    // A due ready row stands now: nobody overtakes it, and the next one need not arm it again.
    if (memory.blockedUntil(delivery.targetId, now) === null) options.grants.set(delivery.targetId, false)
  }
  return handedOff
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
      `select hash, event_id from idempotency_keys where tenant_id = ? and scope = ? and key = ? and expires_at > ?`,
    )
    .get(tenant, wanted.scope, wanted.key, context.now)
  if (row === undefined) return null
  const event = row.event_id as Uint8Array
  const eventId = bytesToId(idPrefixes.event, event)
  if (Buffer.compare(row.hash as Uint8Array, wanted.hash) !== 0) return { kind: 'conflict', eventId }
  const deliveries = context
    .prepare(
      // live_deliveries_event, deliveries_event
      `select id from live_deliveries where event_id = ? union all select id from deliveries where event_id = ?
       order by id`,
    )
    .all(event, event)
  const deliveryIds = deliveries.map((delivery) => bytesToId(idPrefixes.delivery, delivery.id as Uint8Array))
  return { kind: 'replayed', eventId, deliveryIds }
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
