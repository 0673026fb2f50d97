import { idPrefixes } from '../../../core/ids.ts'
import type { OutboundEvent } from '../../../core/model.ts'
import { bytesOfId, readPageRequest } from '../../cursors.ts'
import { type EventRow, toEvent } from '../../event-row.ts'
import type { EventFilter, Page, PageRequest } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { eventColumns } from '../rows/columns.ts'
import { outboxFields } from '../rows/event-fields.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { type Counted, entriesOfNoGroup, findGroups, floorOf, floorOfGroups } from './floors.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes, giveIdRange, higher, inIdRange } from './time-range.ts'
import { readInWindows, type Window } from './windows.ts'

/** Of an event that waits for its fan-out: it is in one of the two tables, and every reader looks at both at once. */
const acceptedColumns = `id, tenant_id, topic, 'accepted' as state, payload_bytes, ${outboxFields},
  created_at, null::bigint as expunged_at`

export async function getEvent(
  context: Context,
  tenantId: string,
  id: string,
): Promise<OutboundEvent | null> {
  const bytes = bytesOfId(idPrefixes.event, id)
  if (bytes === null) return null
  const [row] = await run(context, eventStatement, { id: uuid(bytes), tenant: uuidOfId(tenantId) })
  return row === undefined ? null : toEvent(row)
}

const eventStatement = query<EventRow>()(
  'get_event',
  { id: 'uuid', tenant: 'uuid' },
  // primary key, outbox_id
  `select ${eventColumns}, expunged_at from events where id = $id and tenant_id = $tenant
   union all select ${acceptedColumns} from outbox where id = $id and tenant_id = $tenant`,
)

export async function getPayload(
  context: Context,
  tenantId: string,
  eventId: string,
): Promise<Uint8Array | null> {
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return null
  const [row] = await run(context, payloadStatement, { id: uuid(bytes), tenant: uuidOfId(tenantId) })
  return row?.payload ?? null
}

const payloadStatement = query<{ readonly payload: Uint8Array | null }>()(
  'get_payload',
  { id: 'uuid', tenant: 'uuid' },
  // primary key, outbox_id
  `select payload from events where id = $id and tenant_id = $tenant
   union all select payload from outbox where id = $id and tenant_id = $tenant`,
)

export async function listEvents(
  context: Context,
  tenantId: string,
  filter: EventFilter,
  page: PageRequest,
): Promise<Page<OutboundEvent>> {
  const bounds = readPageRequest(page)
  const grouped = { table: 'events', group: 'topic' } as const
  const groups = filter.topic === undefined ? await findGroups(context, grouped, tenantId) : []
  const counted: Counted = {
    tenantId,
    prefix: idPrefixes.event,
    times: filter,
    give: (where) => where.give('topic', 'text', filter.topic ?? ''),
  }
  // events_topic, or for a tenant of very many topics the primary key; outbox_id
  const listed = filter.topic === undefined ? 'true' : 'd.tenant_id = $tenant and d.topic = $topic'
  const isMerged = filter.topic === undefined && groups !== null
  return readInWindows(
    bounds,
    {
      async findFloor(before, most) {
        const entries = [
          isMerged ? entriesOfNoGroup(grouped) : { from: `from events d where ${listed}` },
          { from: 'from outbox d where true' },
        ]
        const floor = await floorOf(context, entries, { ...counted, before, most })
        return higher(
          floor,
          await floorOfGroups(context, grouped, { ...counted, before, most, groups: groups ?? [] }),
        )
      },
      read(window, most) {
        const where = eventConditions({ tenantId, filter, window, most })
        const found = isMerged
          ? newestOfTenant({ ...grouped, condition: where.sql })
          : `select d.id from (select * from events d where ${listed} and ${inIdRange('d')} order by d.id desc offset 0) d
             where d.tenant_id = $tenant${where.sql} order by d.id desc limit $rows`
        return where.read<EventRow>(
          context,
          `select * from (
             select ${eventColumns}, expunged_at from events
             where id = any (array(select id from (${found}) f order by id desc limit $rows))
             union all
             (select ${acceptedColumns} from outbox d where d.tenant_id = $tenant and ${inIdRange('d')}${where.sql} order by d.id desc limit $rows)) e
           order by id desc limit $rows`,
        )
      },
    },
    toEvent,
  )
}

interface EventQuery {
  readonly tenantId: string
  readonly filter: EventFilter
  readonly window: Window
  readonly most: number
}

function eventConditions({ tenantId, filter, window, most }: EventQuery): Conditions {
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', most)
    .add('d.topic = $topic', 'topic', 'text', filter.topic)
  addTimes(where, filter)
  return giveIdRange(where, idPrefixes.event, { times: filter, ...window })
}
