import type { RetryProfileCount } from '../../port.ts'
import { type Context, query, run } from '../connection/statement.ts'

/** Asked once, at the start, so that it reads the tables as they are. A policy that is no name begins with a brace. */
export async function countRetryProfiles(context: Context): Promise<readonly RetryProfileCount[]> {
  return run(context, countStatement, {})
}

const countStatement = query<RetryProfileCount>()(
  'count_retry_profiles',
  {},
  `select name, sum(tenants)::integer as tenants, sum(endpoints)::integer as endpoints,
     sum(subscriptions)::integer as subscriptions
   from (
     select settings::jsonb ->> 'retryPolicy' as name, 1 as tenants, 0 as endpoints, 0 as subscriptions
     from tenants where deleted_at is null and jsonb_typeof(settings::jsonb -> 'retryPolicy') = 'string'
     union all
     select retry_policy::jsonb #>> '{}', 0, 1, 0 from endpoints where deleted_at is null and retry_policy like '"%'
     union all
     select retry_policy::jsonb #>> '{}', 0, 0, 1 from subscriptions where deleted_at is null and retry_policy like '"%'
   ) o
   group by name order by name`,
)
