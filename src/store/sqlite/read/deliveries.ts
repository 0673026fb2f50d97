import type { DeadLetter, Delivery } from '../../../core/model.ts'
import type { DeadLetterFilter, DeliveryFilter, Page, PageRequest } from '../../port.ts'
import { toDeadLetter } from '../../rows.ts'
import type { ReadContext } from './context.ts'
import { conditionsOf, readFilter, type Wanted } from './delivery-filter.ts'
import { keysOfEvent } from './event-deliveries.ts'
import { type HandedOff, handedOff, stateOfHandedOff } from './handed-off.ts'
import { type KeyBounds, readKeyPage, toKeyPage } from './key-pages.ts'
import { newestKeys, newestOfGroup } from './newest-keys.ts'
import { readDelivery, readFinished } from './one-delivery.ts'

const noPage: Page<never> = { items: [], nextCursor: '' }

/** A page of what is finished, live and handed off, merged by key: all are read in one snapshot. */
export function listDeliveries(
  context: ReadContext,
  tenantId: string,
  filter: DeliveryFilter,
  page: PageRequest,
): Page<Delivery> {
  const bounds = readKeyPage(page, filter)
  const wanted = readFilter(context, tenantId, filter)
  if (wanted === null) return noPage
  const keys =
    filter.eventId === undefined ? keysOf(context, wanted, bounds) : keysOfEvent(context, wanted, bounds)
  return toKeyPage(keys, bounds.limit, (key) => readDelivery(context, key))
}

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

function keysOf(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { state } = wanted.filter
  const isLive = state === undefined || liveStates.has(state)
  const isFinished = state === undefined || !isLive
  // Nothing has failed yet of what has no row.
  const isHandedOff =
    wanted.filter.errorClass === undefined &&
    (state === undefined || state === 'pending' || state === 'in_flight')
  return [
    ...(isFinished ? finishedKeys(context, wanted, bounds) : []),
    ...(isLive ? liveKeys(context, wanted, bounds) : []),
    ...(isHandedOff ? handedOffKeys(context, wanted, bounds) : []),
  ]
    .sort((a, b) => b - a)
    .slice(0, bounds.limit + 1)
}

function finishedKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { tenant, endpoint, filter } = wanted
  const { condition, values } = conditionsOf(wanted)
  if (filter.errorClass !== undefined) return failedKeys(context, wanted, bounds)
  if (filter.state !== undefined && filter.state !== 'succeeded') {
    return tenantKeys(context, wanted, { ...bounds, table: 'deliveries' })
  }
  const of = { table: 'deliveries', group: 'endpoint', tenant, condition, values } as const
  return endpoint === null
    ? newestKeys(context, of, bounds)
    : newestOfGroup(context, of, { ...bounds, group: endpoint })
}

function failedKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { condition, values } = conditionsOf(wanted)
  const ofEndpoint = wanted.endpoint === null ? '' : 'and d.endpoint = ?'
  const rows = context
    .prepare(
      `select d.k from deliveries d indexed by deliveries_error
       where d.tenant = ? and d.state in (4, 5, 6) and d.k >= ? and d.k < ? ${condition} ${ofEndpoint}
       order by d.k desc limit ?`,
    )
    .all(
      wanted.tenant,
      bounds.from,
      bounds.before,
      ...values,
      ...(wanted.endpoint === null ? [] : [wanted.endpoint]),
      bounds.limit + 1,
    )
  return rows.map((row) => row.k as number)
}

function liveKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  return tenantKeys(context, wanted, { ...bounds, table: 'live_deliveries' })
}

interface TableBounds extends KeyBounds {
  readonly table: 'deliveries' | 'live_deliveries'
}

/** Through deliveries_dead, deliveries_cancelled or deliveries_skipped, or downwards through what is live, which is small. */
function tenantKeys(context: ReadContext, wanted: Wanted, bounds: TableBounds): readonly number[] {
  const { condition, values } = conditionsOf(wanted)
  const ofEndpoint = wanted.endpoint === null ? '' : 'and d.endpoint = ?'
  const rows = context
    .prepare(
      `select d.k from ${bounds.table} d
       where d.tenant = ? and d.k >= ? and d.k < ? ${condition} ${ofEndpoint} order by d.k desc limit ?`,
    )
    .all(
      wanted.tenant,
      bounds.from,
      bounds.before,
      ...values,
      ...(wanted.endpoint === null ? [] : [wanted.endpoint]),
      bounds.limit + 1,
    )
  return rows.map((row) => row.k as number)
}

function handedOffKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const keys: number[] = []
  for (const leased of handedOff(context, bounds)) {
    if (!isWanted(leased, wanted)) continue
    keys.push(leased.lease.key)
    if (keys.length > bounds.limit) break
  }
  return keys
}

function isWanted(found: HandedOff, wanted: Wanted): boolean {
  const { entry, tenant, topic, topicText, createdAt } = found
  const { filter } = wanted
  if (tenant !== wanted.tenant) return false
  if (filter.state !== undefined && filter.state !== stateOfHandedOff(found.lease)) return false
  if (wanted.endpoint !== null && entry.endpoint !== wanted.endpoint) return false
  if (wanted.subscription !== null && entry.subscription !== wanted.subscription) return false
  if (
    filter.topic !== undefined &&
    (wanted.topic === null ? topicText !== filter.topic : topic !== wanted.topic)
  ) {
    return false
  }
  return createdAt >= (filter.since ?? 0) && createdAt < (filter.until ?? Number.POSITIVE_INFINITY)
}

export function listDeadLetters(
  context: ReadContext,
  tenantId: string,
  { since, until, ...filter }: DeadLetterFilter,
  page: PageRequest,
): Page<DeadLetter> {
  const bounds = readKeyPage(page, {})
  const wanted = readFilter(context, tenantId, { ...filter, state: 'dead_lettered' })
  if (wanted === null) return noPage
  const { condition, values } = conditionsOf(wanted)
  const { endpoint } = wanted
  const rows = context
    .prepare(
      // deliveries_dead, or deliveries_error
      `select d.k from deliveries d ${filter.errorClass === undefined ? '' : 'indexed by deliveries_error'}
       where d.tenant = ? ${filter.errorClass === undefined ? '' : 'and d.state in (4, 5, 6)'} and d.k >= ? and d.k < ? ${condition} ${endpoint === null ? '' : 'and +d.endpoint = ?'}
         and d.updated_at >= ? and d.updated_at < ?
       order by d.k desc limit ?`,
    )
    .all(
      wanted.tenant,
      bounds.from,
      bounds.before,
      ...values,
      ...(endpoint === null ? [] : [endpoint]),
      since ?? 0,
      until ?? Number.MAX_SAFE_INTEGER,
      bounds.limit + 1,
    )
  const keys = rows.map((row) => row.k as number)
  return toKeyPage(keys, bounds.limit, (key) => {
    const row = readFinished(context, key)
    return row === null ? null : toDeadLetter(row)
  })
}
