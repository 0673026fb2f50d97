import { idPrefixes } from '../../../core/ids.ts'
import { type DeadLetter, type Delivery, deliveryStates, limits } from '../../../core/model.ts'
import { bytesOfId, type PageBounds, readPageRequest, toPage } from '../../cursors.ts'
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
import { handedOffById, handedOffColumns, handOffLeases, isOnlyHandedOff } from './handed-off.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes } from './time-range.ts'

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

const fromFinished = `select ${commonColumns}, false as is_live, ${nothingLive}
  from deliveries d ${itsEvent}`

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
  inOneMoment([`${fromLive} ${byId}`, `${fromFinished} ${byId}`, fromHandedOff(handedOffById)], ''),
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
      `${fromFinished} where d.id = any (${idsOfEvent}) and d.tenant_id = $tenant and ${isBehind('d')}`,
      fromHandedOff(
        `select ${handedOffColumns} from (${leasesOfEvent}) l join events e on e.id = l.event_id
         where e.tenant_id = $tenant and ${isBehind('l')} and ${isOnlyHandedOff}`,
      ),
    ],
    'order by id limit $rows',
  ),
)

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

/** A page of all places, merged by id, in one statement: every row is in one of them. */
export async function listDeliveries(
  context: Context,
  tenantId: string,
  filter: DeliveryFilter,
  page: PageRequest,
): Promise<Page<Delivery>> {
  const bounds = readPageRequest(page)
  const where = deliveryConditions({ tenantId, filter, bounds })
  if (where === null) return noPage
  const { state } = filter
  const mayBe = (live: boolean) => state === undefined || liveStates.has(state) === live
  const end = 'order by d.id desc limit $rows'
  const parts: string[] = []
  if (mayBe(true)) parts.push(`(${fromLive} where d.tenant_id = $tenant${where.sql} ${end})`)
  if (mayBe(false)) parts.push(`(${fromFinished} ${finishedWhere(filter, where.sql)} ${end})`)
  if (state === undefined || state === 'in_flight') {
    const leases = filter.eventId === undefined ? handOffLeases : leasesOfEvent
    // The newest first, and no more than are needed.
    const newest = `select ${handedOffColumns} from (${leases} order by l.id desc) l
      cross join lateral (select * from events e where e.id = l.event_id limit 1) e
      where e.tenant_id = $tenant and ${isOnlyHandedOff}`
    const withTopic = where.sql.replaceAll('e.topic', 'd.topic')
    parts.push(`(${fromHandedOff(newest)} where true${withTopic} ${end})`)
  }
  const rows = await where.read<EitherRow>(context, inOneMoment(parts, 'order by id desc limit $rows'))
  return toPage(rows, bounds.limit, toDelivery)
}

/** By what lists the newest of them: the event, the endpoint or the subscription's, a partial index of the state, or the tenant's endpoints. */
function finishedWhere(filter: DeliveryFilter, conditions: string): string {
  const ofTenant = `d.tenant_id = $tenant${conditions}`
  if (filter.eventId === undefined && filter.errorClass !== undefined) {
    // deliveries_error
    return `where ${ofTenant} and d.state in ('dead_lettered', 'cancelled', 'skipped')`
  }
  const isListed = filter.state !== undefined && filter.state !== 'succeeded'
  if (filter.eventId !== undefined || filter.endpointId !== undefined || isListed) return `where ${ofTenant}`
  // A subscription stays with its endpoint, so that no other one's deliveries are looked through.
  if (filter.subscriptionId !== undefined) {
    return `where ${ofTenant} and d.endpoint_id = (select s.endpoint_id from subscriptions s where s.id = $subscription)`
  }
  const withTopic = conditions.replaceAll('e.topic', '(select e.topic from events e where e.id = d.event_id)')
  const ids = newestOfTenant({ table: 'deliveries', group: 'endpoint_id', condition: withTopic })
  return `where d.id = any (array(select id from (${ids}) n order by id desc limit $rows))`
}

interface DeliveryQuery {
  readonly tenantId: string
  readonly filter: DeliveryFilter
  readonly bounds: PageBounds
}

/** Null: a filter names an id or a state that is none, so nothing matches. All but the tenant. */
function deliveryConditions({ tenantId, filter, bounds }: DeliveryQuery): Conditions | null {
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', bounds.limit + 1)
  const ids = [
    ['endpoint', idPrefixes.endpoint, filter.endpointId, 'd.endpoint_id = $endpoint'],
    ['subscription', idPrefixes.subscription, filter.subscriptionId, 'd.subscription_id = $subscription'],
    ['event', idPrefixes.event, filter.eventId, `d.id = any (${idsOfEvent})`],
  ] as const
  for (const [name, prefix, id, condition] of ids) {
    if (id === undefined) continue
    const bytes = bytesOfId(prefix, id)
    if (bytes === null) return null
    where.add(condition, name, 'uuid', uuid(bytes))
  }
  // A literal, so that the partial indexes deliveries_dead and deliveries_cancelled can serve it.
  if (filter.state !== undefined && deliveryStates.includes(filter.state)) {
    where.literal(`d.state = '${filter.state}'`)
  } else if (filter.state !== undefined) return null
  where.add('e.topic = $topic', 'topic', 'text', filter.topic)
  where.add('d.error_class = $error_class', 'error_class', 'text', filter.errorClass)
  addTimes(where, idPrefixes.delivery, filter)
  return where.add('d.id < $before', 'before', 'uuid', optionalUuid(bounds.before))
}

export async function listDeadLetters(
  context: Context,
  tenantId: string,
  filter: DeadLetterFilter,
  page: PageRequest,
): Promise<Page<DeadLetter>> {
  const bounds = readPageRequest(page)
  // deliveries_dead
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', bounds.limit + 1)
  if (filter.endpointId !== undefined) {
    const endpoint = bytesOfId(idPrefixes.endpoint, filter.endpointId)
    if (endpoint === null) return noPage
    where.add('d.endpoint_id = $endpoint', 'endpoint', 'uuid', uuid(endpoint))
  }
  where
    .add('e.topic = $topic', 'topic', 'text', filter.topic)
    .add('d.error_class = $error_class', 'error_class', 'text', filter.errorClass)
    .add('d.updated_at >= $since', 'since', 'bigint', filter.since)
    .add('d.updated_at < $until', 'until', 'bigint', filter.until)
    .add('d.id < $before', 'before', 'uuid', optionalUuid(bounds.before))
  const rows = await where.read<DeliveryRow>(
    context,
    `select ${commonColumns} from deliveries d ${itsEvent}
     where d.tenant_id = $tenant and d.state = 'dead_lettered'${where.sql} order by d.id desc limit $rows`,
  )
  return toPage(rows, bounds.limit, toDeadLetter)
}
