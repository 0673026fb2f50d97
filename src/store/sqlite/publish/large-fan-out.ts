/**
 * Events for many. Their publish writes who receives them, and the deliveries are made afterwards, a slice a transaction:
 * what is left in `fan_out_receivers` is what is still to be made, so no slice is made twice and a crash loses none. None
 * of these deliveries is handed off, so each has a row, and a slice is remembered by the keys between which its rows lie.
 */
import { idPrefixes, idToBytes } from '../../../core/ids.ts'
import { partsOf, type Receiver, receiverBytes, unpackReceivers } from '../../../core/receivers.ts'
import type { FanOutSlice } from '../../port.ts'
import { armFresh, armReady } from '../claim/ready-endpoints.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { cancelDelivery } from '../record/finish.ts'
import { lineOf } from '../record/lines.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { placeWaiting } from './place-waiting.ts'

/** The writer makes so many in about 4 ms, in which nobody else can write. */
export const receiversPerSlice = 100

interface NewReceivers {
  readonly tenantId: string
  readonly eventKey: number
  readonly receivers: Uint8Array
}

export function insertReceivers(
  context: WriteContext,
  { tenantId, eventKey, receivers }: NewReceivers,
): void {
  const tenant = context.memory.names.numberOf(tenantId)
  context.prepare('insert into fan_outs (tenant, event_k) values (?, ?)').run(tenant, eventKey)
  const insert = context.prepare('insert into fan_out_receivers (event_k, part, receivers) values (?, ?, ?)')
  let part = 0
  for (const packed of partsOf(receivers, receiversPerSlice)) insert.run(eventKey, part++, packed)
}

/** Whether the event's deliveries are, or were, made in slices. */
export function isForMany(context: PreparesStatements, eventKey: number): boolean {
  return isAccepted(context, eventKey) || rangesOf(context, eventKey).length > 0
}

/** Whether some of the event's deliveries are still to be made. */
export function isAccepted(context: PreparesStatements, eventKey: number): boolean {
  // primary key
  return (
    context.prepare('select 1 from fan_out_receivers where event_k = ? limit 1').get(eventKey) !== undefined
  )
}

export interface KeyRange {
  readonly first: number
  readonly last: number
}

/** Where the deliveries lie that were made in slices, beside those of other events; lowest first. */
export function rangesOf(context: PreparesStatements, eventKey: number): readonly KeyRange[] {
  const rows = context
    .prepare<{ readonly first_k: number; readonly last_k: number }>(
      'select first_k, last_k from fan_out_ranges where event_k = ? order by first_k',
    ) // primary key
    .all(eventKey)
  const ranges: KeyRange[] = []
  for (const row of rows) {
    const range = { first: row.first_k, last: row.last_k }
    const before = ranges.at(-1)
    // After a clock was set back, a slice may lie within what another one spans.
    if (before === undefined || range.first > before.last) ranges.push(range)
    else ranges.splice(-1, 1, { first: before.first, last: Math.max(before.last, range.last) })
  }
  return ranges
}

/** The tenant, by its integer, whose turn it was last. */
export interface FanOutTurn {
  after: number
}

export function fanOutSlice(
  context: WriteContext,
  deliveryIds: readonly string[],
  turn: FanOutTurn,
): FanOutSlice {
  const next = nextFanOut(context, turn)
  if (next === null) return { made: 0, more: false }
  const { tenant, eventKey } = next
  const receivers = takeReceivers(context, eventKey, deliveryIds.length)
  const tenantId = context.memory.names.idOf(tenant, idPrefixes.tenant)
  const event = context
    .prepare<{ readonly deliver_at: number | null }>('select deliver_at from events where k = ?') // primary key
    .get(eventKey)
  const ofEvent = { tenant, tenantId, eventKey, deliverAt: event?.deliver_at ?? null }
  const keys = receivers.map((receiver, index) =>
    makeDelivery(context, receiver, { ...ofEvent, id: deliveryIds[index] as string }),
  )
  if (keys.length > 0) noteRange(context, eventKey, { first: Math.min(...keys), last: Math.max(...keys) })
  if (!isAccepted(context, eventKey)) {
    context.prepare('delete from fan_outs where tenant = ? and event_k = ?').run(tenant, eventKey)
  }
  turn.after = tenant
  return { made: keys.length, more: context.prepare('select 1 from fan_outs limit 1').get() !== undefined }
}

interface OpenFanOut {
  readonly tenant: number
  readonly eventKey: number
}

function nextFanOut(context: WriteContext, { after }: FanOutTurn): OpenFanOut | null {
  const read = context.prepare<{ readonly tenant: number; readonly event_k: number }>(
    'select tenant, event_k from fan_outs where tenant > ? order by tenant, event_k limit 1', // primary key
  )
  const row = read.get(after) ?? read.get(0)
  return row === undefined ? null : { tenant: row.tenant, eventKey: row.event_k }
}

/** The first of those that are left; they are left no longer. */
function takeReceivers(context: WriteContext, eventKey: number, limit: number): readonly Receiver[] {
  const row = context
    .prepare<{ readonly part: number; readonly receivers: Uint8Array }>(
      'select part, receivers from fan_out_receivers where event_k = ? order by part limit 1',
    ) // primary key
    .get(eventKey)
  if (row === undefined) return []
  const { part, receivers } = row
  const taken = receivers.subarray(0, limit * receiverBytes)
  const left = receivers.subarray(taken.byteLength)
  if (left.byteLength === 0) {
    context.prepare('delete from fan_out_receivers where event_k = ? and part = ?').run(eventKey, part)
  } else {
    context
      .prepare('update fan_out_receivers set receivers = ? where event_k = ? and part = ?')
      .run(left, eventKey, part)
  }
  return unpackReceivers(taken)
}

interface NewOfSlice extends OpenFanOut {
  readonly id: string
  readonly tenantId: string
  readonly deliverAt: number | null
}

/** The key of the delivery. */
function makeDelivery(context: WriteContext, receiver: Receiver, made: NewOfSlice): number {
  const { memory, counts, now } = context
  const { tenantId, eventKey, deliverAt } = made
  const { endpointId, subscriptionId } = receiver
  const key = memory.deliveryKeys.next(made.id)
  const endpoint = memory.names.numberOf(endpointId)
  const isDisabled = memory.endpoint(endpointId)?.disabled === true
  const entry = {
    key,
    id: idToBytes(made.id),
    subscription: memory.names.numberOf(subscriptionId),
    endpoint,
    target: endpoint,
  }
  const isDeleted = memory.isOfDeleted(receiver)
  const { dueAt } = placeWaiting(context, entry, {
    tenantId,
    eventKey,
    deliverAt,
    parked: isDisabled ? 'endpoint_disabled' : null,
    line: isDeleted ? null : lineOf(context, { tenantId, subscriptionId, eventKey }),
  })
  const owner = { tenantId, endpointId }
  counts.add(owner, 'pending', 1)
  if (isDeleted) cancelDelivery(context, { key, state: 'pending', ...owner })
  else if (dueAt !== null && dueAt > now) armReady(context, memory.bytes(tenantId), endpointId, dueAt)
  else if (dueAt !== null) armFresh(context, memory.bytes(tenantId), endpointId)
  return key
}

/** Where nothing else was published meanwhile, one range grows. */
export function noteRange(context: WriteContext, eventKey: number, { first, last }: KeyRange): void {
  const grown = context
    .prepare('update fan_out_ranges set last_k = ? where event_k = ? and last_k = ?')
    .run(last, eventKey, first - 1)
  if (grown.changes > 0) return
  context
    .prepare('insert into fan_out_ranges (event_k, first_k, last_k) values (?, ?, ?)')
    .run(eventKey, first, last)
}
