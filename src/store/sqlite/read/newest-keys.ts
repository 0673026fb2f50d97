/**
 * The newest rows of a tenant, through an index of (tenant, group): a walk for each group, merged. Two seeks for each topic
 * or endpoint that the tenant has had, so that no index by tenant alone has to be written for every event.
 */
import type { SQLInputValue } from 'node:sqlite'
import { maxGroups } from '../../page-reading.ts'
import type { ReadContext } from './context.ts'
import type { KeyBounds } from './key-pages.ts'
import { type Entry, type Walk, walkDown } from './walk-down.ts'

export interface GroupedTable {
  readonly table: 'events' | 'deliveries'
  /** The index's second column. */
  readonly group: 'topic' | 'endpoint'
  readonly tenant: number
  /** What else must hold of a row, as SQL over the table's alias `d`. */
  readonly condition: string
  readonly values: readonly SQLInputValue[]
}

interface WantedGroups {
  /** False: the condition wants no row of this group. Absent: it may want one of each. */
  readonly wants?: ((group: number | null) => boolean) | undefined
}

/** Walks that meet every row of the tenant between them that may be wanted. */
export function walksOfTenant(
  context: ReadContext,
  { wants = () => true, ...of }: GroupedTable & WantedGroups,
  bounds: KeyBounds,
): readonly Walk[] {
  const groups = groupsOf(context, of)
  // Most of these groups show nothing on the page.
  return groups === null
    ? [walkEverybody(context, of, bounds)]
    : groups.filter(wants).map((group) => walkGroup(context, of, { ...bounds, group, first: 1 }))
}

interface GroupBounds extends KeyBounds {
  readonly group: number | null
  /** How many are read at first; the page's number and one more where nothing is said. */
  readonly first?: number
}

export function walkGroup(
  context: ReadContext,
  { table, group: column, tenant, condition, values }: GroupedTable,
  { group, from, before, limit, first = limit + 1 }: GroupBounds,
): Walk {
  const read = context.prepare<Entry>(
    // events_topic, deliveries_endpoint
    `select d.k, (1 ${condition}) as wanted from ${table} d
     where d.tenant = ? and d.${column} is ? and d.k >= ? and d.k < ? order by d.k desc limit ?`,
  )
  return walkDown((end, most) => read.all(...values, tenant, group, from, end, most), { before, first })
}

/** A tenant with so many groups has a good part of all rows. */
function walkEverybody(
  context: ReadContext,
  { table, tenant, condition, values }: GroupedTable,
  { from, before, limit }: KeyBounds,
): Walk {
  const read = context.prepare<Entry>(
    // primary key
    `select d.k, (d.tenant = ? ${condition}) as wanted from ${table} d
     where d.k >= ? and d.k < ? order by d.k desc limit ?`,
  )
  return walkDown((end, most) => read.all(tenant, ...values, from, end, most), { before, first: limit + 1 })
}

/** Null: there are too many. */
function groupsOf(
  context: ReadContext,
  { table, group: column, tenant }: GroupedTable,
): readonly (number | null)[] | null {
  const none = context
    .prepare(`select 1 from ${table} where tenant = ? and ${column} is null limit 1`) // the same indexes
    .get(tenant)
  const groups: (number | null)[] = none === undefined ? [] : [null]
  const next = context.prepare(
    `select ${column} as n from ${table} where tenant = ? and ${column} > ? order by ${column} limit 1`,
  )
  for (let row = next.get(tenant, 0); row !== undefined; row = next.get(tenant, row.n as number)) {
    if (groups.length === maxGroups) return null
    groups.push(row.n as number)
  }
  return groups
}
