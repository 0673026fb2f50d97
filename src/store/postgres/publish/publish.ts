/**
 * One statement for a whole batch: it tests the routing versions, takes the idempotency keys, and writes events,
 * payloads, deliveries, ready rows and counts. What it leaves out it names, and the reason is found afterwards.
 */
import { OuthookError } from '../../../core/errors.ts'
import type { NewDelivery, NewEvent, PublishResult } from '../../port.ts'
import { type Context, now } from '../connection/context.ts'
import { isLockTimeout } from '../connection/store-error.ts'
import { BytesParameter, uuid, uuidOfId } from '../rows/wire-types.ts'
import { findHeldKeys, findIdempotencyKeys, foldDuplicates, type KnownKey, keyOf } from './idempotency.ts'
import { deliveryParameters, placeDeliveries } from './place-deliveries.ts'

/** Waits for locks: of another node's commit, mostly. Beyond it the cause is looked for. */
const maxLockWaits = 20
/** Rounds after which a key that is neither free nor taken counts as a fault. */
const maxRounds = 5

export interface PublishOptions {
  readonly leaseMs: number
}

/** How far a batch has got. It outlives a statement that the server undid, so nothing is written twice. */
export interface PublishProgress {
  readonly batch: readonly NewEvent[]
  readonly followers: ReadonlyMap<NewEvent, NewEvent>
  readonly results: Map<NewEvent, PublishResult>
  readonly known: Map<string, KnownKey>
  /** This node's memory of keys that open transactions hold. */
  readonly held: Set<string>
  open: readonly NewEvent[]
  rounds: number
}

export function startPublish(batch: readonly NewEvent[], held: Set<string>): PublishProgress {
  const { leaders, followers } = foldDuplicates(batch)
  return { batch, followers, results: new Map(), known: new Map(), held, open: leaders, rounds: 0 }
}

export async function publish(
  context: Context,
  progress: PublishProgress,
  options: PublishOptions,
): Promise<readonly PublishResult[]> {
  const { batch, followers, results, known } = progress
  while (progress.open.length > 0) {
    if (++progress.rounds > maxRounds) {
      const message = 'an idempotency key stays in use; send the event again'
      throw new OuthookError('store_unavailable', message, { publicDetail: message })
    }
    progress.open = await setHeldAside(context, progress)
    if (progress.open.length === 0) break
    const written = await insertOrFindHeld(context, progress, options)
    for (const [event, result] of written) results.set(event, result)
    progress.open = progress.open.filter((event) => results.get(event)?.kind !== 'published')
    progress.open = await settleRefused(context, progress)
  }
  for (const [follower, leader] of followers) {
    results.set(follower, answerFollower(follower, { leader, result: results.get(leader), known }))
  }
  return batch.map((event) => results.get(event) as PublishResult)
}

/** Keys that were held a moment ago are looked at first, so that a batch with one does not wait for it again. */
async function setHeldAside(context: Context, progress: PublishProgress): Promise<readonly NewEvent[]> {
  const { held, open, results } = progress
  const suspects = open.filter((event) => held.has(keyOf(event) ?? ''))
  if (suspects.length === 0) return open
  const stillHeld = await findHeldKeys(context, suspects)
  for (const event of suspects) {
    if (stillHeld.has(event)) results.set(event, { kind: 'key_held' })
    else held.delete(keyOf(event) ?? '')
  }
  return open.filter((event) => !stillHeld.has(event))
}

async function insertOrFindHeld(
  context: Context,
  progress: PublishProgress,
  options: PublishOptions,
): Promise<ReadonlyMap<NewEvent, PublishResult>> {
  const { held, results } = progress
  for (let waits = 1; ; waits++) {
    try {
      return await insert(context, progress.open, options)
    } catch (error) {
      if (!isLockTimeout(error) || waits === maxLockWaits) throw error
    }
    const keyed = progress.open.filter((event) => event.idempotency !== null)
    const found = keyed.length === 0 ? new Set<NewEvent>() : await findHeldKeys(context, keyed)
    for (const event of found) {
      held.add(keyOf(event) ?? '')
      results.set(event, { kind: 'key_held' })
    }
    progress.open = progress.open.filter((event) => !found.has(event))
  }
}

/** Answers from the winners' records; what has none, because its winner went away, is to be tried again. */
async function settleRefused(context: Context, progress: PublishProgress): Promise<readonly NewEvent[]> {
  const { open, results, known } = progress
  const keyed = open.filter((event) => event.idempotency !== null)
  if (keyed.length === 0) return []
  for (const [key, found] of await findIdempotencyKeys(context, keyed)) known.set(key, found)
  return keyed.filter((event) => {
    const found = known.get(keyOf(event) ?? '')
    if (found !== undefined) results.set(event, answerFromKey(event, found))
    return found === undefined && results.get(event) === undefined
  })
}

function answerFromKey(event: NewEvent, found: KnownKey): PublishResult {
  const isSame = event.idempotency !== null && Buffer.compare(found.hash, event.idempotency.hash) === 0
  if (!isSame) return { kind: 'conflict', eventId: found.eventId }
  return { kind: 'replayed', eventId: found.eventId, deliveryIds: found.deliveryIds, state: 'fanned_out' }
}

interface Leader {
  readonly leader: NewEvent
  readonly result: PublishResult | undefined
  readonly known: ReadonlyMap<string, KnownKey>
}

/** A duplicate within the batch is answered as if it had come after the first. */
function answerFollower(follower: NewEvent, { leader, result, known }: Leader): PublishResult {
  const found = known.get(keyOf(leader) ?? '')
  if (found !== undefined) return answerFromKey(follower, found)
  if (result?.kind === 'key_held') return result
  if (result?.kind !== 'published') return { kind: 'stale_routing' }
  return answerFromKey(follower, {
    hash: leader.idempotency?.hash ?? new Uint8Array(0),
    eventId: leader.id,
    deliveryIds: leader.deliveries.map((delivery) => delivery.id),
  })
}

interface RefusedRow {
  readonly id: Uint8Array
  /** True: a delivery that was not handed off; else an event that was not written. */
  readonly is_delivery: boolean
  readonly is_fresh: boolean
}

/** Without an entry: the event's key belongs to another. */
async function insert(
  context: Context,
  events: readonly NewEvent[],
  options: PublishOptions,
): Promise<ReadonlyMap<NewEvent, PublishResult>> {
  const eventRows = eventParameters(events)
  const wishes = handOffWishes(events)
  const rows = await context.query<RefusedRow>('publish', publishSql, [
    context.shiftMs,
    Math.round(options.leaseMs),
    ...eventRows,
    ...deliveryParameters(events, wishes),
  ])
  const lost = new Set<string>()
  const stale = new Set<string>()
  const waiting = new Set<string>()
  for (const row of rows) (row.is_delivery ? waiting : row.is_fresh ? lost : stale).add(uuid(row.id))
  const results = new Map<NewEvent, PublishResult>()
  for (const [index, event] of events.entries()) {
    const id = (eventRows[0] as readonly string[])[index] as string
    if (stale.has(id)) results.set(event, { kind: 'stale_routing' })
    else if (!lost.has(id)) results.set(event, publishedResult(event, { wishes, waiting }))
  }
  return results
}

function publishedResult(
  event: NewEvent,
  { wishes, waiting }: { readonly wishes: ReadonlySet<NewDelivery>; readonly waiting: ReadonlySet<string> },
): PublishResult {
  const handedOff = event.deliveries.map(
    (delivery) => wishes.has(delivery) && !waiting.has(uuidOfId(delivery.id)),
  )
  return { kind: 'published', handedOff }
}

/** Nothing overtakes a delivery of the same batch that has to wait. */
function handOffWishes(events: readonly NewEvent[]): ReadonlySet<NewDelivery> {
  const wishes = new Set<NewDelivery>()
  const waiting = new Set<string>()
  for (const { deliveries } of events) {
    for (const delivery of deliveries) {
      if (delivery.parked !== null) continue
      if (delivery.handOff && !waiting.has(delivery.targetId)) wishes.add(delivery)
      else waiting.add(delivery.targetId)
    }
  }
  return wishes
}

const publishSql = `
with input as materialized (
  select e.*, coalesce(t.routing_version, 0) = e.version as is_fresh
  from unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::integer[], $8::text[], $9::text[], $10::uuid[],
              $11::text[], $12::text[], $13::bigint[], $14::integer[], $15::integer[])
    as e (id, tenant_id, version, topic, payload_bytes, metadata, ordering_key, producer_key_id,
          scope, key, ttl_ms, payload_at, hash_at)
  left join tenants t on t.id = e.tenant_id -- primary key
),
-- In key order, so that two nodes with the same keys wait for each other and never in a circle. Whoever comes second
-- gets no row back. An expired record is taken over.
keys as (
  insert into idempotency_keys as k (tenant_id, scope, key, hash, event_id, expires_at)
  select tenant_id, scope, key, substring($16::bytea from hash_at for 32), id, ${now} + ttl_ms
  from input where is_fresh and key is not null
  order by tenant_id, scope, key
  on conflict (tenant_id, scope, key) do update
    set hash = excluded.hash, event_id = excluded.event_id, expires_at = excluded.expires_at
    where k.expires_at <= ${now}
  returning event_id
),
accepted as materialized (
  select * from input where is_fresh and (key is null or id in (select event_id from keys))
),
new_events as (
  insert into events
    (id, tenant_id, topic, state, payload_bytes, metadata, ordering_key, producer_key_id, created_at)
  select id, tenant_id, topic, 'fanned_out', payload_bytes, metadata, ordering_key, producer_key_id, ${now}
  from accepted
),
new_payloads as (
  insert into event_payloads (event_id, payload)
  select id, substring($16::bytea from payload_at for payload_bytes) from accepted
),
${placeDeliveries(17)}
select id, false as is_delivery, is_fresh from input where (id in (select id from accepted)) is not true
union all
select id, true, true from placed where may_hand_off and not is_leased`

function eventParameters(events: readonly NewEvent[]): readonly unknown[] {
  const bytes = new BytesParameter()
  const payloadAt = events.map((event) => bytes.add(event.payload))
  const hashAt = events.map((event) =>
    event.idempotency === null ? null : bytes.add(event.idempotency.hash),
  )
  return [
    events.map((event) => uuidOfId(event.id)),
    events.map((event) => uuidOfId(event.tenantId)),
    events.map((event) => event.routingVersion),
    events.map((event) => event.topic),
    events.map((event) => event.payload.byteLength),
    events.map((event) => (event.metadata === null ? null : JSON.stringify(event.metadata))),
    events.map((event) => event.orderingKey),
    events.map((event) => (event.producerKeyId === null ? null : uuidOfId(event.producerKeyId))),
    events.map((event) => event.idempotency?.scope ?? null),
    events.map((event) => event.idempotency?.key ?? null),
    events.map((event) => event.idempotency?.ttlMs ?? null),
    payloadAt,
    hashAt,
    bytes.value(),
  ]
}
