/** The ready rows that a claim may pick from, with what has to be known of their targets. */
import { maxTenants, type ReadyOrder } from '../../../core/claim/pick-targets.ts'
import { maxInFlightToOrigin } from '../../../core/direct-request.ts'
import { defaultTenantSettings } from '../../../core/tenant.ts'
import { now } from '../connection/statement.ts'
import { everyNode } from './rate-buckets.ts'

/** SQL: ready rows of the tenant in one order, a range of ready_endpoints_tenant, locked unless another node has them. */
function inOrder(order: ReadyOrder, range: string, most: string): string {
  const direction = order === 'oldest_fresh' ? 'desc' : 'asc'
  return `select * from (
    select '${order}' as ready_order, r.ctid::text as tid, r.target_id, r.next_at from ready_endpoints r
    where r.tenant_id = due.tenant_id and ${range} and r.target_id <> all ($full)
    order by r.next_at ${direction}, r.target_id ${direction} limit ${most} for update skip locked) o`
}

const mostTargets = 'due.most'
const mostOldest = 'ceil(due.most * 0.75)::integer'
/** SQL: an origin has no endpoint whose row could be locked, so its slots are dealt out evenly over the nodes. */
const originShare = `case when e.id is null then greatest(1, ${maxInFlightToOrigin} / (select nodes from alive)) end`
const fresh = `r.next_at >= -${now} and r.next_at < 0`

/**
 * One seek per tenant, however many targets it has; then as many ready rows of each in each order as `pickTargets` asks
 * for at most.
 */
export const candidatesSql = `
with recursive head as ( -- ready_endpoints_tenant
  (select tenant_id, next_at, 1 as rank from ready_endpoints
   where tenant_id > $after order by tenant_id, next_at limit 1)
  union all
  select n.tenant_id, n.next_at, h.rank + 1 from head h cross join lateral (
    select r.tenant_id, r.next_at from ready_endpoints r
    where r.tenant_id > h.tenant_id order by r.tenant_id, r.next_at limit 1) n
  where h.rank < ${maxTenants}
),
tail as (
  (select tenant_id, next_at, 1 as rank from ready_endpoints
   where tenant_id <= $after order by tenant_id, next_at limit 1)
  union all
  select n.tenant_id, n.next_at, t.rank + 1 from tail t cross join lateral (
    select r.tenant_id, r.next_at from ready_endpoints r
    where r.tenant_id > t.tenant_id and r.tenant_id <= $after order by r.tenant_id, r.next_at limit 1) n
  where t.rank < ${maxTenants}
),
due_tenants as materialized (
  select tenant_id, coalesce(( -- primary key
    select case when n.settings <> '{}' then (n.settings::json ->> 'weight')::integer end
    from tenants n where n.id = t.tenant_id), ${defaultTenantSettings.weight}) as weight
  from (
    select 0 as part, rank, tenant_id, next_at from head
    union all select 1, rank, tenant_id, next_at from tail) t
  -- A fresh row that is not to be looked at yet hides the others of its tenant.
  where next_at <= ${now} and (next_at >= -${now} or (
    select true from ready_endpoints r
    where r.tenant_id = t.tenant_id and r.next_at >= -${now} and r.next_at <= ${now} limit 1))
  order by part, rank limit ${maxTenants}
),
alive as materialized (
  select count(*)::integer as nodes, coalesce(bool_or(id = $node), false) as has_me from nodes where usable_until > ${now}
),
due as materialized (
  select tenant_id, weight,
    greatest(1, ceil($limit * weight::double precision / sum(weight) over ()))::integer as most
  from due_tenants
)
select due.tenant_id, due.weight, c.ready_order, c.tid, c.target_id, c.next_at, e.max_in_flight, e.rate_limit_rps,
  case when e.rate_limit_rps is not null then b.limited_until is null else false end as lacks_bucket,
  case when (select has_me from alive) then coalesce(h.slots, ${originShare}, 0) else 0 end as share,
  (select nodes from alive) as nodes,
  coalesce(greatest(s.paused_until, s.probe_until) > ${now} and s.paused_until is not null, false)
    or coalesce(b.limited_until > ${now}, false) as is_blocked,
  coalesce(greatest(s.paused_until, s.probe_until) <= ${now} and s.paused_until is not null, false) as is_probe,
  ${now} as now
from due left join lateral (
  ${inOrder('newest_fresh', fresh, mostTargets)}
  union all ${inOrder('oldest_fresh', fresh, mostOldest)}
  union all ${inOrder('longest_waiting', `r.next_at >= 0 and r.next_at <= ${now}`, mostTargets)}) c on true
left join endpoints e on e.id = c.target_id -- primary key
left join endpoint_state s on s.target_id = c.target_id -- primary key
left join endpoint_shares h on h.target_id = c.target_id and h.node_id = $node -- primary key
left join lateral ( -- primary key; looked up for targets with a rate only
  select limited_until from endpoint_shares
  where e.rate_limit_rps is not null and target_id = e.id and node_id = '${everyNode}') b on true`
