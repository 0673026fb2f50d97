/** Deliveries that are only in `handoffs`: leased by the commit that published them, with no outcome yet. */
import { endpointIn, subscriptionIn } from '../rows/fan-out.ts'

/** SQL: the leases that were granted by hand-off, as rows `(id, event_id, version, batch, granted_at)`; most of them have ended. */
export const handOffLeases = `
  select l.id, l.event_id, l.version, h.batch, h.granted_at
  from handoffs h cross join lateral unnest(h.delivery_ids, h.event_ids, h.claim_versions) as l (id, event_id, version)
  where l.event_id is not null`

/** SQL: of the lease `l`: its delivery has neither a finished nor a live row, so it is in flight. */
export const isOnlyHandedOff = `(select true from deliveries f where f.id = l.id) is null
  and (select true from live_deliveries f where f.id = l.id) is null`

/** SQL: what a live row would say of the lease `l`, whose event is `e`. */
export const handedOffColumns = `l.id, e.tenant_id, l.event_id, ${subscriptionIn('e.fan_out', 'l.id')} as subscription_id,
  ${endpointIn('e.fan_out', 'l.id')} as endpoint_id, ${endpointIn('e.fan_out', 'l.id')} as target_id,
  'in_flight' as state, 0 as attempt_count, l.version as claim_version, null::integer as last_http_status,
  null::text as error_class, null::text as last_error, e.ordering_key, e.created_at, l.granted_at as updated_at, e.topic`

/** SQL: the one with the id `$id`, of the tenant `$tenant`. A few hundred rows of `handoffs` at most are looked through. */
export const handedOffById = `
  select ${handedOffColumns}
  from (${handOffLeases} and $id = any (h.delivery_ids) and l.id = $id) l
  cross join lateral (select * from events e where e.id = l.event_id and e.tenant_id = $tenant limit 1) e
  where ${isOnlyHandedOff}`
