/** How far down a window of a listing reaches: where an index has so many entries above. */
import type { IdPrefix } from '../../../core/ids.ts'
import { maxGroups } from '../../page-reading.ts'
import type { Context } from '../connection/statement.ts'
import { uuidOfId } from '../rows/wire-types.ts'
import { Conditions } from './conditions.ts'
import { type Grouped, ofGroup } from './newest.ts'
import { giveIdRange, higher, inIdRange } from './time-range.ts'

/** What is counted: entries that could be on the page, whatever the other filters say. */
export interface Counted {
  readonly tenantId: string
  readonly prefix: IdPrefix
  readonly times: { readonly since?: number; readonly until?: number }
  /** Parameters of the entries. */
  give?(where: Conditions): void
}

export interface Entries {
  readonly from: string
  readonly order?: string
}

/** Of the tenant's rows that are of no group. */
export function entriesOfNoGroup({ table, group }: Pick<Grouped, 'table' | 'group'>): Entries {
  const { where, order } = ofGroup(group, null)
  return { from: `from ${table} d where ${where}`, order }
}

interface Below {
  readonly before: Uint8Array | null
  readonly most: number
}

/** SQL of each of `entries`: `from` and `where` of rows `d`, in an order that is theirs by id. The highest of their floors. */
export async function floorOf(
  context: Context,
  entries: readonly Entries[],
  { before, most, ...counted }: Counted & Below,
): Promise<Uint8Array | null> {
  if (entries.length === 0) return null
  const where = conditions(counted, { before, most })
  const floors = entries.map(
    ({ from, order = 'order by d.id desc' }) =>
      `(select d.id ${from} and ${inIdRange('d')} ${order} offset $most limit 1)`,
  )
  const [row] = await where.read<{ readonly floor: Uint8Array | null }>(
    context,
    `select greatest(${floors.join(', ')}) as floor`,
  )
  return row?.floor ?? null
}

function conditions({ tenantId, prefix, times, give }: Counted, { before, most }: Below): Conditions {
  const where = new Conditions().give('tenant', 'uuid', uuidOfId(tenantId)).give('most', 'bigint', most)
  give?.(where)
  return giveIdRange(where, prefix, { times, floor: null, before })
}

type Group = string

/** The groups of a tenant's rows, but for "none"; null: there are too many. */
export async function findGroups(
  context: Context,
  { table, group }: Pick<Grouped, 'table' | 'group'>,
  tenantId: string,
): Promise<readonly Group[] | null> {
  const rows = await new Conditions()
    .give('tenant', 'uuid', uuidOfId(tenantId))
    .give('most', 'bigint', maxGroups + 1)
    .read<{ readonly name: Group }>(
      context,
      `with recursive groups as ( -- events_topic, deliveries_endpoint
         (select ${group} as name from ${table} where tenant_id = $tenant and ${group} is not null order by ${group} limit 1)
         union all
         select (select d.${group} from ${table} d where d.tenant_id = $tenant and d.${group} > g.name
                 order by d.${group} limit 1)
         from groups g where g.name is not null
       )
       select name::text as name from groups where name is not null limit $most`,
    )
  return rows.length > maxGroups ? null : rows.map(({ name }) => name)
}

/**
 * The floor of all groups together. Each may have as many rows as any other above it; where that ends high up, it is
 * because of the busiest, so these share out as many rows again among themselves.
 */
export async function floorOfGroups(
  context: Context,
  { table, group }: Pick<Grouped, 'table' | 'group'>,
  { groups, before, most, ...counted }: Counted & Below & { readonly groups: readonly Group[] },
): Promise<Uint8Array | null> {
  if (groups.length === 0) return null
  const each = Math.max(1, Math.floor(most / groups.length))
  const { where: ofIt, order } = ofGroup(group, `g.name::${group === 'topic' ? 'text' : 'uuid'}`)
  const where = conditions(counted, { before, most: each }).give('groups', 'text[]', groups)
  const full = await where.read<{ readonly name: Group; readonly id: Uint8Array }>(
    context,
    // the same indexes
    `select g.name, f.id from unnest($groups) g (name)
     cross join lateral (select d.id from ${table} d where ${ofIt} ${order} offset $most limit 1) f
     order by f.id desc`,
  )
  if (groups.length === 1 || full.length === 0) return full[0]?.id ?? null
  const busiest = full.slice(0, Math.ceil(full.length / 10))
  const ofBusiest = await floorOfGroups(
    context,
    { table, group },
    { ...counted, before, most, groups: busiest.map(({ name }) => name) },
  )
  return higher(full[busiest.length]?.id ?? null, ofBusiest)
}
