import type { SQLInputValue } from 'node:sqlite'
import { idPrefixes, idTime } from '../../../core/ids.ts'
import { type DeadLetter, type Delivery, type DeliveryState, deliveryStates } from '../../../core/model.ts'
import { bytesOfId } from '../../cursors.ts'
import type { DeadLetterFilter, DeliveryFilter, Page, PageRequest } from '../../port.ts'
import {
  type DeliveryRow,
  type LiveDeliveryRow,
  toDeadLetter,
  toFinishedDelivery,
  toLiveDelivery,
} from '../../rows.ts'
import { unpackFanOut } from '../rows/fan-out.ts'
import { findKey, keyAt } from '../rows/key-space.ts'
import { findNumber, findTopic } from '../rows/names.ts'
import { codeOf, stateOf } from '../rows/state-codes.ts'
import type { ReadContext } from './context.ts'
import { findEvent, tenantNumber, timeConditions } from './events.ts'
import { findHandedOff, type HandedOff, handedOff, idOf, toLiveRow } from './handed-off.ts'
import { type KeyBounds, readKeyPage, toKeyPage } from './key-pages.ts'
import { newestKeys, newestOfGroup } from './newest-keys.ts'

const commonColumns = `d.k, d.id, tn.id as tenant_id, coalesce(e.id, zeroblob(16)) as event_id, sn.id as subscription_id,
  en.id as endpoint_id, gn.id as target_id, d.state, d.attempt_count, d.claim_version, d.last_http_status, d.error_class,
  d.last_error, e.ordering_key, d.created_at, d.updated_at, coalesce(t.topic, e.topic_text) as topic`

const commonJoins = `left join events e on e.k = d.event_k
  left join topics t on t.n = e.topic
  left join names tn on tn.n = d.tenant
  left join names sn on sn.n = d.subscription
  left join names en on en.n = d.endpoint
  left join names gn on gn.n = coalesce(d.target, d.endpoint)`

// primary keys
const finishedSql = `select ${commonColumns} from deliveries d ${commonJoins} where d.k = ?`

const liveSql = `select ${commonColumns}, d.due_at, d.reason, ep.disabled_reason, s.paused_until, s.probe_until,
    b.limited_until
  from live_deliveries d ${commonJoins}
  left join endpoints ep on ep.id = en.id
  left join endpoint_state s on s.target_id = gn.id
  left join endpoint_shares b on b.target_id = gn.id
  where d.k = ?`

const noPage: Page<never> = { items: [], nextCursor: '' }

type Coded<Row extends { readonly state: DeliveryState }> = Omit<Row, 'state'> & { readonly state: number }

/** By its key, in whichever table it is; null: in none. */
function readDelivery(context: ReadContext, key: number): Delivery | null {
  const finished = readFinished(context, key)
  if (finished !== null) return toFinishedDelivery(finished)
  const live = context.prepare<Coded<LiveDeliveryRow>>(liveSql).get(key)
  if (live !== undefined) return toLiveDelivery({ ...live, state: stateOf(live.state) }, context.now)
  const leased = findHandedOff(context, key)
  return leased === null ? null : toLiveDelivery(toLiveRow(context, leased), context.now)
}

function readFinished(context: ReadContext, key: number): DeliveryRow | null {
  const row = context.prepare<Coded<DeliveryRow>>(finishedSql).get(key)
  return row === undefined ? null : { ...row, state: stateOf(row.state) }
}

export function getDelivery(context: ReadContext, tenantId: string, id: string): Delivery | null {
  const key = findDelivery(context, id)
  const delivery = key === null ? null : readDelivery(context, key)
  return delivery?.tenantId === tenantId ? delivery : null
}

/** The key of a delivery, in whichever table it is. */
export function findDelivery(context: ReadContext, id: string): number | null {
  if (bytesOfId(idPrefixes.delivery, id) === null) return null
  const key = findKey(context, 'deliveries', id) ?? findKey(context, 'live_deliveries', id)
  if (key !== null) return key
  const bounds = { from: keyAt(idTime(id)), before: Number.MAX_SAFE_INTEGER }
  for (const leased of handedOff(context, bounds)) if (idOf(leased) === id) return leased.lease.key
  return null
}

export function listDeliveriesOfEvent(
  context: ReadContext,
  tenantId: string,
  eventId: string,
): readonly Delivery[] {
  const key = findEvent(context, tenantId, eventId)
  if (key === null) return []
  return deliveriesOf(context, key)
    .flatMap((deliveryKey) => readDelivery(context, deliveryKey) ?? [])
    .sort((a, b) => (a.id < b.id ? -1 : 1))
}

function deliveriesOf(context: ReadContext, eventKey: number): readonly number[] {
  const row = context.prepare('select fan_out from events where k = ?').get(eventKey) // primary key
  return row === undefined ? [] : unpackFanOut(row.fan_out as Uint8Array).map(({ key }) => key)
}

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

interface Wanted {
  readonly tenantId: string
  readonly tenant: number
  readonly filter: DeliveryFilter
  readonly endpoint: number | null
  readonly subscription: number | null
  /** Null without a topic, or when the topic is written out. */
  readonly topic: number | null
}

/** Null: a filter names an id, a state or a topic that is none, so nothing matches. */
function readFilter(context: ReadContext, tenantId: string, filter: DeliveryFilter): Wanted | null {
  const tenant = tenantNumber(context, tenantId)
  const endpoint = numberOf(context, idPrefixes.endpoint, filter.endpointId)
  const subscription = numberOf(context, idPrefixes.subscription, filter.subscriptionId)
  if (tenant === null || endpoint === 'unknown' || subscription === 'unknown') return null
  if (filter.state !== undefined && !deliveryStates.includes(filter.state)) return null
  const topic = filter.topic === undefined ? null : findTopic(context, filter.topic)
  return { tenantId, tenant, filter, endpoint, subscription, topic }
}

function numberOf(
  context: ReadContext,
  prefix: 'ep' | 'sub',
  id: string | undefined,
): number | null | 'unknown' {
  if (id === undefined) return null
  const bytes = bytesOfId(prefix, id)
  return (bytes === null ? null : findNumber(context, bytes)) ?? 'unknown'
}

const liveStates: ReadonlySet<string> = new Set(['pending', 'in_flight', 'retry_scheduled'])

function keysOf(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { state } = wanted.filter
  const isLive = state === undefined || liveStates.has(state)
  const isFinished = state === undefined || !isLive
  const isInFlight = state === undefined || state === 'in_flight'
  return [
    ...(isFinished ? finishedKeys(context, wanted, bounds) : []),
    ...(isLive ? liveKeys(context, wanted, bounds) : []),
    ...(isInFlight ? handedOffKeys(context, wanted, bounds) : []),
  ]
    .sort((a, b) => b - a)
    .slice(0, bounds.limit + 1)
}

function finishedKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { tenant, endpoint, filter } = wanted
  const { condition, values } = conditionsOf(wanted)
  if (filter.state === 'dead_lettered' || filter.state === 'cancelled') {
    return tenantKeys(context, wanted, { ...bounds, table: 'deliveries' })
  }
  const of = { table: 'deliveries', group: 'endpoint', tenant, condition, values } as const
  return endpoint === null
    ? newestKeys(context, of, bounds)
    : newestOfGroup(context, of, { ...bounds, group: endpoint })
}

function liveKeys(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  return tenantKeys(context, wanted, { ...bounds, table: 'live_deliveries' })
}

interface TableBounds extends KeyBounds {
  readonly table: 'deliveries' | 'live_deliveries'
}

/** Through deliveries_dead or deliveries_cancelled, or downwards through what is live, which is small. */
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

/** All but tenant, endpoint and event, as SQL over the alias `d`. */
function conditionsOf({ filter, subscription, topic }: Wanted) {
  const times = timeConditions(filter)
  const conditions = [times.condition]
  const values: SQLInputValue[] = [...times.values]
  // A literal, so that the partial indexes deliveries_dead and deliveries_cancelled can serve it.
  if (filter.state !== undefined) conditions.push(`and d.state = ${codeOf(filter.state)}`)
  if (subscription !== null) {
    conditions.push('and d.subscription = ?')
    values.push(subscription)
  }
  if (filter.topic !== undefined) {
    // A subquery, so that no planner begins at the events of the topic.
    const column = topic === null ? 'topic_text' : 'topic'
    conditions.push(`and (select e.${column} from events e where e.k = d.event_k) = ?`)
    values.push(topic ?? filter.topic)
  }
  return { condition: conditions.join(' '), values }
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

function isWanted({ entry, tenant, topic, topicText, createdAt }: HandedOff, wanted: Wanted): boolean {
  const { filter } = wanted
  if (tenant !== wanted.tenant) return false
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

/** Of one event: it lists them, so they are read and looked at one by one. */
function keysOfEvent(context: ReadContext, wanted: Wanted, bounds: KeyBounds): readonly number[] {
  const { filter, tenantId } = wanted
  const event = findEvent(context, tenantId, filter.eventId ?? '')
  if (event === null) return []
  const keys = [...deliveriesOf(context, event)].sort((a, b) => b - a)
  const found: number[] = []
  for (const key of keys) {
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
  { state, endpointId, subscriptionId, topic, since, until }: DeliveryFilter,
) {
  return (
    (state === undefined || delivery.state === state) &&
    (endpointId === undefined || delivery.endpointId === endpointId) &&
    (subscriptionId === undefined || delivery.subscriptionId === subscriptionId) &&
    (topic === undefined || delivery.topic === topic) &&
    delivery.createdAt >= (since ?? 0) &&
    delivery.createdAt < (until ?? Number.POSITIVE_INFINITY)
  )
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
      // deliveries_dead
      `select d.k from deliveries d
       where d.tenant = ? and d.k >= ? and d.k < ? ${condition} ${endpoint === null ? '' : 'and +d.endpoint = ?'}
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
