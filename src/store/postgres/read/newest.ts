/**
 * The newest rows of a tenant, through an index of (tenant, group, id): the newest of each group, and then the groups that
 * hold the newest of all. Two seeks for each topic or endpoint that the tenant has had, so that no index by tenant alone
 * has to be written for every event.
 */
import { inIdRange } from './time-range.ts'

export interface Grouped {
  readonly table: 'events' | 'deliveries'
  /** The index's second column. */
  readonly group: 'topic' | 'endpoint_id'
  /** What else must hold of the row `d`, after another condition. */
  readonly condition: string
  /** What must hold of a group `g` with a `name`; absent: all, and the rows of none. */
  readonly groups?: string
}

/**
 * SQL: where the rows `d` of a group of the tenant `$tenant` are, with ids from `$low` and before `$high`, newest first. A
 * plain "group = …" with "order by id" could also be read by the primary key, over everybody's rows; what says the same
 * by pairs is served by (tenant, group, id) alone.
 */
export function ofGroup(group: Grouped['group'], name: string | null): { where: string; order: string } {
  const tenant = 'd.tenant_id = $tenant and'
  return {
    where:
      name === null
        ? `${tenant} d.${group} is null and ${inIdRange('d')}`
        : `${tenant} (d.${group}, d.id) >= (${name}, $low) and (d.${group}, d.id) < (${name}, $high)`,
    order: `order by d.${group} desc, d.id desc`,
  }
}

/** SQL: ids of the tenant `$tenant`, at most `$rows` of them. Its rows are `(id)`, in no order. */
export function newestOfTenant({ table, group, condition, groups }: Grouped): string {
  const newest = (name: string | null, most: string) => {
    const { where, order } = ofGroup(group, name)
    return `select d.id from ${table} d where ${where} ${condition} ${order} limit ${most}`
  }
  return `
  with recursive groups as ( -- events_topic, deliveries_endpoint
    (select ${group} as name from ${table} where tenant_id = $tenant and ${group} is not null order by ${group} limit 1)
    union all
    select (select d.${group} from ${table} d where d.tenant_id = $tenant and d.${group} > g.name
            order by d.${group} limit 1)
    from groups g where g.name is not null
  ),
  heads as materialized (
    select g.name, h.id from groups g cross join lateral (${newest('g.name', '1')}) h
    ${groups === undefined ? '' : `where ${groups}`}
    order by h.id desc limit $rows
  )
  select n.id from heads h cross join lateral (${newest('h.name', '$rows')}) n
  ${groups === undefined ? `union all (${newest(null, '$rows')})` : ''}`
}
