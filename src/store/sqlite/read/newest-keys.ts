/**
 * The newest rows of a tenant, through an index of (tenant, group): the newest of each group, and then the groups that
 * hold the newest of all. Two seeks for each topic or endpoint that the tenant has had, so that no index by tenant alone
 * has to be written for every event.
 */
import type { SQLInputValue } from 'node:sqlite'
import type { ReadContext } from './context.ts'
import type { KeyBounds } from './key-pages.ts'

export interface GroupedTable {
  readonly table: 'events' | 'deliveries'
  /** The index's second column. */
  readonly group: 'topic' | 'endpoint'
  readonly tenant: number
  /** What else must hold of a row, as SQL over the table's alias `d`. */
  readonly condition: string
  readonly values: readonly SQLInputValue[]
}

/** At most `limit + 1` keys, newest first. */
export function newestKeys(context: ReadContext, of: GroupedTable, bounds: KeyBounds): readonly number[] {
  const heads = groupsOf(context, of)
    .map((group) => ({ group, key: newestOfGroup(context, of, { ...bounds, group, limit: 0 })[0] }))
    .filter((head): head is { group: number | null; key: number } => head.key !== undefined)
    .sort((a, b) => b.key - a.key)
    .slice(0, bounds.limit + 1)
  return heads
    .flatMap(({ group }) => newestOfGroup(context, of, { ...bounds, group }))
    .sort((a, b) => b - a)
    .slice(0, bounds.limit + 1)
}

/** At most `limit + 1` keys of one group, newest first. */
export function newestOfGroup(
  context: ReadContext,
  { table, group: column, tenant, condition, values }: GroupedTable,
  { group, from, before, limit }: KeyBounds & { readonly group: number | null },
): readonly number[] {
  const rows = context
    .prepare(
      // events_topic, deliveries_endpoint
      `select d.k from ${table} d where d.tenant = ? and d.${column} is ? and d.k >= ? and d.k < ? ${condition}
       order by d.k desc limit ?`,
    )
    .all(tenant, group, from, before, ...values, limit + 1)
  return rows.map((row) => row.k as number)
}

function groupsOf(
  context: ReadContext,
  { table, group: column, tenant }: GroupedTable,
): readonly (number | null)[] {
  const none = context
    .prepare(`select 1 from ${table} where tenant = ? and ${column} is null limit 1`) // the same indexes
    .get(tenant)
  const groups: (number | null)[] = none === undefined ? [] : [null]
  const next = context.prepare(
    `select ${column} as n from ${table} where tenant = ? and ${column} > ? order by ${column} limit 1`,
  )
  for (let row = next.get(tenant, 0); row !== undefined; row = next.get(tenant, row.n as number)) {
    groups.push(row.n as number)
  }
  return groups
}
