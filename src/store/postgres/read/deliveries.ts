import { type IdPrefix, idPrefixes, idToBytes, largestIdAt, smallestIdAt } from '../../../core/ids.ts'
import {
  type Attempt,
  type DeadLetter,
  type Delivery,
  deliveryStates,
  limits,
  type OutboundEvent,
} from '../../../core/model.ts'
import { bytesOfId, type PageBounds, readPageRequest, toPage } from '../../cursors.ts'
import type { DeadLetterFilter, DeliveryFilter, EventFilter, Page, PageRequest } from '../../port.ts'
import {
  type AttemptRow,
  type DeliveryRow,
  type EventRow,
  type LiveDeliveryRow,
  toAttempt,
  toDeadLetter,
  toEvent,
  toFinishedDelivery,
  toLiveDelivery,
} from '../../rows.ts'
import { everyNode } from '../claim/rate-buckets.ts'
import { type Context, now } from '../connection/context.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

const eventColumns =
  'id, tenant_id, topic, state, payload_bytes, metadata, ordering_key, producer_key_id, created_at'

/** Of an event that waits for its fan-out: it is in one of the two tables, and every reader looks at both at once. */
const acceptedColumns = `id, tenant_id, topic, 'accepted' as state, payload_bytes, metadata, ordering_key,
  null::uuid as producer_key_id, created_at`

const commonColumns = `d.id, d.tenant_id, d.event_id, d.subscription_id, d.endpoint_id, d.target_id, d.state,
  d.attempt_count, d.claim_version, d.last_http_status, d.error_class, d.last_error, d.ordering_key, d.created_at,
  d.updated_at, e.topic`

const fromLive = `select ${commonColumns}, true as is_live, d.due_at, d.reason, ep.disabled_reason, s.paused_until,
    s.probe_until, b.limited_until
  from live_deliveries d
  left join events e on e.id = d.event_id
  left join endpoints ep on ep.id = d.endpoint_id
  left join endpoint_state s on s.target_id = d.target_id
  left join endpoint_shares b on b.target_id = d.target_id and b.node_id = '${everyNode}'`

const fromFinished = `select ${commonColumns}, false as is_live, null::bigint as due_at, null::text as reason,
    null::text as disabled_reason, null::bigint as paused_until, null::bigint as probe_until,
    null::bigint as limited_until
  from deliveries d left join events e on e.id = d.event_id`

type EitherRow = LiveDeliveryRow & { readonly is_live: boolean; readonly now: number }

const noPage: Page<never> = { items: [], nextCursor: '' }

export async function getEvent(
  context: Context,
  tenantId: string,
  id: string,
): Promise<OutboundEvent | null> {
  const bytes = bytesOfId(idPrefixes.event, id)
  if (bytes === null) return null
  const [row] = await context.query<EventRow>(
    'get_event',
    // primary key, outbox_id
    `select ${eventColumns} from events where id = $1 and tenant_id = $2
     union all select ${acceptedColumns} from outbox where id = $1 and tenant_id = $2`,
    [uuid(bytes), uuidOfId(tenantId)],
  )
  return row === undefined ? null : toEvent(row)
}

export async function listEvents(
  context: Context,
  tenantId: string,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<OutboundEvent>> {
  const bounds = readPageRequest(page)
  // events_topic with a topic, else the primary key downwards; outbox_id
  const where = new Conditions().equal('tenant_id', uuidOfId(tenantId))
  if (filter.topic !== undefined) where.equal('topic', filter.topic)
  addTimes(where, { filter, prefix: idPrefixes.event, table: '' })
  where.idBefore('id', optionalUuid(bounds.before))
  const end = `${where.sql} order by id desc limit ${where.parameter(bounds.limit + 1)}`
  const rows = await context.query<EventRow>(
    null,
    `(select ${eventColumns} from events ${end}) union all (select ${acceptedColumns} from outbox ${end})
     order by id desc limit ${where.parameter(bounds.limit + 1)}`,
    where.values,
  )
  return toPage(rows, bounds.limit, toEvent)
}

export async function getPayload(
  context: Context,
  tenantId: string,
  eventId: string,
): Promise<Uint8Array | null> {
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return null
  const [row] = await context.query<{ readonly payload: Uint8Array }>(
    'get_payload',
    // primary keys, outbox_id
    `select payload from events e join event_payloads p on p.event_id = e.id where e.id = $1 and e.tenant_id = $2
     union all select payload from outbox where id = $1 and tenant_id = $2`,
    [uuid(bytes), uuidOfId(tenantId)],
  )
  return row?.payload ?? null
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
  if (bytes === null) return { items: [], nextCursor: '' }
  // live_deliveries_event, deliveries_event
  const where = 'where d.event_id = $2 and d.tenant_id = $3 and ($4::uuid is null or d.id > $4)'
  const rows = await context.query<EitherRow>(
    'deliveries_of_event',
    `select t.*, ${now} as now from (${fromLive} ${where} union all ${fromFinished} ${where}) t
     order by id limit $5`,
    [context.shiftMs, uuid(bytes), uuidOfId(tenantId), optionalUuid(after), limit + 1],
  )
  return toPage(rows, limit, toDelivery)
}

export async function getDelivery(context: Context, tenantId: string, id: string): Promise<Delivery | null> {
  const bytes = bytesOfId(idPrefixes.delivery, id)
  if (bytes === null) return null
  // primary keys; one statement, since a row may be on its way from the one table to the other
  const where = 'where d.id = $2 and d.tenant_id = $3'
  const [row] = await context.query<EitherRow>(
    'get_delivery',
    `select t.*, ${now} as now from (${fromLive} ${where} union all ${fromFinished} ${where}) t`,
    [context.shiftMs, uuid(bytes), uuidOfId(tenantId)],
  )
  return row === undefined ? null : toDelivery(row)
}

function toDelivery(row: EitherRow): Delivery {
  return row.is_live ? toLiveDelivery(row, row.now) : toFinishedDelivery(row)
}

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

/** A page of both tables, merged by id, in one statement: every row is in one of them. */
export async function listDeliveries(
  context: Context,
  tenantId: string,
  filter: DeliveryFilter,
  page: PageRequest,
): Promise<Page<Delivery>> {
  const bounds = readPageRequest(page)
  const where = deliveryConditions(context, { tenantId, filter, bounds })
  if (where === null) return noPage
  const end = `order by d.id desc limit ${where.parameter(bounds.limit + 1)}`
  const parts: string[] = []
  if (filter.state === undefined || liveStates.has(filter.state))
    parts.push(`(${fromLive} ${where.sql} ${end})`)
  if (filter.state === undefined || !liveStates.has(filter.state))
    parts.push(`(${fromFinished} ${where.sql} ${end})`)
  const rows = await context.query<EitherRow>(
    null,
    `select t.*, ${now} as now from (${parts.join(' union all ')}) t
     order by id desc limit ${where.parameter(bounds.limit + 1)}`,
    where.values,
  )
  return toPage(rows, bounds.limit, toDelivery)
}

interface DeliveryQuery {
  readonly tenantId: string
  readonly filter: DeliveryFilter
  readonly bounds: PageBounds
}

/** Null: a filter names an id or a state that is none, so nothing matches. */
function deliveryConditions(
  context: Context,
  { tenantId, filter, bounds }: DeliveryQuery,
): Conditions | null {
  const where = new Conditions([context.shiftMs])
  const ids = [
    ['d.endpoint_id', idPrefixes.endpoint, filter.endpointId],
    ['d.subscription_id', idPrefixes.subscription, filter.subscriptionId],
    ['d.event_id', idPrefixes.event, filter.eventId],
  ] as const
  for (const [column, prefix, id] of ids) {
    if (id === undefined) continue
    const bytes = bytesOfId(prefix, id)
    if (bytes === null) return null
    where.equal(column, uuid(bytes))
  }
  where.equal('d.tenant_id', uuidOfId(tenantId))
  // A literal, so that the partial indexes deliveries_dead and deliveries_cancelled can serve it.
  if (filter.state !== undefined && deliveryStates.includes(filter.state)) {
    where.literal(`d.state = '${filter.state}'`)
  } else if (filter.state !== undefined) return null
  if (filter.topic !== undefined) where.equal('e.topic', filter.topic)
  addTimes(where, { filter, prefix: idPrefixes.delivery, table: 'd.' })
  return where.idBefore('d.id', optionalUuid(bounds.before))
}

export async function listAttempts(
  context: Context,
  deliveryIds: readonly string[],
  options: { readonly withCapture: boolean },
): Promise<readonly Attempt[]> {
  const ids = deliveryIds.flatMap((id) => bytesOfId(idPrefixes.delivery, id) ?? [])
  if (ids.length === 0) return []
  const capture = options.withCapture
    ? 'response_headers, response_body, response_truncated'
    : 'null::text as response_headers, null::bytea as response_body, null::boolean as response_truncated'
  const rows = await context.query<AttemptRow>(
    options.withCapture ? 'list_attempts_whole' : 'list_attempts',
    // primary key
    `select delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
            ${capture}
     from attempts where delivery_id = any ($1::uuid[]) order by delivery_id, claim_version`,
    [ids.map(uuid)],
  )
  return rows.map(toAttempt)
}

export async function listDeadLetters(
  context: Context,
  tenantId: string,
  filter: DeadLetterFilter,
  page: PageRequest,
): Promise<Page<DeadLetter>> {
  const bounds = readPageRequest(page)
  // deliveries_dead
  const where = new Conditions().equal('d.tenant_id', uuidOfId(tenantId)).literal(`d.state = 'dead_lettered'`)
  if (filter.endpointId !== undefined) {
    const endpoint = bytesOfId(idPrefixes.endpoint, filter.endpointId)
    if (endpoint === null) return noPage
    where.equal('d.endpoint_id', uuid(endpoint))
  }
  if (filter.topic !== undefined) where.equal('e.topic', filter.topic)
  if (filter.since !== undefined) where.atLeast('d.updated_at', filter.since)
  if (filter.until !== undefined) where.below('d.updated_at', filter.until)
  where.idBefore('d.id', optionalUuid(bounds.before))
  const rows = await context.query<DeliveryRow>(
    null,
    `select ${commonColumns} from deliveries d left join events e on e.id = d.event_id ${where.sql}
     order by d.id desc limit ${where.parameter(bounds.limit + 1)}`,
    where.values,
  )
  return toPage(rows, bounds.limit, toDeadLetter)
}

interface TimeBounds {
  readonly filter: { readonly since?: number; readonly until?: number }
  readonly prefix: IdPrefix
  readonly table: '' | 'd.'
}

function addTimes(where: Conditions, bounds: TimeBounds): void {
  const { since, until } = bounds.filter
  const { prefix, table } = bounds
  if (since !== undefined) {
    where.atLeast(`${table}created_at`, Math.ceil(since))
    where.atLeast(`${table}id`, uuid(idToBytes(smallestIdAt(prefix, since - idClockSlackMs))))
  }
  if (until !== undefined) {
    where.below(`${table}created_at`, Math.ceil(until))
    where.below(`${table}id`, uuid(idToBytes(largestIdAt(prefix, until + idClockSlackMs))))
  }
}
