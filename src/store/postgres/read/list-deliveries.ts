/** Deliveries and dead letters by filters. */
import { idPrefixes } from '../../../core/ids.ts'
import { type DeadLetter, type Delivery, deliveryStates } from '../../../core/model.ts'
import { bytesOfId, readPageRequest } from '../../cursors.ts'
import { type ReasonRow, reasonsLookedAt, toReasons } from '../../dead-letter-reasons.ts'
import type { DeadLetterFilter, DeadLetterReasons, DeliveryFilter, Page, PageRequest } from '../../port.ts'
import { type DeliveryRow, toDeadLetter } from '../../rows.ts'
import type { Context } from '../connection/statement.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import {
  commonColumns,
  type EitherRow,
  fromFinished,
  fromHandedOff,
  fromLive,
  inOneMoment,
  itsEvent,
  leasesOfEvent,
  toDelivery,
} from './delivery-sql.ts'
import { type Counted, entriesOfNoGroup, findGroups, floorOf, floorOfGroups } from './floors.ts'
import { handedOffColumns, handOffLeases, isOnlyHandedOff } from './handed-off.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes, giveIdRange, higher, inIdRange } from './time-range.ts'
import { readInWindows, type Window } from './windows.ts'

const noPage: Page<never> = { items: [], nextCursor: '' }

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

/** A page of all places, merged by id: a window of it in one statement, so that every row is in one of them. */
export async function listDeliveries(
  context: Context,
  tenantId: string,
  filter: DeliveryFilter,
  page: PageRequest,
): Promise<Page<Delivery>> {
  const bounds = readPageRequest(page)
  const all = { floor: null, before: null }
  if (deliveryConditions({ tenantId, filter, window: all, most: 1 }) === null) return noPage
  const { state, eventId } = filter
  const mayBe = (live: boolean) => state === undefined || liveStates.has(state) === live
  const listed = mayBe(false) ? listedBy(filter) : null
  const groups = listed === 'endpoints' ? await findGroups(context, byEndpoint, tenantId) : []
  const isMerged = listed === 'endpoints' && groups !== null
  const finished = isMerged ? null : listed === 'endpoints' ? 'true' : listed
  const entries =
    eventId === undefined
      ? [
          ...(mayBe(true) ? [{ from: 'from live_deliveries d where true' }] : []),
          ...(isMerged ? [entriesOfNoGroup(byEndpoint)] : []),
          ...(finished === null ? [] : [{ from: `from deliveries d where ${finished}` }]),
        ]
      : [{ from: `from events e cross join lateral ${deliveriesOf('e')} d where e.id = $event` }]
  const counted: Counted = {
    tenantId,
    prefix: idPrefixes.delivery,
    times: filter,
    give: (where) => giveIds(where, filter),
  }
  return readInWindows(
    bounds,
    {
      async findFloor(before, most) {
        const below = { ...counted, before, most }
        const floor = await floorOf(context, entries, below)
        return higher(floor, await floorOfGroups(context, byEndpoint, { ...below, groups: groups ?? [] }))
      },
      read(window, most) {
        const where = deliveryConditions({ tenantId, filter, window, most }) as Conditions
        const end = 'order by d.id desc limit $rows'
        const parts: string[] = []
        if (mayBe(true))
          parts.push(`(${fromLive} where d.tenant_id = $tenant and ${inIdRange('d')}${where.sql} ${end})`)
        if (isMerged) parts.push(`(${fromFinished()} ${mergedWhere(where.sql)} ${end})`)
        else if (finished !== null) parts.push(`(${finishedPart(finished, where.sql)} ${end})`)
        if (state === undefined || state === 'in_flight') {
          parts.push(`(${handedOffPart(eventId !== undefined, where.sql)} ${end})`)
        }
        return where.read<EitherRow>(context, inOneMoment(parts, 'order by id desc limit $rows'))
      },
    },
    toDelivery,
  )
}

const byEndpoint = { table: 'deliveries', group: 'endpoint_id' } as const

/** Of an index that is named: it was counted, so it is read, whatever the planner thinks of the other conditions. */
function finishedPart(listed: string, conditions: string): string {
  const rows =
    listed === ofEvent
      ? 'deliveries'
      : `(select * from deliveries d where ${listed} and ${inIdRange('d')} order by d.id desc offset 0)`
  return `${fromFinished(rows)} where d.tenant_id = $tenant and ${inIdRange('d')}${conditions}`
}

/** The ids of the event's deliveries are among the other conditions. */
const ofEvent = 'of the event'

/** By what lists the fewest: the event, the error class, a state that few are in, the endpoint or the subscription's, or all endpoints of the tenant. */
function listedBy({ eventId, errorClass, state, endpointId, subscriptionId }: DeliveryFilter): string {
  if (eventId !== undefined) return ofEvent
  // deliveries_error
  if (errorClass !== undefined) {
    return `d.tenant_id = $tenant and d.error_class = $error_class and d.state in ('dead_lettered', 'cancelled', 'skipped')`
  }
  // A literal, so that deliveries_dead, deliveries_cancelled and deliveries_skipped can serve it.
  if (state !== undefined && state !== 'succeeded') return `d.tenant_id = $tenant and d.state = '${state}'`
  // deliveries_endpoint
  if (endpointId !== undefined) return 'd.tenant_id = $tenant and d.endpoint_id = $endpoint'
  // A subscription stays with its endpoint, so that no other one's deliveries are looked through.
  if (subscriptionId !== undefined) {
    return 'd.tenant_id = $tenant and d.endpoint_id = (select s.endpoint_id from subscriptions s where s.id = $subscription)'
  }
  return 'endpoints'
}

function mergedWhere(conditions: string): string {
  const withTopic = conditions.replaceAll('e.topic', '(select e.topic from events e where e.id = d.event_id)')
  const ids = newestOfTenant({ ...byEndpoint, condition: withTopic })
  return `where d.id = any (array(select id from (${ids}) n order by id desc limit $rows))`
}

function handedOffPart(isOfEvent: boolean, conditions: string): string {
  // The newest first, and no more than are needed.
  const newest = `select ${handedOffColumns} from (${isOfEvent ? leasesOfEvent : handOffLeases} order by l.id desc) l
    cross join lateral (select * from events e where e.id = l.event_id limit 1) e
    where e.tenant_id = $tenant and ${isOnlyHandedOff}`
  return `${fromHandedOff(newest)} where ${inIdRange('d')}${conditions.replaceAll('e.topic', 'd.topic')}`
}

interface DeliveryQuery {
  readonly tenantId: string
  readonly filter: DeliveryFilter
  readonly window: Window
  readonly most: number
}

/** Null: a filter names an id or a state that is none, so nothing matches. All but the tenant. */
function deliveryConditions({ tenantId, filter, window, most }: DeliveryQuery): Conditions | null {
  const where = new Conditions().give('tenant', 'uuid', uuidOfId(tenantId)).give('rows', 'bigint', most)
  const ids = namedIds(filter)
  if (ids === null) return null
  for (const { name, value } of ids) {
    where.literal(
      name === 'event'
        ? `d.id = any (array(select l.id from events e cross join lateral ${deliveriesOf('e')} l
             where e.id = $event and ${inIdRange('l')}))`
        : `d.${name}_id = $${name}`,
    )
    where.give(name, 'uuid', value)
  }
  if (filter.state !== undefined && deliveryStates.includes(filter.state)) {
    where.literal(`d.state = '${filter.state}'`)
  } else if (filter.state !== undefined) return null
  where.add('e.topic = $topic', 'topic', 'text', filter.topic)
  where.add('d.error_class = $error_class', 'error_class', 'text', filter.errorClass)
  addTimes(where, filter)
  return giveIdRange(where, idPrefixes.delivery, { times: filter, ...window })
}

interface NamedId {
  readonly name: 'endpoint' | 'subscription' | 'event'
  readonly value: string
}

/** Null: one of them is none. */
function namedIds({ endpointId, subscriptionId, eventId }: DeliveryFilter): readonly NamedId[] | null {
  const ids: NamedId[] = []
  for (const [name, id] of [
    ['endpoint', endpointId],
    ['subscription', subscriptionId],
    ['event', eventId],
  ] as const) {
    if (id === undefined) continue
    const bytes = bytesOfId(idPrefixes[name], id)
    if (bytes === null) return null
    ids.push({ name, value: uuid(bytes) })
  }
  return ids
}

/** What the entries of an index are chosen by. */
function giveIds(where: Conditions, filter: DeliveryFilter): void {
  for (const { name, value } of namedIds(filter) ?? []) where.give(name, 'uuid', value)
  if (filter.errorClass !== undefined) where.give('error_class', 'text', filter.errorClass)
}

export async function countDeadLetterReasons(
  context: Context,
  tenantId: string,
  filter: DeadLetterFilter,
): Promise<DeadLetterReasons> {
  const { errorClass, topic, since, until } = filter
  const ids = namedIds(filter)
  if (ids === null) return toReasons([])
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', reasonsLookedAt)
  for (const { name, value } of ids) where.add(`d.${name}_id = $${name}`, name, 'uuid', value)
  where
    .add('d.error_class = $error_class', 'error_class', 'text', errorClass)
    .add('(select v.topic from events v where v.id = d.event_id limit 1) = $topic', 'topic', 'text', topic)
    .add('d.updated_at >= $since', 'since', 'bigint', since)
    .add('d.updated_at < $until', 'until', 'bigint', until)
  return toReasons(
    await where.read<ReasonRow>(
      context,
      // deliveries_dead
      `select d.error_class, count(*) filter (where true${where.sql}) as count, count(*) as looked_at
       from (select * from deliveries d where d.tenant_id = $tenant and d.state = 'dead_lettered'
         order by d.id desc limit $rows) d
       group by d.error_class`,
    ),
  )
}

export async function listDeadLetters(
  context: Context,
  tenantId: string,
  filter: DeadLetterFilter,
  page: PageRequest,
): Promise<Page<DeadLetter>> {
  const bounds = readPageRequest(page)
  const { endpointId, errorClass, topic, since, until } = filter
  const of = {
    state: 'dead_lettered',
    ...(endpointId === undefined ? {} : { endpointId }),
    ...(errorClass === undefined ? {} : { errorClass }),
    ...(topic === undefined ? {} : { topic }),
  } as const
  if (namedIds(of) === null) return noPage
  const listed = listedBy(of)
  const counted: Counted = {
    tenantId,
    prefix: idPrefixes.delivery,
    times: {},
    give: (where) => giveIds(where, of),
  }
  return readInWindows(
    bounds,
    {
      findFloor: (before, most) =>
        floorOf(context, [{ from: `from deliveries d where ${listed}` }], { ...counted, before, most }),
      read(window, most) {
        const where = deliveryConditions({ tenantId, filter: of, window, most }) as Conditions
        where
          .add('d.updated_at >= $since', 'since', 'bigint', since)
          .add('d.updated_at < $until', 'until', 'bigint', until)
        return where.read<DeliveryRow>(
          context,
          `select ${commonColumns}
           from (select * from deliveries d where ${listed} and ${inIdRange('d')} order by d.id desc offset 0) d ${itsEvent}
           where d.tenant_id = $tenant${where.sql} order by d.id desc limit $rows`,
        )
      },
    },
    toDeadLetter,
  )
}
