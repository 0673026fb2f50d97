/** The deliveries of one event: its row lists them, and of one for many the ranges say where they lie. */
import type { SQLInputValue } from 'node:sqlite'
import { type Delivery, limits } from '../../../core/model.ts'
import type { Page, PageRequest } from '../../port.ts'
import { type KeyRange, rangesOf } from '../publish/large-fan-out.ts'
import { unpackFanOut } from '../rows/fan-out.ts'
import type { ReadContext } from './context.ts'
import { conditionsOf, type Wanted } from './delivery-filter.ts'
import { findEvent } from './events.ts'
import { type KeyBounds, readForwardPage, toKeyPage } from './key-pages.ts'
import { readDelivery } from './one-delivery.ts'

export function listDeliveriesOfEvent(
  context: ReadContext,
  tenantId: string,
  eventId: string,
  page: PageRequest,
): Page<Delivery> {
  const { limit, after } = readForwardPage(page, limits.maxDeliveriesAtOnce)
  const event = findEvent(context, tenantId, eventId)
  if (event === null) return { items: [], nextCursor: '' }
  const ranges = rangesOf(context, event)
  const keys =
    ranges.length === 0
      ? listedKeys(context, event).filter((key) => key > after)
      : keysInRanges(
          context,
          ranges.filter(({ last }) => last > after),
          {
            event,
            from: after + 1,
            before: Number.MAX_SAFE_INTEGER,
            limit: limit + 1,
            order: 'asc',
            condition: '',
            values: [],
          },
        )
  return toKeyPage(keys.slice(0, limit + 1), limit, (key) => readDelivery(context, key))
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

/** Those that a listing of one event's deliveries wants, newest first, and one more than its page shows. */
export function keysOfEvent(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const event = findEvent(context, wanted.tenantId, wanted.filter.eventId ?? '')
  if (event === null) return []
  const ranges = rangesOf(context, event)
  if (ranges.length === 0) return wantedOfListed(context, event, { wanted, bounds })
  const { condition, values } = conditionsOf(wanted)
  const { endpoint } = wanted
  return keysInRanges(context, ranges.toReversed(), {
    event,
    from: bounds.from,
    before: bounds.before,
    limit: bounds.limit + 1,
    order: 'desc',
    condition: endpoint === null ? condition : `${condition} and d.endpoint = ?`,
    values: endpoint === null ? values : [...values, endpoint],
  })
}

/** They are few, and some may have no row yet, so they are read and looked at one by one. */
function wantedOfListed(
  context: ReadContext,
  event: number,
  { wanted: { filter }, bounds }: { readonly wanted: Wanted; readonly bounds: KeyBounds },
): readonly number[] {
  const found: number[] = []
  for (const key of listedKeys(context, event).toReversed()) {
    if (key < bounds.from || key >= bounds.before) continue
    const delivery = readDelivery(context, key)
    if (delivery === null || !matches(delivery, filter)) continue
    found.push(key)
    if (found.length > bounds.limit) break
  }
  return found
}

function matches(
  delivery: Delivery,
  { state, endpointId, subscriptionId, topic, since, until }: Wanted['filter'],
): boolean {
  return (
    (state === undefined || delivery.state === state) &&
    (endpointId === undefined || delivery.endpointId === endpointId) &&
    (subscriptionId === undefined || delivery.subscriptionId === subscriptionId) &&
    (topic === undefined || delivery.topic === topic) &&
    delivery.createdAt >= (since ?? 0) &&
    delivery.createdAt < (until ?? Number.POSITIVE_INFINITY)
  )
}

interface Search {
  readonly event: number
  readonly from: number
  readonly before: number
  readonly limit: number
  readonly order: 'asc' | 'desc'
  /** As SQL over the alias `d`. */
  readonly condition: string
  readonly values: readonly SQLInputValue[]
}

/** Of the ranges in their order, until there are enough. */
function keysInRanges(
  context: ReadContext,
  ranges: readonly KeyRange[],
  { event, from, before, limit, order, condition, values }: Search,
): readonly number[] {
  const of = (table: string) =>
    `select d.k from ${table} d where d.k >= ? and d.k <= ? and d.event_k = ? ${condition}` // primary key
  const read = context.prepare<{ readonly k: number }>(
    `${of('live_deliveries')} union all ${of('deliveries')} order by 1 ${order} limit ?`,
  )
  const keys: number[] = []
  for (const { first, last } of ranges) {
    const bounds = [Math.max(first, from), Math.min(last, before - 1), event, ...values]
    for (const { k } of read.all(...bounds, ...bounds, limit - keys.length)) keys.push(k)
    if (keys.length >= limit) break
  }
  return keys
}
