import { idPrefixes } from '../../../core/ids.ts'
import type { OutboundEvent } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import { type EventRow, toEvent } from '../../event-row.ts'
import type { EventFilter, Page, PageRequest } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { eventColumns } from '../rows/columns.ts'
import { outboxFields } from '../rows/event-fields.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { newestOfTenant } from './newest.ts'
import { addTimes } from './time-range.ts'

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
  const where = new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('rows', 'bigint', bounds.limit + 1)
    .add('d.topic = $topic', 'topic', 'text', filter.topic)
    .add('d.id < $before', 'before', 'uuid', optionalUuid(bounds.before))
  addTimes(where, idPrefixes.event, filter)
  // events_topic; outbox_id, of a table that holds a second's events
  const found =
    filter.topic === undefined
      ? newestOfTenant({ table: 'events', group: 'topic', condition: where.sql })
      : `select d.id from events d where d.tenant_id = $tenant${where.sql} order by d.id desc limit $rows`
  const rows = await where.read<EventRow>(
    context,
    `select * from (
       select ${eventColumns}, expunged_at from events
       where id = any (array(select id from (${found}) f order by id desc limit $rows))
       union all
       (select ${acceptedColumns} from outbox d where d.tenant_id = $tenant${where.sql} order by d.id desc limit $rows)) e
     order by id desc limit $rows`,
  )
  return toPage(rows, bounds.limit, toEvent)
}
