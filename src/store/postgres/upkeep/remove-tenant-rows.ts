/** The rows of a deleted tenant, table by table, once nothing of it is under way. */
import type { RemovalState, RemovalStep } from '../../tenant-removal.ts'
import { type Context, command, query, run } from '../connection/statement.ts'

export interface Removed {
  readonly tenant: string
  readonly state: RemovalState
  readonly limit: number
}

export type Step = (context: Context, removed: Removed) => Promise<RemovalStep>

/** In this order: each begins when those before it find nothing more to do. */
export const rowSteps: readonly Step[] = [
  removeDeliveries,
  removeEvents,
  removeIdempotencyKeys,
  removeStats,
  removeEndpoints,
  removeRest,
]

/** Nobody acts for it any more, and no job does. */
export const removeAccessStatement = command(
  'remove_tenant_access',
  { tenant: 'uuid' },
  // api_keys_tenant, api_key_hashes_key, portal_links_tenant, key_rates_pkey, jobs_tenant
  `with gone as (delete from api_keys where tenant_id = $tenant returning id),
   hashes as (delete from api_key_hashes where key_id in (select id from gone)),
   links as (delete from portal_links where tenant_id = $tenant),
   rates as (delete from key_rates where key_id in (select id from gone) or key_id = $tenant)
   delete from jobs where tenant_id = $tenant`,
)

async function removeDeliveries(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, removeDeliveriesStatement, { tenant, limit })
  return row === undefined || row.gone === 0 ? null : { deliveries: row.gone }
}

const removeDeliveriesStatement = query<{ readonly gone: number }>()(
  'remove_deliveries_of_tenant',
  { tenant: 'uuid', limit: 'bigint' },
  // deliveries_endpoint, then by tid; primary key of attempts
  `with gone as (
     delete from deliveries where ctid = any (array(select ctid from deliveries where tenant_id = $tenant limit $limit))
     returning id, target_id, state
   ), tried as (
     delete from attempts where delivery_id = any (array(select id from gone))
   ), health as (
     -- of an origin, which a target that is named is
     delete from endpoint_state where target_id = any (array(select target_id from gone where target_id is not null))
   ), skipped as (
     delete from skipped_heads where delivery_id = any (array(select id from gone where state = 'skipped'))
   )
   select count(*)::integer as gone from gone`,
)

async function removeEvents(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, removeEventsStatement, { tenant, limit })
  return row === undefined || row.gone === 0 ? null : { events: row.gone, deliveries: row.waiting }
}

const removeEventsStatement = query<{ readonly gone: number; readonly waiting: number }>()(
  'remove_events_of_tenant',
  { tenant: 'uuid', limit: 'bigint' },
  // events_topic, then by tid; primary keys. What waits for an endpoint was cancelled before; a send to a URL waits still
  `with gone as (
     delete from events where ctid = any (array(select ctid from events where tenant_id = $tenant limit $limit))
     returning id, case when request is not null then fan_out[1] end as sent
   ), waiting as (
     delete from live_deliveries where id = any (array(select sent from gone where sent is not null)) returning id, target_id
   ), tried as (
     delete from attempts where delivery_id = any (array(select id from waiting))
   ), health as (
     delete from endpoint_state where target_id = any (array(select target_id from waiting))
   ), slices as (
     delete from fan_out_slices where event_id = any (array(select id from gone))
   )
   select count(*)::integer as gone, (select count(*) from waiting)::integer as waiting from gone`,
)

async function removeIdempotencyKeys(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, removeKeysStatement, { tenant, limit })
  return (row?.gone ?? 0) === 0 ? null : {}
}

const removeKeysStatement = query<{ readonly gone: number }>()(
  'remove_keys_of_tenant',
  { tenant: 'uuid', limit: 'bigint' },
  // primary key, then by tid
  `with gone as (
     delete from idempotency_keys
     where ctid = any (array(select ctid from idempotency_keys where tenant_id = $tenant limit $limit)) returning 1
   )
   select count(*)::integer as gone from gone`,
)

async function removeEndpoints(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, removeEndpointsStatement, { tenant, limit })
  return row === undefined || row.gone === 0 ? null : { endpoints: row.gone }
}

const removeEndpointsStatement = query<{ readonly gone: number }>()(
  'remove_endpoints_of_tenant',
  { tenant: 'uuid', limit: 'bigint' },
  // endpoints_tenant, endpoint_secrets_endpoint, subscriptions_endpoint, primary keys
  `with ids as materialized (
     select id from endpoints where tenant_id = $tenant order by id limit $limit for update
   ), gone as (
     delete from endpoints where id = any (array(select id from ids)) returning id
   ), secrets as (
     delete from endpoint_secrets where endpoint_id = any (array(select id from ids))
   ), subscribed as (
     delete from subscriptions where endpoint_id = any (array(select id from ids))
   ), health as (
     delete from endpoint_state where target_id = any (array(select id from ids))
   ), shares as (
     delete from endpoint_shares where target_id = any (array(select id from ids))
   ), ready as (
     delete from ready_endpoints where target_id = any (array(select id from ids))
   )
   select count(*)::integer as gone from gone`,
)

/** Two days of minutes and three months of hours of each endpoint; and what the removal itself left to be folded. */
async function removeStats(context: Context, { tenant, limit }: Removed): Promise<RemovalStep> {
  const [row] = await run(context, removeStatsStatement, { tenant, limit })
  return row === undefined || row.gone === 0 ? null : {}
}

const removeStatsStatement = query<{ readonly gone: number }>()(
  'remove_stats_of_tenant',
  { tenant: 'uuid', limit: 'bigint' },
  // primary key, then by tid; the few rows of stats_deltas are looked through
  `with pending as (
     delete from stats_deltas where tenant_id = $tenant returning 1
   ), gone as (
     delete from stats where ctid = any (array(select ctid from stats where tenant_id = $tenant limit $limit))
     returning 1
   )
   select (select count(*) from gone)::integer + (select count(*) from pending)::integer as gone`,
)

/** Few rows; what a call that was under way has left among them. */
async function removeRest(context: Context, { tenant }: Removed): Promise<RemovalStep> {
  await run(context, removeAccessStatement, { tenant })
  await run(context, removeRestStatement, { tenant })
  return null
}

const removeRestStatement = command(
  'remove_rest_of_tenant',
  { tenant: 'uuid' },
  // indexes that begin with the tenant; of the counts, the folded ones
  `with subscribed as (delete from subscriptions where tenant_id = $tenant),
   ready as (delete from ready_endpoints where tenant_id = $tenant),
   credentials as (delete from credentials where tenant_id = $tenant returning id),
   tokens as (delete from credential_tokens where credential_id in (select id from credentials)),
   types as (delete from event_types where tenant_id = $tenant),
   lines as (delete from ordered_keys where tenant_id = $tenant),
   notices as (delete from delivery_notices where tenant_id = $tenant)
   delete from delivery_counts where tenant_id = $tenant`,
)
