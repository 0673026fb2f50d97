/**
 * Expunges a payload on demand, and what answers repeat of it. The event is locked first, which a back-fill waits for, and
 * then its finished deliveries by id, so that whoever sends one of them again is waited for, or waits.
 */
import { idPrefixes } from '../../../core/ids.ts'
import { bytesOfId } from '../../cursors.ts'
import type { ExpungeResult } from '../../port.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { handOffLeases, isOnlyHandedOff } from '../read/handed-off.ts'
import { deliveriesOf } from '../rows/fan-out.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

export async function expungePayload(
  context: Context,
  tenantId: string,
  eventId: string,
): Promise<ExpungeResult> {
  const bytes = bytesOfId(idPrefixes.event, eventId)
  if (bytes === null) return { kind: 'not_found' }
  const key = { id: uuid(bytes), tenant: uuidOfId(tenantId) }
  const [event] = await run(context, lockEventStatement, key)
  if (event === undefined) {
    const waiting = await run(context, outboxStatement, key)
    return { kind: waiting.length > 0 ? 'accepted' : 'not_found' }
  }
  if (event.expunged_at !== null) return { kind: 'expunged', expungedAt: event.expunged_at }
  if (event.state === 'accepted') return { kind: 'accepted' }
  await run(context, lockDeliveriesStatement, { id: key.id })
  // A statement of its own, which sees what those have done who held the locks.
  const live = await run(context, liveStatement, { id: key.id })
  if (live.length > 0) return { kind: 'live' }
  const [expunged] = await run(context, expungeStatement, { id: key.id })
  return expunged === undefined
    ? { kind: 'not_found' }
    : { kind: 'expunged', expungedAt: expunged.expunged_at }
}

export async function expungeAnswers(context: Context, deliveryIds: readonly string[]): Promise<void> {
  await run(context, answersStatement, { ids: deliveryIds.map(uuidOfId) })
}

const keyParameters = { id: 'uuid', tenant: 'uuid' } as const

const lockEventStatement = query<{ readonly state: string; readonly expunged_at: number | null }>()(
  'expunge_lock_event',
  keyParameters,
  // primary key
  'select state, expunged_at from events where id = $id and tenant_id = $tenant for update',
)

/** Of a transaction: its relay takes it from there to the events, and none but it may touch it. */
const outboxStatement = query<object>()(
  'expunge_outbox',
  keyParameters,
  // outbox_id
  'select from outbox where id = $id and tenant_id = $tenant',
)

const lockDeliveriesStatement = query<object>()(
  'expunge_lock_deliveries',
  { id: 'uuid' },
  // primary keys
  `select from deliveries d where d.id = any (array(
     select l.id from events e cross join lateral ${deliveriesOf('e')} l where e.id = $id))
   order by d.id for update`,
)

const liveStatement = query<object>()(
  'expunge_live',
  { id: 'uuid' },
  // primary keys; a few hundred rows of handoffs at most
  `select from live_deliveries d where d.id = any (array(
     select l.id from events e cross join lateral ${deliveriesOf('e')} l where e.id = $id))
   union all
   select from (${handOffLeases} and $id = any (h.event_ids) and l.event_id = $id) l where ${isOnlyHandedOff}
   limit 1`,
)

const expungeStatement = query<{ readonly expunged_at: number }>()(
  'expunge',
  { id: 'uuid' },
  // primary key
  `update events set payload = null, expunged_at = ${now},
     request = jsonb_set(request::jsonb, '{headers}', '{}')::text
   where id = $id returning expunged_at`,
)

/** Errors without a status are our own words about the connection; that of a cancelled or skipped delivery is its reason. */
const answersStatement = command(
  'expunge_answers',
  { ids: 'uuid[]' },
  // primary keys
  `with blanked as (
     update attempts set response_headers = null, response_body = null, response_truncated = null,
       error = case when http_status is null then error end
     where delivery_id = any ($ids)
   )
   update deliveries set response_headers = null, response_body = null, response_truncated = null,
     last_error = case when last_http_status is null or state in ('cancelled', 'skipped') then last_error end
   where id = any ($ids)`,
)
