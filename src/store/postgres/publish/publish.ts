/** Publishes batches: gives the statement what may be written, and finds out why it left something out. */
import { OuthookError } from '../../../core/errors.ts'
import { bytesToId, type IdPrefix, idPrefixes } from '../../../core/ids.ts'
import type { NewDelivery, NewEvent, PublishResult } from '../../port.ts'
import { type Leases, newBatch } from '../claim/leases.ts'
import type { NodeIdentity } from '../claim/shares.ts'
import { inTransaction } from '../connection/own-transaction.ts'
import { type Context, run } from '../connection/statement.ts'
import { isLockTimeout } from '../connection/store-error.ts'
import type { Place } from '../ordering/lines.ts'
import { listFanOuts } from '../rows/fan-out.ts'
import { knownUuid, uuidOfId } from '../rows/wire-types.ts'
import { findHeldKeys, findIdempotencyKeys, foldDuplicates, type KnownKey, keyOf } from './idempotency.ts'
import { isOrdered, joinLines, settleJoined } from './join-lines.ts'
import { findOvertaking } from './open-fan-outs.ts'
import { deliveryValues } from './place-deliveries.ts'
import { eventValues, publishStatement } from './publish-statement.ts'

/** Waits for locks: of another node's commit, mostly. Beyond it the cause is looked for. */
const maxLockWaits = 20
/** Rounds after which a key that is neither free nor taken counts as a fault. */
const maxRounds = 5

export interface PublishOptions {
  readonly leaseMs: number
  /** Who hands off. */
  readonly node: NodeIdentity
  /** What this process holds, to which hand-offs are added. */
  readonly leases: Leases
  /** Deliveries that may stand in one line. */
  readonly maxOrderedBacklog?: number | undefined
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
    // Lines are held until the commit, and what joins none does not wait for them.
    for (const part of [
      progress.open.filter((event) => !isOrdered(event)),
      progress.open.filter(isOrdered),
    ]) {
      const written = await insertOrFindHeld(context, { ...progress, open: part }, options)
      for (const [event, result] of written) results.set(event, result)
    }
    progress.open = progress.open.filter((event) => results.get(event)?.kind !== 'published')
    progress.open = await answerRefused(context, progress)
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
      if (progress.open.length === 0) return new Map()
      return progress.open.some(isOrdered)
        ? await insertOrdered(context, progress.open, options)
        : hold(await insert(context, progress.open, { ...options, places: new Map() }), options)
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
async function answerRefused(context: Context, progress: PublishProgress): Promise<readonly NewEvent[]> {
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
  const { eventId, deliveryIds, state, filteredSubscriptions } = found
  return { kind: 'replayed', eventId, deliveryIds, state, filteredSubscriptions }
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
  if (result?.kind === 'key_held' || result?.kind === 'backlog_full') return result
  if (result?.kind !== 'published') return { kind: 'stale_routing' }
  return answerFromKey(follower, {
    hash: leader.idempotency?.hash ?? new Uint8Array(0),
    eventId: leader.id,
    deliveryIds: leader.deliveries.map((delivery) => delivery.id),
    state: leader.receivers === undefined ? 'fanned_out' : 'accepted',
    filteredSubscriptions: leader.filteredSubscriptions ?? 0,
  })
}

/** A transaction of its own, which holds the lines from before their places are taken. */
async function insertOrdered(
  context: Context,
  events: readonly NewEvent[],
  options: PublishOptions,
): Promise<ReadonlyMap<NewEvent, PublishResult>> {
  const inserted = await inTransaction(context, async () => {
    const overtaking = await findOvertaking(context, events)
    const joining = events.filter((event) => !overtaking.has(event))
    const joined = await joinLines(context, joining, options.maxOrderedBacklog)
    const { full, places } = joined
    const fitting = joining.filter((event) => !full.has(event))
    const { results, written } = await insert(context, fitting, { ...options, places })
    const published = fitting.filter((event) => results.get(event)?.kind === 'published')
    await settleJoined(
      context,
      joined,
      published.flatMap(({ deliveries }) => deliveries),
    )
    const refused = Array.from(
      full,
      ([event, subscriptionId]) => [event, { kind: 'backlog_full', subscriptionId }] as const,
    )
    const later = Array.from(overtaking, (event) => [event, { kind: 'key_held' }] as const)
    return { written, results: new Map<NewEvent, PublishResult>([...results, ...refused, ...later]) }
  })
  return hold(inserted, options)
}

interface InsertOptions extends PublishOptions {
  readonly places: ReadonlyMap<NewDelivery, Place>
}

interface Inserted {
  /** Without an entry: the event's key belongs to another. */
  readonly results: ReadonlyMap<NewEvent, PublishResult>
  readonly written: readonly Written[]
}

async function insert(
  context: Context,
  events: readonly NewEvent[],
  options: InsertOptions,
): Promise<Inserted> {
  if (events.length === 0) return { results: new Map(), written: [] }
  const { places } = options
  const wishes = handOffWishes(events, places)
  const batch = newBatch()
  const fanOuts = listFanOuts(events)
  const rows = await run(context, publishStatement, {
    ...eventValues(events, fanOuts),
    ...deliveryValues(events, fanOuts, { wishes, places }),
    batch,
    node: options.node.id,
    lease_ms: Math.round(options.leaseMs),
  })
  const named = Map.groupBy(rows, ({ kind }) => kind)
  const idsOf = (kind: 'lost' | 'stale' | 'waits', prefix: IdPrefix) =>
    new Set(named.get(kind)?.map(({ id }) => bytesToId(prefix, id as Uint8Array)))
  const lost = idsOf('lost', idPrefixes.event)
  const stale = idsOf('stale', idPrefixes.event)
  const waiting = idsOf('waits', idPrefixes.delivery)
  const at = named.get('moment')?.[0]?.at ?? 0
  const results = new Map<NewEvent, PublishResult>()
  const written: Written[] = []
  for (const event of events) {
    if (stale.has(event.id)) results.set(event, { kind: 'stale_routing' })
    else if (!lost.has(event.id)) {
      const handedOff = event.deliveries.map((delivery) => wishes.has(delivery) && !waiting.has(delivery.id))
      written.push({ event, handedOff, batch, at })
      results.set(event, { kind: 'published', handedOff })
    }
  }
  return { results, written }
}

interface Written {
  readonly event: NewEvent
  readonly handedOff: readonly boolean[]
  readonly batch: string
  readonly at: number
}

/** The batch is committed, so the leases of what it handed off stand. */
function hold({ results, written }: Inserted, options: PublishOptions): Inserted['results'] {
  for (const each of written) holdHandedOff(options, each)
  return results
}

function holdHandedOff({ leases, leaseMs }: PublishOptions, { event, handedOff, batch, at }: Written): void {
  event.deliveries.forEach((delivery, index) => {
    if (handedOff[index] !== true) return
    leases.grant(
      {
        deliveryId: delivery.id,
        id: uuidOfId(delivery.id),
        batch,
        event: uuidOfId(event.id),
        tenant: knownUuid(event.tenantId),
        subscription: delivery.subscriptionId === null ? null : knownUuid(delivery.subscriptionId),
        endpoint: delivery.endpointId === null ? null : knownUuid(delivery.endpointId),
        target: knownUuid(delivery.targetId),
        targetId: delivery.targetId,
        claimVersion: 1,
        attemptCount: 0,
        lostClaims: 0,
        line: null,
        createdAt: at,
        since: at,
        until: at + leaseMs,
        isLive: false,
      },
      leaseMs,
    )
  })
}

/** Nothing overtakes a delivery of the same batch that has to wait. */
function handOffWishes(
  events: readonly NewEvent[],
  places: ReadonlyMap<NewDelivery, Place>,
): ReadonlySet<NewDelivery> {
  const wishes = new Set<NewDelivery>()
  const waiting = new Set<string>()
  for (const { deliverAt, deliveries } of events) {
    // What is for later neither goes now nor has anybody wait.
    if (deliverAt !== null) continue
    for (const delivery of deliveries) {
      if (delivery.parked !== null || places.get(delivery)?.isBehind === true) continue
      if (delivery.handOff && !delivery.ordered && !waiting.has(delivery.targetId)) wishes.add(delivery)
      else waiting.add(delivery.targetId)
    }
  }
  return wishes
}
