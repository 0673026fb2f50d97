/**
 * The walk over past events that an endpoint is subscribed to now and did not get, upwards by id. What an event went to
 * stands with the event, and a back-fill adds to that in the transaction that makes the delivery, with the event locked:
 * so the endpoint gets each event once at most, whoever else fills it at the same time.
 */
import { bytesToId, idPrefixes, idToBytes, largestIdAt, smallestIdAt } from '../../../core/ids.ts'
import { isOfJob } from '../../../core/jobs.ts'
import type { Subscription } from '../../../core/model.ts'
import {
  endpointIsGone,
  type JobWork,
  type JobWorkDone,
  type PastEvent,
  subscriptionFor,
} from '../../job-rows.ts'
import { idClockSlackMs, type Walked, walk } from '../../job-walk.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { subscriptionColumns } from '../config/subscriptions.ts'
import { type Context, query, run } from '../connection/statement.ts'
import { joinLines, settleJoined } from '../publish/join-lines.ts'
import {
  deliveryParameters,
  deliveryValues,
  placeDeliveries,
  placedAlone,
} from '../publish/place-deliveries.ts'
import { listFanOuts } from '../rows/fan-out.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'

interface EventRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  /** Null: of a direct send, which is for nobody else. */
  readonly topic: string | null
  readonly created_at: number
  readonly deliver_at: number | null
  readonly ordering_key: string | null
  readonly has_payload: boolean
  /** Where it is asked for. */
  readonly payload: Uint8Array | null
  readonly went_to: boolean
  readonly is_for_many: boolean
}

/** Events whose payloads are read at one time. */
const scannedWithPayload = 100

const lowestId = uuid(new Uint8Array(16))

export async function backfillSlice(context: Context, work: JobWork): Promise<JobWorkDone> {
  const endpointId = work.filter.endpointId as string
  const endpoint = uuidOfId(endpointId)
  const [facts] = await run(context, endpointStatement, { endpoint })
  if (facts === undefined) return endpointIsGone
  const subscriptions = await subscriptionsOf(context, endpointId)
  const seen = await walkMissed(context, work)
  const events = seen.found.map(({ id }) => uuid(id))
  await run(context, lockStatement, { events })
  // A statement of its own, after the locks, so that it sees what was committed while they were waited for.
  const rows = await run(context, lockedStatement, {
    events,
    endpoint,
    receiver: receiverOf(endpointId),
    with_payload: haveFilters(subscriptions),
  })
  const missed = rows.filter((row) => !row.went_to)
  const skipped = missed.filter((row) => !row.has_payload).length
  const made = missed.flatMap((row, index) => {
    const subscription = subscriptionFor(subscriptions, pastEvent(row))
    return subscription === null || !row.has_payload
      ? []
      : [{ row, subscription, id: work.deliveryIds[index] as string }]
  })
  if (made.length > 0) {
    const deliveriesOf = made.map(({ row, subscription, id }) => ({
      id: bytesToId(idPrefixes.event, row.id),
      tenantId: work.tenantId,
      deliverAt: row.deliver_at,
      orderingKey: row.ordering_key,
      deliveries: [
        {
          id,
          subscriptionId: subscription.id,
          endpointId,
          targetId: endpointId,
          rateLimitRps: null,
          handOff: false,
          ordered: subscription.ordered && row.ordering_key !== null,
          parked: 'endpoint_disabled' as const,
        },
      ],
    }))
    const joined = await joinLines(context, deliveriesOf)
    await run(context, makeStatement, {
      ...deliveryValues(deliveriesOf, listFanOuts(deliveriesOf), { ...placedAlone, places: joined.places }),
      events: made.map(({ row }) => uuid(row.id)),
      for_many: made.map(({ row }) => row.is_for_many),
      deliveries: made.map(({ id }) => uuidOfId(id)),
      subscriptions: made.map(({ subscription }) => uuidOfId(subscription.id)),
      endpoint,
    })
    await settleJoined(
      context,
      joined,
      deliveriesOf.flatMap(({ deliveries }) => deliveries),
    )
  }
  return {
    done: made.length,
    skipped: seen.skipped + skipped,
    isDue: made.length > 0 && !facts.is_disabled,
    cursor: seen.cursor,
  }
}

const endpointStatement = query<{ readonly is_disabled: boolean }>()(
  'backfilled_endpoint',
  { endpoint: 'uuid' },
  // primary key
  'select disabled_reason is not null as is_disabled from endpoints where id = $endpoint and deleted_at is null',
)

async function subscriptionsOf(context: Context, endpointId: string) {
  const rows = await run(context, subscriptionsStatement, { endpoint: uuidOfId(endpointId) })
  return rows.map(toSubscription)
}

const subscriptionsStatement = query<SubscriptionRow>()(
  'subscriptions_of_backfilled',
  { endpoint: 'uuid' },
  // subscriptions_endpoint
  `select ${subscriptionColumns} from subscriptions where endpoint_id = $endpoint and deleted_at is null order by id`,
)

/** SQL, of the event `e`: whether it went to the endpoint, or is about to. */
const facts = `e.id, e.tenant_id, e.topic, e.created_at, e.deliver_at, e.ordering_key, e.payload is not null as has_payload,
  case when $with_payload then e.payload end as payload,
  many.is_for_many,
  $endpoint = any (e.fan_out) or (many.is_for_many and (
    coalesce((select position($receiver in f.receivers) > 0 from fan_outs f where f.event_id = e.id), false)
    or exists (
      select from fan_out_slices s cross join lateral unnest(s.delivery_ids) as l (id)
      cross join lateral (
        select endpoint_id from live_deliveries where id = l.id
        union all select endpoint_id from deliveries where id = l.id limit 1) d
      where s.event_id = e.id and d.endpoint_id = $endpoint))) as went_to`

const many = `cross join lateral (
    select exists (select from fan_outs f where f.event_id = e.id)
      or exists (select from fan_out_slices s where s.event_id = e.id) as is_for_many) many`

/** As it stands in the receivers of an event for many. */
function receiverOf(endpointId: string): Uint8Array {
  return idToBytes(endpointId)
}

/** Those that the endpoint is to get; those without a payload are skipped. */
export async function walkMissed(context: Context, given: JobWork): Promise<Walked<EventRow>> {
  const { endpointId = '', since, until } = given.filter
  const subscriptions = await subscriptionsOf(context, endpointId)
  // Payloads come along where a filter looks at them, so fewer at a time.
  const scan = haveFilters(subscriptions) ? Math.min(given.scan, scannedWithPayload) : given.scan
  const work = { ...given, scan }
  const rows = await run(context, walkStatement, {
    endpoint: uuidOfId(endpointId),
    receiver: receiverOf(endpointId),
    after: work.cursor ?? (since === undefined ? lowestId : idAt(smallestIdAt, since - idClockSlackMs)),
    last: idAt(largestIdAt, Math.min(until ?? work.asOf, work.asOf) + idClockSlackMs),
    rows: work.scan,
    with_payload: haveFilters(subscriptions),
  })
  const { endpointId: _own, ...filter } = work.filter
  return walk(rows, work, {
    keyOf: ({ id }) => uuid(id),
    isMatch: (row) =>
      bytesToId(idPrefixes.tenant, row.tenant_id) === work.tenantId &&
      isOfJob(
        { filter, asOf: work.asOf },
        { endpointId: null, topic: row.topic, at: row.created_at, errorClass: null },
      ) &&
      !row.went_to &&
      subscriptionFor(subscriptions, pastEvent(row)) !== null,
    isPossible: (row) => row.has_payload,
  })
}

function haveFilters(subscriptions: readonly Subscription[]): boolean {
  return subscriptions.some(({ filter }) => filter !== null)
}

function pastEvent({ topic, payload }: EventRow): PastEvent {
  return { topic, payload: () => payload }
}

function idAt(bound: typeof smallestIdAt, timeMs: number): string {
  return uuidOfId(bound(idPrefixes.event, timeMs))
}

const walkStatement = query<EventRow>()(
  'walk_missed',
  {
    endpoint: 'uuid',
    receiver: 'bytea',
    after: 'uuid',
    last: 'uuid',
    rows: 'bigint',
    with_payload: 'boolean',
  },
  // primary keys
  `select ${facts}
   from (select * from events where id > $after and id <= $last order by id limit $rows) e ${many} order by e.id`,
)

const lockStatement = query<object>()(
  'lock_missed',
  { events: 'uuid[]' },
  // primary key, in key order
  'select from events where id = any ($events) order by id for update',
)

const lockedStatement = query<EventRow>()(
  'missed_of_job',
  { endpoint: 'uuid', receiver: 'bytea', events: 'uuid[]', with_payload: 'boolean' },
  // primary keys
  `select ${facts} from events e ${many} where e.id = any ($events) order by e.id`,
)

/** Slices of the event itself are numbered by deliveries, of which there are fewer. */
const firstOfJobs = 1_000_000_000

const makeStatement = query<object>()(
  'make_missed',
  {
    ...deliveryParameters,
    events: 'uuid[]',
    for_many: 'boolean[]',
    deliveries: 'uuid[]',
    subscriptions: 'uuid[]',
    endpoint: 'uuid',
  },
  // primary keys
  `with missed as materialized (
     select * from unnest($events, $for_many, $deliveries, $subscriptions)
       as m (event_id, is_for_many, delivery_id, subscription_id)
   ),
   accepted as materialized (select event_id as id from missed),
   listed as (
     update events e set fan_out = e.fan_out || array[m.delivery_id, m.subscription_id, $endpoint]
     from missed m where e.id = m.event_id and not m.is_for_many
   ),
   sliced as (
     insert into fan_out_slices (event_id, slice, delivery_ids)
     select m.event_id, ${firstOfJobs} + coalesce((
         select max(s.slice) from fan_out_slices s where s.event_id = m.event_id), 0), array[m.delivery_id]
     from missed m where m.is_for_many
   ),
   ${placeDeliveries}
   select from accepted limit 1`,
)
