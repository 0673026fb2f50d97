import type { RetryProfileCount } from '../../port.ts'
import type { ReadContext } from './context.ts'

/** Asked once, at the start, so that it reads the tables as they are. A policy that is no name begins with a brace. */
export function countRetryProfiles(context: ReadContext): readonly RetryProfileCount[] {
  return context
    .prepare<RetryProfileCount>(
      `select name, sum(tenants) as tenants, sum(endpoints) as endpoints, sum(subscriptions) as subscriptions from (
         select settings ->> '$.retryPolicy' as name, 1 as tenants, 0 as endpoints, 0 as subscriptions
         from tenants where deleted_at is null and json_type(settings, '$.retryPolicy') = 'text'
         union all
         select retry_policy ->> '$', 0, 1, 0 from endpoints where deleted_at is null and retry_policy like '"%'
         union all
         select retry_policy ->> '$', 0, 0, 1 from subscriptions where deleted_at is null and retry_policy like '"%')
       group by name order by name`,
    )
    .all()
    .map((row) => ({ ...row }))
}
