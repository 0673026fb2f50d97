import type { SQLInputValue } from 'node:sqlite'
import type { DeadLetter, Delivery, DeliveryState } from '../../../core/model.ts'
import { type ReasonRow, reasonsLookedAt, toReasons } from '../../dead-letter-reasons.ts'
import type { DeadLetterFilter, DeadLetterReasons, DeliveryFilter, Page, PageRequest } from '../../port.ts'
import { toDeadLetter } from '../../rows.ts'
import { codeOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { conditionsOf, readFilter, type Wanted } from './delivery-filter.ts'
import { walkEvent } from './event-deliveries.ts'
import { type HandedOff, handedOff, stateOfHandedOff } from './handed-off.ts'
import { type KeyBounds, readKeyPage, type Times, toKeyPage } from './key-pages.ts'
import { walkGroup, walksOfTenant } from './newest-keys.ts'
import { readDelivery, readFinished } from './one-delivery.ts'
import { type Entry, findWanted, type Walk, walkDown } from './walk-down.ts'

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
  const walks =
    filter.eventId === undefined ? walksOf(context, wanted, bounds) : [walkEvent(context, wanted, bounds)]
  return toKeyPage(findWanted(walks, bounds.limit), bounds.limit, (key) => readDelivery(context, key))
}

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

function walksOf(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly Walk[] {
  const { state } = wanted.filter
  const isLive = state === undefined || liveStates.has(state)
  const isFinished = state === undefined || !isLive
  // Nothing has failed yet of what has no row.
  const isHandedOff =
    wanted.filter.errorClass === undefined &&
    (state === undefined || state === 'pending' || state === 'in_flight')
  return [
    ...(isFinished ? finishedWalks(context, wanted, bounds) : []),
    ...(isLive ? [walkLive(context, wanted, bounds)] : []),
    ...(isHandedOff ? [walkHandedOff(context, wanted, bounds)] : []),
  ]
}

/** By what lists the fewest: the error class, a state that few are in, the endpoint, or all endpoints of the tenant. */
function finishedWalks(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly Walk[] {
  const { tenant, endpoint, filter } = wanted
  if (filter.errorClass !== undefined) return [walkFinished(context, wanted, { ...bounds, by: 'error' })]
  const by = partialIndexes[filter.state ?? 'succeeded']
  if (by !== undefined) return [walkFinished(context, wanted, { ...bounds, by })]
  const { condition, values } = conditionsOf(wanted)
  const of = { table: 'deliveries', group: 'endpoint', tenant, condition, values } as const
  return endpoint === null
    ? walksOfTenant(context, of, bounds)
    : [walkGroup(context, of, { ...bounds, group: endpoint })]
}

const partialIndexes: Readonly<Partial<Record<DeliveryState, 'dead' | 'cancelled' | 'skipped'>>> = {
  dead_lettered: 'dead',
  cancelled: 'cancelled',
  skipped: 'skipped',
}

interface FinishedBounds extends KeyBounds {
  readonly by: 'error' | 'dead' | 'cancelled' | 'skipped'
  /** When they came to their end; always, where nothing is said. */
  readonly ended?: Times
}

/** Those of the tenant that an index of error classes or of one state lists. */
function walkFinished(
  context: ReadContext,
  wanted: Wanted,
  { by, ended, from, before, limit }: FinishedBounds,
): Walk {
  const { isWanted, compared } = wantedSql(wanted, ended)
  const listed =
    by === 'error'
      ? 'd.state in (4, 5, 6) and d.error_class = ?'
      : `d.state = ${codeOf(wanted.filter.state as DeliveryState)}`
  const read = context.prepare<Entry>(
    `select d.k, ${isWanted} as wanted from deliveries d indexed by deliveries_${by}
     where d.tenant = ? and ${listed} and d.k >= ? and d.k < ? order by d.k desc limit ?`,
  )
  const of = [wanted.tenant, ...(by === 'error' ? [wanted.filter.errorClass as string] : [])]
  return walkDown((end, most) => read.all(...compared, ...of, from, end, most), { before, first: limit + 1 })
}

/** Downwards through what is live, of whichever tenant: an index by tenant would be written for each delivery that waits. */
function walkLive(context: ReadContext, wanted: Wanted, { from, before, limit }: KeyBounds): Walk {
  const { isWanted, compared } = wantedSql(wanted)
  const read = context.prepare<Entry>(
    // primary key
    `select d.k, ${isWanted} as wanted from live_deliveries d
     where d.k >= ? and d.k < ? order by d.k desc limit ?`,
  )
  return walkDown((end, most) => read.all(...compared, from, end, most), { before, first: limit + 1 })
}

/** All that a filter asks for, as SQL over the alias `d`. */
function wantedSql(wanted: Wanted, ended?: Times) {
  const { tenant, endpoint } = wanted
  const { condition, values } = conditionsOf(wanted)
  const conditions = [`d.tenant = ? ${condition}`]
  const compared: SQLInputValue[] = [tenant, ...values]
  const add = (sql: string, value: number | null | undefined): void => {
    if (value === null || value === undefined) return
    conditions.push(sql)
    compared.push(value)
  }
  add('d.endpoint = ?', endpoint)
  add('d.updated_at >= ?', ended?.since)
  add('d.updated_at < ?', ended?.until)
  return { isWanted: `(${conditions.join(' and ')})`, compared }
}

function* walkHandedOff(context: ReadContext, wanted: Wanted, bounds: KeyBounds): Walk {
  for (const leased of handedOff(context, bounds)) {
    yield { k: leased.lease.key, wanted: isWanted(leased, wanted) ? 1 : 0 }
  }
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

export function countDeadLetterReasons(
  context: ReadContext,
  tenantId: string,
  { since, until, ...filter }: DeadLetterFilter,
): DeadLetterReasons {
  const wanted = readFilter(context, tenantId, { ...filter, state: 'dead_lettered' })
  if (wanted === null) return toReasons([])
  const { isWanted, compared } = wantedSql(wanted, { since, until })
  const rows = context
    .prepare<ReasonRow>(
      `select error_class, sum(wanted) as count, count(*) as looked_at from (
         select d.error_class, ${isWanted} as wanted from deliveries d indexed by deliveries_dead
         where d.tenant = ? and d.state = 4 order by d.k desc limit ?)
       group by error_class`,
    )
    .all(...compared, wanted.tenant, reasonsLookedAt)
  return toReasons(rows)
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
  const by = filter.errorClass === undefined ? 'dead' : 'error'
  const walk = walkFinished(context, wanted, { ...bounds, by, ended: { since, until } })
  return toKeyPage(findWanted([walk], bounds.limit), bounds.limit, (key) => {
    const row = readFinished(context, key)
    return row === null ? null : toDeadLetter(row)
  })
}
