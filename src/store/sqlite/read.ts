import { type IdPrefix, idPrefixes, idToBytes, largestIdAt, smallestIdAt } from '../../core/ids.ts'
import {
  type Attempt,
  type DeadLetter,
  type Delivery,
  deliveryStates,
  type OutboundEvent,
} from '../../core/model.ts'
import { bytesOfId, type PageBounds, readPageRequest, toPage } from '../cursors.ts'
import type { DeadLetterFilter, DeliveryFilter, EventFilter, Page, PageRequest } from '../port.ts'
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
} from '../rows.ts'
import { Conditions } from './conditions.ts'
import type { ReadContext } from './read-context.ts'

/** An id may come from a clock that differs from the store's by this much; the exact time is checked besides. */
const idClockSlackMs = 600_000

const eventColumns =
  'id, tenant_id, topic, state, payload_bytes, metadata, ordering_key, producer_key_id, created_at'

const commonColumns = `d.id, d.tenant_id, d.event_id, d.subscription_id, d.endpoint_id, d.target_id, d.state,
  d.attempt_count, d.claim_version, d.last_http_status, d.error_class, d.last_error, d.ordering_key, d.created_at,
  d.updated_at, e.topic`

const fromFinished = `select ${commonColumns} from deliveries d left join events e on e.id = d.event_id`

const fromLive = `select ${commonColumns}, d.due_at, d.reason, ep.disabled_reason, s.paused_until, s.probe_until,
    b.limited_until
  from live_deliveries d
  left join events e on e.id = d.event_id
  left join endpoints ep on ep.id = d.endpoint_id
  left join endpoint_state s on s.target_id = d.target_id
  left join endpoint_shares b on b.target_id = d.target_id`

const noPage: Page<never> = { items: [], nextCursor: '' }

export function getEvent(context: ReadContext, tenantId: string, id: string): OutboundEvent | null {
  const bytes = bytesOfId(idPrefixes.event, id)
  if (bytes === null) return null
  const row = context
    .prepare(`select ${eventColumns} from events where id = ? and tenant_id = ?`)
    .get(bytes, idToBytes(tenantId))
  return row === undefined ? null : toEvent(row as unknown as EventRow)
}

export function listEvents(
  context: ReadContext,
  tenantId: string,
  filter: EventFilter,
  page: PageRequest,
): Page<OutboundEvent> {
  const bounds = readPageRequest(page)
  // events_topic with a topic, else the primary key downwards
  const where = new Conditions().equal('tenant_id', idToBytes(tenantId))
  if (filter.topic !== undefined) where.equal('topic', filter.topic)
  addTimes(where, { filter, prefix: idPrefixes.event, table: '' })
  where.idBefore('id', bounds.before)
  const rows = context
    .prepare(`select ${eventColumns} from events ${where.sql} order by id desc limit ?`)
    .all(...where.values, bounds.limit + 1)
  return toPage(rows as unknown as readonly EventRow[], bounds.limit, toEvent)
}

export function getPayload(context: ReadContext, tenantId: string, eventId: string): Uint8Array | null {
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return null
  const row = context
    .prepare(
      // primary keys
      'select payload from events e join event_payloads p on p.event_id = e.id where e.id = ? and e.tenant_id = ?',
    )
    .get(bytes, idToBytes(tenantId))
  return row === undefined ? null : (row.payload as Uint8Array)
}

export function listDeliveriesOfEvent(
  context: ReadContext,
  tenantId: string,
  eventId: string,
): readonly Delivery[] {
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return []
  // live_deliveries_event, deliveries_event
  const where = new Conditions().equal('d.event_id', bytes).equal('d.tenant_id', idToBytes(tenantId))
  return readBoth(context, where).sort((a, b) => (a.id < b.id ? -1 : 1))
}

export function getDelivery(context: ReadContext, tenantId: string, id: string): Delivery | null {
  const bytes = bytesOfId(idPrefixes.delivery, id)
  if (bytes === null) return null
  const where = new Conditions().equal('d.id', bytes).equal('d.tenant_id', idToBytes(tenantId)) // primary keys
  return readBoth(context, where)[0] ?? null
}

function readBoth(context: ReadContext, where: Conditions): Delivery[] {
  const live = context.prepare(`${fromLive} ${where.sql}`).all(...where.values)
  const finished = context.prepare(`${fromFinished} ${where.sql}`).all(...where.values)
  return [
    ...(live as unknown as readonly LiveDeliveryRow[]).map((row) => toLiveDelivery(row, context.now)),
    ...(finished as unknown as readonly DeliveryRow[]).map(toFinishedDelivery),
  ]
}

/** A page of both tables, merged by id. A row is in one of them only: both are read in one snapshot. */
export function listDeliveries(
  context: ReadContext,
  tenantId: string,
  filter: DeliveryFilter,
  page: PageRequest,
): Page<Delivery> {
  const bounds = readPageRequest(page)
  const where = deliveryConditions(tenantId, filter, bounds)
  if (where === null) return noPage
  const isLive = filter.state === undefined || liveStates.has(filter.state)
  const isFinished = filter.state === undefined || !liveStates.has(filter.state)
  const order = 'order by d.id desc limit ?'
  const live = isLive
    ? context.prepare(`${fromLive} ${where.sql} ${order}`).all(...where.values, bounds.limit + 1)
    : []
  const finished = isFinished
    ? context.prepare(`${fromFinished} ${where.sql} ${order}`).all(...where.values, bounds.limit + 1)
    : []
  const merged = [
    ...(live as unknown as readonly LiveDeliveryRow[]).map((row) => ({ id: row.id, live: row })),
    ...(finished as unknown as readonly DeliveryRow[]).map((row) => ({ id: row.id, finished: row })),
  ].sort((a, b) => Buffer.compare(b.id, a.id))
  return toPage(merged, bounds.limit, (row) =>
    'live' in row ? toLiveDelivery(row.live, context.now) : toFinishedDelivery(row.finished),
  )
}

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

/** Null: a filter names an id or a state that is none, so nothing matches. */
function deliveryConditions(tenantId: string, filter: DeliveryFilter, bounds: PageBounds): Conditions | null {
  const where = new Conditions()
  const ids = [
    ['d.endpoint_id', idPrefixes.endpoint, filter.endpointId],
    ['d.subscription_id', idPrefixes.subscription, filter.subscriptionId],
    ['d.event_id', idPrefixes.event, filter.eventId],
  ] as const
  for (const [column, prefix, id] of ids) {
    if (id === undefined) continue
    const bytes = bytesOfId(prefix, id)
    if (bytes === null) return null
    where.equal(column, bytes)
  }
  // The unary plus keeps the planner from walking a whole tenant when an endpoint or event is named.
  const isNarrow = filter.endpointId !== undefined || filter.eventId !== undefined
  where.equal(isNarrow ? '+d.tenant_id' : 'd.tenant_id', idToBytes(tenantId))
  // A literal, so that the partial indexes deliveries_dead and deliveries_cancelled can serve it.
  if (filter.state !== undefined && deliveryStates.includes(filter.state))
    where.literal(`d.state = '${filter.state}'`)
  else if (filter.state !== undefined) return null
  if (filter.topic !== undefined) where.equal('e.topic', filter.topic)
  addTimes(where, { filter, prefix: idPrefixes.delivery, table: 'd.' })
  return where.idBefore('d.id', bounds.before)
}

export function listAttempts(
  context: ReadContext,
  deliveryIds: readonly string[],
  options: { readonly withCapture: boolean },
): readonly Attempt[] {
  const capture = options.withCapture
    ? 'response_headers, response_body, response_truncated'
    : 'null as response_headers, null as response_body, null as response_truncated'
  const statement = context.prepare(
    // primary key
    `select delivery_id, claim_version, attempt_no, status, http_status, error_class, error, latency_ms, started_at,
            ${capture}
     from attempts where delivery_id = ? order by claim_version`,
  )
  const ids = deliveryIds.flatMap((id) => bytesOfId(idPrefixes.delivery, id) ?? []).sort(Buffer.compare)
  return ids.flatMap((id) => (statement.all(id) as unknown as readonly AttemptRow[]).map(toAttempt))
}

export function listDeadLetters(
  context: ReadContext,
  tenantId: string,
  filter: DeadLetterFilter,
  page: PageRequest,
): Page<DeadLetter> {
  const bounds = readPageRequest(page)
  const endpoint = filter.endpointId === undefined ? null : bytesOfId(idPrefixes.endpoint, filter.endpointId)
  if (filter.endpointId !== undefined && endpoint === null) return noPage
  // deliveries_dead
  const where = new Conditions()
    .equal('d.tenant_id', idToBytes(tenantId))
    .literal(`d.state = 'dead_lettered'`)
  if (endpoint !== null) where.equal('+d.endpoint_id', endpoint)
  if (filter.topic !== undefined) where.equal('e.topic', filter.topic)
  if (filter.since !== undefined) where.atLeast('d.updated_at', filter.since)
  if (filter.until !== undefined) where.below('d.updated_at', filter.until)
  where.idBefore('d.id', bounds.before)
  const rows = context
    .prepare(`${fromFinished} ${where.sql} order by d.id desc limit ?`)
    .all(...where.values, bounds.limit + 1)
  return toPage(rows as unknown as readonly DeliveryRow[], bounds.limit, toDeadLetter)
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
    where.atLeast(`${table}created_at`, since)
    where.atLeast(`${table}id`, idToBytes(smallestIdAt(prefix, since - idClockSlackMs)))
  }
  if (until !== undefined) {
    where.below(`${table}created_at`, until)
    where.below(`${table}id`, idToBytes(largestIdAt(prefix, until + idClockSlackMs)))
  }
}
