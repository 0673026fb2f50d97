/**
 * Events for many. Their publish, or the relay, writes who receives them, and the deliveries are made afterwards, a slice
 * a transaction: `fan_outs.made` says how far that has got, and moves with the slice, so no slice is made twice, whichever
 * nodes are at it. None of these deliveries is handed off.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { receiverBytes, unpackReceivers } from '../../../core/receivers.ts'
import type { FanOutSlice, NewDelivery, NewEvent } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { findOrdered } from '../ordering/find-ordered.ts'
import { listFanOuts } from '../rows/fan-out.ts'
import { type BytesParameter, uuid, uuidOfId } from '../rows/wire-types.ts'
import { joinLines, settleJoined } from './join-lines.ts'
import { deliveryParameters, deliveryValues, placeDeliveries, placedAlone } from './place-deliveries.ts'

/** So many take the server some 5 ms. */
export const receiversPerSlice = 100

/** SQL: of an event whose receivers stand there in `$bytes`, or nowhere. */
export function stateOf(receiversAt: string): string {
  return `case when ${receiversAt} is null then 'fanned_out' else 'accepted' end`
}

/** SQL: of the events of the relation `accepted`. */
export const insertFanOuts = `
new_fan_outs as (
  insert into fan_outs (event_id, tenant_id, made, receivers)
  select id, tenant_id, 0, substring($bytes from receivers_at for receivers_length)
  from accepted where receivers_at is not null
)`

export function receiverValues(events: readonly Pick<NewEvent, 'receivers'>[], bytes: BytesParameter) {
  return {
    receivers_at: events.map(({ receivers }) => (receivers === undefined ? null : bytes.add(receivers))),
    receivers_lengths: events.map(({ receivers }) => receivers?.byteLength ?? null),
  }
}

/** The tenant whose turn it was last, in hexadecimal; null: none yet. */
export interface FanOutTurn {
  after: string | null
}

/** In a transaction. */
export async function fanOutSlice(
  context: Context,
  deliveryIds: readonly string[],
  turn: FanOutTurn,
): Promise<FanOutSlice> {
  const [next] = await run(context, nextStatement, {
    after: turn.after,
    length: deliveryIds.length * receiverBytes,
  })
  if (next === undefined) return { made: 0, more: false }
  const receivers = unpackReceivers(next.receivers)
  const ordered =
    next.ordering_key === null
      ? new Set()
      : await findOrdered(
          context,
          receivers.map(({ subscriptionId }) => subscriptionId),
        )
  const deliveries = receivers.map((receiver, index) => ({
    ...toDelivery(receiver, deliveryIds[index] as string),
    ordered: ordered.has(receiver.subscriptionId),
  }))
  const isLast = next.made + deliveries.length >= next.total
  const event = {
    id: bytesToId(idPrefixes.event, next.event_id),
    tenantId: bytesToId(idPrefixes.tenant, next.tenant_id),
    deliverAt: next.deliver_at,
    orderingKey: next.ordering_key,
    deliveries,
  }
  const joined = await joinLines(context, [event])
  const [written] = await run(context, sliceStatement, {
    ...deliveryValues([event], listFanOuts([event]), { ...placedAlone, places: joined.places }),
    event: uuid(next.event_id),
    made: next.made,
    count: deliveries.length,
    is_last: isLast,
    ids: deliveries.map(({ id }) => uuidOfId(id)),
  })
  await settleJoined(context, joined, written === undefined ? [] : deliveries)
  turn.after = uuid(next.tenant_id)
  // Another node was faster.
  if (written === undefined) return { made: 0, more: true }
  return { made: deliveries.length, more: !isLast || next.open > 1 }
}

/** Whether its endpoint is disabled by now is seen by the statement that inserts it; a deleted one, by the next claim. */
function toDelivery(
  { subscriptionId, endpointId }: { readonly subscriptionId: string; readonly endpointId: string },
  id: string,
): NewDelivery {
  return {
    id,
    subscriptionId,
    endpointId,
    targetId: endpointId,
    rateLimitRps: null,
    handOff: false,
    ordered: false,
    parked: 'endpoint_disabled',
  }
}

interface NextRow {
  readonly event_id: Uint8Array
  readonly tenant_id: Uint8Array
  readonly made: number
  readonly total: number
  readonly receivers: Uint8Array
  /** Of the event. */
  readonly deliver_at: number | null
  readonly ordering_key: string | null
  /** Events that are to be fanned out; 2 is two or more. */
  readonly open: number
}

const nextStatement = query<NextRow>()(
  'next_fan_out',
  { after: 'uuid', length: 'integer' },
  // A table of a few rows.
  `select f.event_id, f.tenant_id, f.made, octet_length(f.receivers) / ${receiverBytes} as total,
     substring(f.receivers from f.made * ${receiverBytes} + 1 for $length) as receivers,
     (select e.deliver_at from events e where e.id = f.event_id) as deliver_at,
     (select e.ordering_key from events e where e.id = f.event_id) as ordering_key,
     (select count(*) from (select from fan_outs limit 2) o)::integer as open
   from fan_outs f order by coalesce(f.tenant_id <= $after, false), f.tenant_id, f.place limit 1`,
)

const sliceStatement = query<{ readonly id: Uint8Array }>()(
  'fan_out_slice',
  {
    ...deliveryParameters,
    event: 'uuid',
    made: 'integer',
    count: 'integer',
    is_last: 'boolean',
    ids: 'uuid[]',
  },
  // primary keys
  `
with advanced as (
  update fan_outs set made = made + $count where event_id = $event and made = $made and not $is_last
  returning event_id
),
finished as (
  delete from fan_outs where event_id = $event and made = $made and $is_last returning event_id
),
accepted as materialized (
  select event_id as id from advanced union all select event_id from finished
),
fanned_out as (
  update events set state = 'fanned_out' where id = (select event_id from finished)
),
new_slice as (
  insert into fan_out_slices (event_id, slice, delivery_ids) select id, $made, $ids from accepted
),
${placeDeliveries}
select id from accepted`,
)
