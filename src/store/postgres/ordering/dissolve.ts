/** The lines of deleted subscriptions: their rows go, and what stood in them stands in no line any more. */
import { type Context, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

/** At most so many. True: there are others, or some that somebody else has locked. */
export async function dissolveLines(context: Context, subscription: string, limit: number): Promise<boolean> {
  const [row] = await run(context, dissolveStatement, { subscription, limit })
  return row?.found === true
}

/** Of all subscriptions of the endpoint. */
export async function dissolveLinesAt(context: Context, endpoint: string, limit: number): Promise<boolean> {
  for (const { id } of await run(context, subscriptionsStatement, { endpoint })) {
    if (await dissolveLines(context, uuid(id), limit)) return true
  }
  return false
}

const dissolveStatement = query<{ readonly found: boolean }>()(
  'dissolve_lines',
  { subscription: 'uuid', limit: 'bigint' },
  // ordered_keys_key, by the subscription's tenant, and in its order
  `with owner as materialized (select tenant_id from subscriptions where id = $subscription),
   found as materialized (
     select k.ctid as tid from owner o cross join lateral (
       select ctid from ordered_keys k where k.tenant_id = o.tenant_id and k.subscription_id = $subscription
       order by k.ordering_key limit $limit for update skip locked) k
   ), gone as (
     delete from ordered_keys where ctid = any (array(select tid from found)) returning 1
   )
   select exists (select from owner o cross join lateral (
     select from ordered_keys k where k.tenant_id = o.tenant_id and k.subscription_id = $subscription
       and k.ctid <> all (array(select tid from found)) limit 1) k) as found, (select count(*) from gone) as gone`,
)

const subscriptionsStatement = query<{ readonly id: Uint8Array }>()(
  'ordered_subscriptions_at',
  { endpoint: 'uuid' },
  // subscriptions_endpoint
  'select id from subscriptions where endpoint_id = $endpoint and ordered order by id',
)
