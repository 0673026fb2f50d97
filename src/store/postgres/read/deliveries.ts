import { idPrefixes } from '../../../core/ids.ts'
import { type DeadLetter, type Delivery, deliveryStates, limits } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { DeadLetterFilter, DeliveryFilter, Page, PageRequest } from '../../port.ts'
import {
  type DeliveryRow,
  type LiveDeliveryRow,
  toDeadLetter,
  toFinishedDelivery,
  toLiveDelivery,
} from '../../rows.ts'
import { everyNode } from '../claim/rate-buckets.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { type Counted, entriesOfNoGroup, findGroups, floorOf, floorOfGroups } from './floors.ts'
import { handedOffById, handedOffColumns, handOffLeases, isOnlyHandedOff } from './handed-off.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes, giveIdRange, higher, inIdRange } from './time-range.ts'
import { readInWindows, type Window } from './windows.ts'

/** Of a row `d` whose event is `e`. A target that is not named is the endpoint. */
const commonColumns = `d.id, d.tenant_id, d.event_id, d.subscription_id, d.endpoint_id,
  coalesce(d.target_id, d.endpoint_id) as target_id, d.state, d.attempt_count, d.claim_version, d.last_http_status,
  d.error_class, d.last_error, e.ordering_key, d.created_at, d.updated_at, e.topic`

/** SQL: by its key whatever is known of the table. */
const itsEvent = `left join lateral (select topic, ordering_key from events v where v.id = d.event_id limit 1) e on true`

const fromLive = `select ${commonColumns}, true as is_live, d.due_at, d.reason, ep.disabled_reason, s.paused_until,
    s.probe_until, b.limited_until
  from live_deliveries d
  ${itsEvent}
  left join endpoints ep on ep.id = d.endpoint_id
  left join endpoint_state s on s.target_id = d.target_id
  left join endpoint_shares b on b.target_id = d.target_id and b.node_id = '${everyNode}'`

const nothingLive = `null::bigint as due_at, null::text as reason, null::text as disabled_reason,
  null::bigint as paused_until, null::bigint as probe_until, null::bigint as limited_until`

const fromFinished = (rows = 'deliveries') => `select ${commonColumns}, false as is_live, ${nothingLive}
  from ${rows} d ${itsEvent}`

/** SQL: those that stand only in `handoffs`, from rows of `handedOffColumns`. */
const fromHandedOff = (rows: string) => `select d.*, true as is_live, ${nothingLive} from (${rows}) d`

type EitherRow = LiveDeliveryRow & { readonly is_live: boolean; readonly now: number }

const noPage: Page<never> = { items: [], nextCursor: '' }

/** One statement over all places, since a row may be on its way from one to another. */
function inOneMoment(parts: readonly string[], end: string): string {
  return `select t.*, ${now} as now from (${parts.join(' union all ')}) t ${end}`
}

export async function getDelivery(context: Context, tenantId: string, id: string): Promise<Delivery | null> {
  const bytes = bytesOfId(idPrefixes.delivery, id)
  if (bytes === null) return null
  const [row] = await run(context, deliveryStatement, { id: uuid(bytes), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toDelivery(row)
}

const byId = 'where d.id = $id and d.tenant_id = $tenant'

const deliveryStatement = query<EitherRow>()(
  'get_delivery',
  { id: 'uuid', tenant: 'uuid' },
  // primary keys
  inOneMoment([`${fromLive} ${byId}`, `${fromFinished()} ${byId}`, fromHandedOff(handedOffById)], ''),
)

function toDelivery(row: EitherRow): Delivery {
  return row.is_live ? toLiveDelivery(row, row.now) : toFinishedDelivery(row)
}

export async function listDeliveriesOfEvent(
  context: Context,
  tenantId: string,
  eventId: string,
  page: PageRequest,
): Promise<Page<Delivery>> {
  // The bound of such a page is a lower one.
  const { limit, before: after } = readPageRequest(page, limits.maxDeliveriesAtOnce)
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return noPage
  const rows = await run(context, ofEventStatement, {
    event: uuid(bytes),
    tenant: uuidOfId(tenantId),
    after: optionalUuid(after),
    rows: limit + 1,
  })
  return toPage(rows, limit, toDelivery)
}

/** SQL: the ids of the deliveries of the event `$event`, as an array. */
const idsOfEvent = `array(select l.id from events e cross join lateral ${deliveriesOf('e')} l where e.id = $event)`

const leasesOfEvent = `${handOffLeases} and $event = any (h.event_ids) and l.event_id = $event`

const isBehind = (row: 'd' | 'l') => `($after is null or ${row}.id > $after)`

const ofEventStatement = query<EitherRow>()(
  'deliveries_of_event',
  { event: 'uuid', tenant: 'uuid', after: 'uuid', rows: 'bigint' },
  // primary keys
  inOneMoment(
    [
      `${fromLive} where d.id = any (${idsOfEvent}) and d.tenant_id = $tenant and ${isBehind('d')}`,
      `${fromFinished()} where d.id = any (${idsOfEvent}) and d.tenant_id = $tenant and ${isBehind('d')}`,
      fromHandedOff(
        `select ${handedOffColumns} from (${leasesOfEvent}) l join events e on e.id = l.event_id
         where e.tenant_id = $tenant and ${isBehind('l')} and ${isOnlyHandedOff}`,
      ),
    ],
    'order by id limit $rows',
  ),
)

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
