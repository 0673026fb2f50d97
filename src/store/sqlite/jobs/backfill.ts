/**
 * The walk over past events that an endpoint is subscribed to now and did not get, upwards by key. What an event went to
 * stands with the event, and a back-fill adds to that in the transaction that makes the delivery: so the endpoint gets
 * each event once at most, whoever else fills it at the same time.
 */
import { idToBytes } from '../../../core/ids.ts'
import { isOfJob } from '../../../core/jobs.ts'
import type { WaitReason } from '../../../core/model.ts'
import { unpackReceivers } from '../../../core/receivers.ts'
import {
  endpointIsGone,
  type JobWork,
  type JobWorkDone,
  type PastEvent,
  subscriptionFor,
} from '../../job-rows.ts'
import { idClockSlackMs, type Walked, walk } from '../../job-walk.ts'
import { type SubscriptionRow, toSubscription } from '../../subscription-row.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import type { PreparesStatements } from '../connection/statement-cache.ts'
import { isForMany, noteRange, rangesOf } from '../publish/large-fan-out.ts'
import { placeWaiting } from '../publish/place-waiting.ts'
import { lineOf } from '../record/lines.ts'
import { packFanOut, unpackFanOut } from '../rows/fan-out.ts'
import { keyAt, lowestKey } from '../rows/key-space.ts'
import { findNumber } from '../rows/names.ts'
import type { WriteContext } from '../threads/write-context.ts'

interface EventRow {
  readonly k: number
  readonly tenant_id: Uint8Array
  /** Null: of a direct send, which is for nobody else. */
  readonly topic: string | null
  readonly created_at: number
  readonly deliver_at: number | null
  readonly has_payload: number
  readonly fan_out: Uint8Array
}

export function backfillSlice(context: WriteContext, work: JobWork): JobWorkDone {
  const { memory } = context
  const endpointId = work.filter.endpointId as string
  const facts = memory.endpoint(endpointId)
  if (facts === null || facts.deleted) return endpointIsGone
  const { found, skipped, cursor } = walkMissed(context, work)
  const parked = facts.disabled ? 'endpoint_disabled' : null
  const subscriptions = subscriptionsOf(context, endpointId)
  for (const [index, row] of found.entries()) {
    const subscription = subscriptionFor(subscriptions, pastEvent(context, row))
    if (subscription === null) continue
    const id = work.deliveryIds[index] as string
    makeDelivery(context, row, { id, endpointId, subscriptionId: subscription.id, parked, work })
  }
  const isDue = found.length > 0 && parked === null
  if (isDue) armReady(context, memory.bytes(work.tenantId), endpointId, context.now)
  return { done: found.length, skipped, isDue, cursor }
}

function pastEvent(context: PreparesStatements, { k, topic }: EventRow): PastEvent {
  return {
    topic,
    payload: () =>
      (context.prepare('select payload from events where k = ?').get(k)?.payload ??
        null) as Uint8Array | null, // primary key
  }
}

interface NewOfJob {
  readonly id: string
  readonly endpointId: string
  readonly subscriptionId: string
  readonly parked: WaitReason | null
  readonly work: JobWork
}

function makeDelivery(context: WriteContext, event: EventRow, made: NewOfJob): void {
  const { memory, counts } = context
  const { endpointId, subscriptionId, parked, work } = made
  const key = memory.deliveryKeys.next(made.id)
  const endpoint = memory.names.numberOf(endpointId)
  const subscription = memory.names.numberOf(subscriptionId)
  const entry = { key, id: idToBytes(made.id), subscription, endpoint, target: endpoint }
  placeWaiting(context, entry, {
    tenantId: work.tenantId,
    eventKey: event.k,
    deliverAt: event.deliver_at,
    parked,
    line: lineOf(context, { tenantId: work.tenantId, subscriptionId, eventKey: event.k }),
  })
  counts.add({ tenantId: work.tenantId, endpointId }, 'pending', 1)
  if (isForMany(context, event.k)) noteRange(context, event.k, { first: key, last: key })
  else {
    const fanOut = Buffer.concat([event.fan_out, packFanOut([entry])])
    context.prepare('update events set fan_out = ? where k = ?').run(fanOut, event.k) // primary key
  }
}

/** Those that the endpoint is to get; those without a payload are skipped. */
export function walkMissed(context: PreparesStatements, work: JobWork): Walked<EventRow> {
  const { endpointId = '', since, until } = work.filter
  const tenant = Buffer.from(idToBytes(work.tenantId))
  const number = findNumber(context, idToBytes(endpointId))
  const subscriptions = subscriptionsOf(context, endpointId)
  const from = since === undefined ? lowestKey : keyAt(since - idClockSlackMs)
  const rows = context
    .prepare<EventRow>(
      // primary keys
      `select e.k, tn.id as tenant_id, coalesce(t.topic, e.topic_text) as topic, e.created_at, e.deliver_at,
         e.payload is not null as has_payload, e.fan_out
       from events e
       left join topics t on t.n = e.topic
       left join names tn on tn.n = e.tenant
       where e.k > ? and e.k < ? order by e.k limit ?`,
    )
    .all(
      work.cursor === null ? from - 1 : Number(work.cursor),
      keyAt(Math.min(until ?? work.asOf, work.asOf) + idClockSlackMs),
      work.scan,
    )
  const { endpointId: _own, ...filter } = work.filter
  return walk(rows, work, {
    keyOf: ({ k }) => String(k),
    isMatch: (row) =>
      tenant.equals(row.tenant_id) &&
      isOfJob(
        { filter, asOf: work.asOf },
        { endpointId: null, topic: row.topic, at: row.created_at, errorClass: null },
      ) &&
      !wentTo(context, row, { number, endpointId }) &&
      subscriptionFor(subscriptions, pastEvent(context, row)) !== null,
    isPossible: (row) => row.has_payload === 1,
  })
}

function subscriptionsOf(context: PreparesStatements, endpointId: string) {
  return context
    .prepare<SubscriptionRow>(
      // subscriptions_endpoint
      'select * from subscriptions where endpoint_id = ? and deleted_at is null order by id',
    )
    .all(idToBytes(endpointId))
    .map(toSubscription)
}

interface Whom {
  /** Null: nothing was ever sent to it. */
  readonly number: number | null
  readonly endpointId: string
}

/** Or is about to, of an event for many. */
function wentTo(context: PreparesStatements, event: EventRow, { number, endpointId }: Whom): boolean {
  if (unpackFanOut(event.fan_out).some(({ endpoint }) => endpoint === number)) return true
  const parts = context
    .prepare<{ readonly receivers: Uint8Array }>(
      'select receivers from fan_out_receivers where event_k = ?', // primary key
    )
    .all(event.k)
  const isReceiver = parts.some(({ receivers }) =>
    unpackReceivers(receivers).some((receiver) => receiver.endpointId === endpointId),
  )
  return isReceiver || (number !== null && hasRow(context, event.k, number))
}

function hasRow(context: PreparesStatements, eventKey: number, endpoint: number): boolean {
  return rangesOf(context, eventKey).some(({ first, last }) =>
    (['live_deliveries', 'deliveries'] as const).some(
      (table) =>
        context
          .prepare(
            // primary key
            `select 1 from ${table} where k >= ? and k <= ? and event_k = ? and +endpoint = ? limit 1`,
          )
          .get(first, last, eventKey, endpoint) !== undefined,
    ),
  )
}
