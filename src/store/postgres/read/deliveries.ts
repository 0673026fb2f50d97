import { idPrefixes } from '../../../core/ids.ts'
import { type Delivery, limits } from '../../../core/model.ts'
import { bytesOfId, readPageRequest, toPage } from '../../cursors.ts'
import type { Page, PageRequest } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import { optionalUuid, uuid, uuidOfId } from '../rows/wire-types.ts'
import {
  type EitherRow,
  fromFinished,
  fromHandedOff,
  fromLive,
  inOneMoment,
  leasesOfEvent,
  toDelivery,
} from './delivery-sql.ts'
import { handedOffById, handedOffColumns, isOnlyHandedOff } from './handed-off.ts'

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
