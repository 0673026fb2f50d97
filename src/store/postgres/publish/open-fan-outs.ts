/** Events for many whose deliveries are still being made: an ordered delivery of their key would overtake them. */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import type { NewEvent } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { isOrdered } from './join-lines.ts'

type KeyedEvent = Pick<NewEvent, 'tenantId' | 'orderingKey' | 'deliveries' | 'receivers'>

/** Those that have to wait until an earlier event of their key is fanned out. */
export async function findOvertaking<Event extends KeyedEvent>(
  context: Context,
  events: readonly Event[],
): Promise<ReadonlySet<Event>> {
  const ordered = events.filter(isOrdered)
  const keys = Array.from(new Set(ordered.flatMap(({ orderingKey }) => orderingKey ?? [])))
  if (keys.length === 0) return new Set()
  const rows = await run(context, openStatement, { keys })
  const open = new Set(
    rows.map((row) =>
      nameOf({ tenantId: bytesToId(idPrefixes.tenant, row.tenant_id), orderingKey: row.ordering_key }),
    ),
  )
  const overtaking = new Set<Event>()
  for (const event of events) {
    if (event.receivers !== undefined) open.add(nameOf(event))
    else if (isOrdered(event) && open.has(nameOf(event))) overtaking.add(event)
  }
  return overtaking
}

function nameOf({ tenantId, orderingKey }: Pick<KeyedEvent, 'tenantId' | 'orderingKey'>): string {
  return `${tenantId} ${orderingKey}`
}

const openStatement = query<{ readonly tenant_id: Uint8Array; readonly ordering_key: string }>()(
  'open_fan_outs',
  { keys: 'text[]' },
  // a table of a few rows; primary key
  `select f.tenant_id, e.ordering_key from fan_outs f
   cross join lateral (select ordering_key from events v where v.id = f.event_id limit 1) e
   where e.ordering_key = any ($keys)`,
)
