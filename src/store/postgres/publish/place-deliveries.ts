/** The part of publishing that a fan-out from the outbox has in common with it: deliveries and what they need. */
import type { NewDelivery, NewEvent } from '../../port.ts'
import { takeTokens } from '../claim/rate-buckets.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { now } from '../connection/context.ts'
import { uuidOfId } from '../rows/wire-types.ts'

/**
 * Of the lists, in order: id, event, tenant, subscription, endpoint, target, hand-off wished, parked, ordering key, rate
 * per second.
 */
const columnTypes = [
  'uuid',
  'uuid',
  'uuid',
  'uuid',
  'uuid',
  'uuid',
  'boolean',
  'boolean',
  'text',
  'float8',
] as const

/** SQL: a claim would find something of the target. */
function hasDue(target: string): string {
  return `(exists (select from live_deliveries l where l.target_id = ${target} and l.due_at <= ${now}))`
}

/**
 * SQL: inserts the deliveries of the events of the relation `accepted (id)`, with their counts and ready rows, from the
 * values of `deliveryParameters`, of which the first is parameter number `first`. $2 is the length of a lease.
 */
export function placeDeliveries(first: number): string {
  const lists = columnTypes.map((type, index) => `$${first + index}::${type}[]`).join(', ')
  return `
-- Enabling an endpoint makes parked deliveries due. One that is parked at that moment must not be missed: whoever
-- comes second waits for the first, and then sees what it did.
disabled as materialized (
  select id from endpoints
  where id = any ($${first + columnTypes.length}::uuid[]) and disabled_reason is not null and deleted_at is null
  order by id for share
),
-- "is true" keeps the planner from joining two lists of unknown length row by row; values, where "exists" would do,
-- from reading all ready rows into memory.
judged as materialized (
  select d.*,
    d.parks and d.endpoint_id in (select id from disabled) as is_parked,
    d.may_hand_off
      and coalesce((
        select abs(r.next_at) > ${now} or (r.next_at < 0 and not ${hasDue('d.target_id')})
        from ready_endpoints r where r.target_id = d.target_id), true)
      and coalesce((select s.paused_until is null from endpoint_state s where s.target_id = d.target_id), true)
      as may_lease
  from unnest(${lists})
    as d (id, event_id, tenant_id, subscription_id, endpoint_id, target_id, may_hand_off, parks, ordering_key, rate)
  where (d.event_id in (select id from accepted)) is true
),
${takeTokens},
placed as materialized (
  select j.*, j.may_lease and (j.rate is null or j.id not in (select id from limited)) as is_leased from judged j
),
new_deliveries as (
  insert into live_deliveries
    (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason,
     attempt_count, claim_version, lost_claims, ordering_key, created_at, updated_at)
  select id, tenant_id, event_id, subscription_id, endpoint_id, target_id,
    case when is_leased then 'in_flight' else 'pending' end,
    case when is_parked then null when is_leased then ${now} + $2::bigint else ${now} end,
    case when is_parked then 'endpoint_disabled' end,
    0, is_leased::integer, 0, ordering_key, ${now}, ${now}
  from placed
),
counted as (
  insert into delivery_counts (tenant_id, endpoint_id, state, minute, delta)
  select tenant_id, endpoint_id, case when is_leased then 'in_flight' else 'pending' end, ${now} / 60000, count(*)
  from placed group by tenant_id, endpoint_id, is_leased
),
wanted as materialized (
  select target_id, tenant_id, case when until > ${now} then until else -${now} end as next_at
  from (select p.*, ${blockedUntil('p.target_id')} as until from
    (select distinct target_id, tenant_id from placed where not is_leased and not is_parked) p) t
),
armed as (${armWanted})`
}

/** The lists, and then the endpoints that are believed to be disabled. */
export function deliveryParameters(
  events: readonly Pick<NewEvent, 'id' | 'tenantId' | 'orderingKey' | 'deliveries'>[],
  wishes: ReadonlySet<NewDelivery>,
): readonly unknown[] {
  const rows = events.flatMap((event) => event.deliveries.map((delivery) => ({ event, delivery })))
  const parked = rows.filter(({ delivery }) => delivery.parked !== null)
  return [
    rows.map(({ delivery }) => uuidOfId(delivery.id)),
    rows.map(({ event }) => uuidOfId(event.id)),
    rows.map(({ event }) => uuidOfId(event.tenantId)),
    rows.map(({ delivery }) => uuidOfId(delivery.subscriptionId)),
    rows.map(({ delivery }) => uuidOfId(delivery.endpointId)),
    rows.map(({ delivery }) => uuidOfId(delivery.targetId)),
    rows.map(({ delivery }) => wishes.has(delivery)),
    rows.map(({ delivery }) => delivery.parked !== null),
    rows.map(({ event }) => event.orderingKey),
    rows.map(({ delivery }) => delivery.rateLimitRps),
    Array.from(new Set(parked.map(({ delivery }) => uuidOfId(delivery.endpointId)))),
  ]
}
