/** The part of publishing that a fan-out from the outbox has in common with it: deliveries and what they need. */
import type { NewDelivery, NewEvent } from '../../port.ts'
import { takeTokens } from '../claim/rate-buckets.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { rowsOf, withoutBlankLists } from '../connection/lists.ts'
import { now, type Values } from '../connection/statement.ts'
import type { Place } from '../ordering/lines.ts'
import { countColumns } from '../rows/columns.ts'
import { entryAt, type FanOutLists } from '../rows/fan-out.ts'
import { optionalUuidOfId } from '../rows/wire-types.ts'

/** Of each delivery, in the order of `entries`; at last the endpoints that are believed to be disabled. */
export const deliveryParameters = {
  entries: 'uuid[]',
  events_of: 'uuid[]',
  tenants_of: 'uuid[]',
  targets: 'uuid[]',
  may_hand_off: 'boolean[]',
  parks: 'boolean[]',
  rates: 'double precision[]',
  deliver_at_of: 'bigint[]',
  lines_of: 'bigint[]',
  places_of: 'bigint[]',
  are_behind: 'boolean[]',
  parked_endpoints: 'uuid[]',
} as const

/** SQL: a claim would find something of the target. */
function hasDue(target: string): string {
  return `(exists (select from live_deliveries l
                   where l.target_id = ${target} and l.due_at <= ${now} and l.state <> 'in_flight'))`
}

const deliveryRows = rowsOf({
  event_id: 'events_of',
  tenant_id: 'tenants_of',
  target_id: 'targets',
  may_hand_off: 'may_hand_off',
  parks: 'parks',
  rate: 'rates',
  deliver_at: 'deliver_at_of',
  line: 'lines_of',
  place: 'places_of',
  is_behind: 'are_behind',
})

/**
 * SQL: inserts the deliveries of the events of the relation `accepted (id)` that are not leased (`placed.is_leased`), with
 * the counts and ready rows of all.
 */
export const placeDeliveries = `
-- Enabling an endpoint makes parked deliveries due. One that is parked at that moment must not be missed: whoever
-- comes second waits for the first, and then sees what it did.
disabled as materialized (
  select id from endpoints
  where id = any ($parked_endpoints) and disabled_reason is not null and deleted_at is null
  order by id for share
),
-- Values, where "exists" would do, keep the planner from reading all ready rows into memory.
open_targets as materialized (
  select t.target_id from (select distinct unnest($targets) as target_id) t
  where coalesce((
      select abs(r.next_at) > ${now} or (r.next_at < 0 and not ${hasDue('t.target_id')})
      from ready_endpoints r where r.target_id = t.target_id), true)
    and coalesce((select s.paused_until is null from endpoint_state s where s.target_id = t.target_id), true)
),
-- "is true" keeps the planner from joining two lists of unknown length row by row.
judged as materialized (
  select d.*, ${entryAt('d.number', 'id')} as id, ${entryAt('d.number', 'subscription')} as subscription_id,
    ${entryAt('d.number', 'endpoint')} as endpoint_id,
    d.parks and ${entryAt('d.number', 'endpoint')} in (select id from disabled) as is_parked,
    d.may_hand_off and d.target_id in (select target_id from open_targets) as may_lease
  from (${deliveryRows}, generate_series(1, cardinality($targets)) as number) d
  where (d.event_id in (select id from accepted)) is true
),
${takeTokens},
placed as materialized (
  select j.*, j.may_lease and (j.rate is null or j.id not in (select id from limited)) as is_leased from judged j
),
new_deliveries as (
  insert into live_deliveries
    (id, tenant_id, event_id, subscription_id, endpoint_id, target_id, state, due_at, reason,
     attempt_count, claim_version, lost_claims, created_at, updated_at, line, place)
  select id, tenant_id, event_id, subscription_id, endpoint_id, target_id, 'pending',
    case when not is_parked and not is_behind then greatest(${now}, deliver_at) end,
    case when is_behind then 'behind_head' when is_parked then 'endpoint_disabled'
         when deliver_at > ${now} then 'scheduled' end, 0, 0, 0, ${now}, ${now}, line, place
  from placed where not is_leased
),
counted as (
  insert into delivery_counts (${countColumns})
  select tenant_id, coalesce(endpoint_id, tenant_id), case when is_leased then 'in_flight' else 'pending' end, ${now} / 60000, count(*)
  from placed group by tenant_id, endpoint_id, is_leased
),
wanted as materialized (
  select target_id, tenant_id, case when until > ${now} then until else -${now} end as next_at
  from (select p.*, greatest(deliver_at, ${blockedUntil('p.target_id')}) as until from
    (select target_id, tenant_id, min(coalesce(deliver_at, 0)) as deliver_at
     from placed where not is_leased and not is_parked and not is_behind group by target_id, tenant_id) p) t
),
armed as (${armWanted})`

export interface Placing {
  /** Those that are to be handed off. */
  readonly wishes: ReadonlySet<NewDelivery>
  /** Of those that stand in lines, which the caller has locked. */
  readonly places: ReadonlyMap<NewDelivery, Place>
}

export const placedAlone: Placing = { wishes: new Set(), places: new Map() }

export function deliveryValues(
  events: readonly Pick<NewEvent, 'id' | 'tenantId' | 'deliverAt' | 'deliveries'>[],
  { entries }: FanOutLists,
  { wishes, places }: Placing,
): Values<typeof deliveryParameters> {
  const rows = events.flatMap((event) => event.deliveries.map((delivery) => ({ event, delivery })))
  const parked = rows.filter(({ delivery }) => delivery.parked !== null)
  const lists = {
    events_of: rows.map(({ event }) => event.id),
    tenants_of: rows.map(({ event }) => event.tenantId),
    targets: rows.map(({ delivery }) => delivery.targetId),
    may_hand_off: rows.map(({ delivery }) => wishes.has(delivery)),
    parks: rows.map(({ delivery }) => delivery.parked !== null),
    rates: rows.map(({ delivery }) => delivery.rateLimitRps),
    deliver_at_of: rows.map(({ event }) => event.deliverAt),
    lines_of: rows.map(({ delivery }) => places.get(delivery)?.line ?? null),
    places_of: rows.map(({ delivery }) => places.get(delivery)?.place ?? null),
    are_behind: rows.map(({ delivery }) => places.get(delivery)?.isBehind === true),
  }
  const parkedEndpoints = parked.flatMap(({ delivery }) => optionalUuidOfId(delivery.endpointId) ?? [])
  return { ...withoutBlankLists(lists), entries, parked_endpoints: Array.from(new Set(parkedEndpoints)) }
}
