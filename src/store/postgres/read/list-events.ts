/** Events by filters. What is asked for beside tenant, topic and time is looked at event by event, as far as a window reaches. */
import { bytesToId, idPrefixes, idTime } from '../../../core/ids.ts'
import { type DeliveryState, deliveryStates } from '../../../core/model.ts'
import { readPageRequest } from '../../cursors.ts'
import { type EventRow, toEvent } from '../../event-row.ts'
import { maxLookedAt, maxStatesOfEvent } from '../../page-reading.ts'
import type { EventFilter, EventListing, PageRequest } from '../../port.ts'
import type { Context } from '../connection/statement.ts'
import { eventColumns } from '../rows/columns.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { acceptedColumns } from './events.ts'
import { type Counted, entriesOfNoGroup, findGroups, floorOf, floorOfGroups } from './floors.ts'
import { handOffLeases } from './handed-off.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes, giveIdRange, higher, inIdRange } from './time-range.ts'
import { searchInWindows, type Window } from './windows.ts'

const grouped = { table: 'events', group: 'topic' } as const

/** Of each event up to a hundred deliveries are looked up, where their states are asked for. */
const maxEventsWithStates = maxLookedAt / 4

export async function listEvents(
  context: Context,
  tenantId: string,
  filter: EventFilter,
  page: PageRequest,
): Promise<EventListing> {
  const bounds = readPageRequest(page)
  const { topic, topicPrefix, deliveryState } = filter
  if (deliveryState !== undefined && !deliveryStates.includes(deliveryState)) {
    return { items: [], nextCursor: '', searchedUntil: null }
  }
  const isMine = (name: string) => topicPrefix === undefined || name.startsWith(topicPrefix)
  const groups = topic === undefined ? await findGroups(context, grouped, tenantId) : []
  const counted: Counted = {
    tenantId,
    prefix: idPrefixes.event,
    times: filter,
    give: (where) => where.give('topic', 'text', topic ?? ''),
  }
  // events_topic, or for a tenant of very many topics the primary key; outbox_id
  const listed = topic === undefined ? 'true' : 'd.tenant_id = $tenant and d.topic = $topic'
  const isMerged = topic === undefined && groups !== null
  const entries = [
    // Without a topic: direct sends, of which none has one that begins with anything.
    ...(isMerged
      ? topicPrefix === undefined
        ? [entriesOfNoGroup(grouped)]
        : []
      : [{ from: `from events d where ${listed}` }]),
    { from: 'from outbox d where true' },
  ]
  const found = await searchInWindows(
    { ...bounds, most: deliveryState === undefined ? maxLookedAt : maxEventsWithStates },
    {
      async findFloor(before, most) {
        const below = { ...counted, before, most }
        const floor = await floorOf(context, entries, below)
        const mine = (groups ?? []).filter(isMine)
        return higher(floor, await floorOfGroups(context, grouped, { ...below, groups: mine }))
      },
      read(window, most) {
        const where = eventConditions({ tenantId, filter, window, most })
        const states = deliveryState === undefined ? '' : ` and ${hasDelivery(deliveryState)}`
        const ids = isMerged
          ? newestOfTenant({
              ...grouped,
              condition: where.sql + states,
              ...(topicPrefix !== undefined && { groups: 'starts_with(g.name, $prefix)' }),
            })
          : `select d.id from (select * from events d where ${listed} and ${inIdRange('d')} order by d.id desc offset 0) d
             where d.tenant_id = $tenant${where.sql}${states} order by d.id desc limit $rows`
        // What is in the outbox has no delivery yet.
        const accepted = `union all
             (select ${acceptedColumns} from outbox d where d.tenant_id = $tenant and ${inIdRange('d')}${where.sql} order by d.id desc limit $rows)`
        return where.read<EventRow>(
          context,
          `select * from (
             select ${eventColumns}, expunged_at from events
             where id = any (array(select id from (${ids}) f order by id desc limit $rows))
             ${deliveryState === undefined ? accepted : ''}) e
           order by id desc limit $rows`,
        )
      },
    },
    toEvent,
  )
  const { stoppedAt, ...listing } = found
  return {
    ...listing,
    searchedUntil: stoppedAt === null ? null : idTime(bytesToId(idPrefixes.event, stoppedAt)),
  }
}

interface EventQuery {
  readonly tenantId: string
  readonly filter: EventFilter
  readonly window: Window
  readonly most: number
}

function eventConditions({ tenantId, filter, window, most }: EventQuery): Conditions {
  const { topic, topicPrefix, orderingKey, metadata } = filter
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', most)
    .add('d.topic = $topic', 'topic', 'text', topic)
    .add('starts_with(d.topic, $prefix)', 'prefix', 'text', topicPrefix)
    .add('d.ordering_key = $ordering_key', 'ordering_key', 'text', orderingKey)
  if (metadata !== undefined) {
    where
      .give('names', 'text[]', Object.keys(metadata))
      .give('values', 'text[]', Object.values(metadata))
      .literal(
        `not exists (select true from unnest($names, $values) m (name, value)
           where (d.metadata::json ->> m.name) is distinct from m.value)`,
      )
  }
  addTimes(where, filter)
  return giveIdRange(where, idPrefixes.event, { times: filter, ...window })
}

/**
 * SQL, of the event `d`: one of its first deliveries is in this state. Scalar subqueries, which are served by primary keys;
 * an "exists" could be joined with everybody's deliveries in that state.
 */
function hasDelivery(state: DeliveryState): string {
  const stateIn = (table: string) => `(select s.state from ${table} s where s.id = l.id)`
  const isIn = (table: string) => `${stateIn(table)} = '${state}'`
  // Of most that are in flight there is no row but the lease; leases are read once for all events.
  const isLeased = `l.id in (select h.id from (${handOffLeases}) h)
    and ${stateIn('deliveries')} is null and ${stateIn('live_deliveries')} is null`
  const isState: Readonly<Record<DeliveryState, string>> = {
    pending: isIn('live_deliveries'),
    retry_scheduled: isIn('live_deliveries'),
    in_flight: `(${isIn('live_deliveries')} or ${isLeased})`,
    succeeded: isIn('deliveries'),
    dead_lettered: isIn('deliveries'),
    cancelled: isIn('deliveries'),
    skipped: isIn('deliveries'),
  }
  const first = `select id from ${deliveriesOf('d')} o limit ${maxStatesOfEvent}`
  return `exists (select true from (${first}) l where ${isState[state]})`
}
