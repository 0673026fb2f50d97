/** The deliveries of one event: its row lists them, and of one for many the ranges say where they lie. */
import { type Delivery, limits } from '../../../core/model.ts'
import type { Page, PageRequest } from '../../port.ts'
import { type KeyRange, rangesOf } from '../publish/large-fan-out.ts'
import { unpackFanOut } from '../rows/fan-out.ts'
import { lowestKey } from '../rows/key-space.ts'
import type { ReadContext } from './context.ts'
import { conditionsOf, type Wanted } from './delivery-filter.ts'
import { findEvent } from './events.ts'
import { type KeyBounds, readForwardPage, toKeyPage } from './key-pages.ts'
import { readDelivery } from './one-delivery.ts'
import { type Entry, type Walk, walkDown } from './walk-down.ts'

export function listDeliveriesOfEvent(
  context: ReadContext,
  tenantId: string,
  eventId: string,
  page: PageRequest,
): Page<Delivery> {
  const { limit, after } = readForwardPage(page, limits.maxDeliveriesAtOnce)
  const event = findEvent(context, tenantId, eventId)
  if (event === null) return { items: [], nextCursor: '' }
  const keys = keysOfEvent(context, event, limit + 1, after)
  return toKeyPage({ keys, stoppedAt: null }, limit, (key) => readDelivery(context, key))
}

/** Lowest first, those above `after`, `most` of them at most. */
export function keysOfEvent(
  context: ReadContext,
  event: number,
  most: number,
  after = lowestKey,
): readonly number[] {
  const ranges = rangesOf(context, event)
  if (ranges.length > 0) return keysInRanges(context, ranges, { event, after, limit: most })
  return listedKeys(context, event)
    .filter((key) => key > after)
    .slice(0, most)
}

/** Lowest first. */
function listedKeys(context: ReadContext, eventKey: number): readonly number[] {
  const row = context
    .prepare<{ readonly fan_out: Uint8Array }>('select fan_out from events where k = ?')
    .get(eventKey) // primary key
  if (row === undefined) return []
  return unpackFanOut(row.fan_out)
    .map(({ key }) => key)
    .sort((a, b) => a - b)
}

/** Every delivery of one event that is kept, and whether a listing wants it. */
export function walkEvent(context: ReadContext, wanted: Wanted, bounds: KeyBounds): Walk {
  const event = findEvent(context, wanted.tenantId, wanted.filter.eventId ?? '')
  const ranges = event === null ? [] : rangesOf(context, event)
  if (event === null || ranges.length === 0) return walkListed(context, event, { wanted, bounds })
  return walkRanges(context, ranges, { event, wanted, bounds })
}

/** They are few, and some may have no row yet, so they are read and looked at one by one. */
function* walkListed(
  context: ReadContext,
  event: number | null,
  { wanted: { filter }, bounds }: { readonly wanted: Wanted; readonly bounds: KeyBounds },
): Walk {
  const keys = event === null ? [] : listedKeys(context, event)
  for (const key of keys.toReversed()) {
    if (key < bounds.from || key >= bounds.before) continue
    const delivery = readDelivery(context, key)
    if (delivery !== null) yield { k: key, wanted: matches(delivery, filter) ? 1 : 0 }
  }
}

interface OfEvent {
  readonly event: number
  readonly wanted: Wanted
  readonly bounds: KeyBounds
}

function* walkRanges(
  context: ReadContext,
  ranges: readonly KeyRange[],
  { event, wanted: { endpoint, ...wanted }, bounds }: OfEvent,
): Walk {
  const { condition, values } = conditionsOf({ endpoint, ...wanted })
  const ofEndpoint = endpoint === null ? '' : 'and d.endpoint = ?'
  const of = (table: string) =>
    `select d.k, (d.event_k = ? ${condition} ${ofEndpoint}) as wanted from ${table} d where d.k >= ? and d.k < ?` // primary key
  const read = context.prepare<Entry>(
    `${of('live_deliveries')} union all ${of('deliveries')} order by 1 desc limit ?`,
  )
  const compared = [event, ...values, ...(endpoint === null ? [] : [endpoint])]
  for (const { first, last } of ranges.toReversed()) {
    const from = Math.max(first, bounds.from)
    const before = Math.min(last + 1, bounds.before)
    if (from >= before) continue
    const readTable = (end: number) => [...compared, from, end]
    yield* walkDown((end, most) => read.all(...readTable(end), ...readTable(end), most), {
      before,
      first: bounds.limit + 1,
    })
  }
}

function matches(
  delivery: Delivery,
  { state, errorClass, endpointId, subscriptionId, topic, since, until }: Wanted['filter'],
): boolean {
  return (
    (state === undefined || delivery.state === state) &&
    (errorClass === undefined || delivery.errorClass === errorClass) &&
    (endpointId === undefined || delivery.endpointId === endpointId) &&
    (subscriptionId === undefined || delivery.subscriptionId === subscriptionId) &&
    (topic === undefined || delivery.topic === topic) &&
    delivery.createdAt >= (since ?? 0) &&
    delivery.createdAt < (until ?? Number.POSITIVE_INFINITY)
  )
}

interface Search {
  readonly event: number
  readonly after: number
  readonly limit: number
}

/** Of the ranges in their order, until there are enough. */
function keysInRanges(
  context: ReadContext,
  ranges: readonly KeyRange[],
  { event, after, limit }: Search,
): readonly number[] {
  const of = (table: string) => `select k from ${table} where k >= ? and k <= ? and event_k = ?` // primary key
  const read = context.prepare<{ readonly k: number }>(
    `${of('live_deliveries')} union all ${of('deliveries')} order by 1 limit ?`,
  )
  const keys: number[] = []
  for (const { first, last } of ranges.filter((range) => range.last > after)) {
    const bounds = [Math.max(first, after + 1), last, event]
    for (const { k } of read.all(...bounds, ...bounds, limit - keys.length)) keys.push(k)
    if (keys.length >= limit) break
  }
  return keys
}
