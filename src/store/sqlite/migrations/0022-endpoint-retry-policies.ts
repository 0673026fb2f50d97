import type { Migration } from '../../migrations.ts'

/**
 * Retry policies of endpoints. What was given to an endpoint stood with its own subscription: it moves, so that a change of
 * it goes on to work, unless that would change what other subscriptions of the endpoint do.
 */
export const endpointRetryPoliciesMigration: Migration = {
  version: 22,
  name: 'endpoint retry policies',
  oldestCompatible: 22,
  sql: `
-- JSON; null: that of the tenant or the server
alter table endpoints add column retry_policy text;
update endpoints set retry_policy = (
    select s.retry_policy from subscriptions s
    where s.endpoint_id = endpoints.id and s.own and s.deleted_at is null limit 1)
  where not exists (
    select 1 from subscriptions o
    where o.endpoint_id = endpoints.id and not o.own and o.deleted_at is null and o.retry_policy is null);
update subscriptions set retry_policy = null
  where own and deleted_at is null and exists (
    select 1 from endpoints e where e.id = subscriptions.endpoint_id and e.retry_policy is not null);
`,
}
