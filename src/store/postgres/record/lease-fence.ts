/**
 * Whether leases stand, in SQL over the list `o (id, batch, version)`. Of one that was claimed, its live row says so, and
 * its batch is null; of one that was handed off, its row of `handoffs`. Each is one seek by primary key whatever is known
 * of the tables: a plain join might read a whole one that was empty when the planner looked.
 */

import type { Lease } from '../claim/leases.ts'
import { type Context, query, run } from '../connection/statement.ts'

/** SQL, lateral: the live row of a claimed one, locked; passed over when somebody else has locked it. */
export const claimedRow = `
    select l.ctid as tid, l.* from live_deliveries l
    where l.id = o.id and l.claim_version = o.version and l.state = 'in_flight' limit 1 for update skip locked`

/** SQL: the standing batches. Whoever ends their leases before us has locked the row, or taken it away. */
export const standingBatches = `
  select batch from handoffs where batch = any ($batches) order by batch for key share skip locked`

/** SQL: one that was handed off has no row yet; else its end is written, and only the answer was lost. */
export const isUnwritten = `(select true from deliveries f where f.id = o.id) is null
    and (select true from live_deliveries l where l.id = o.id) is null`

/** SQL: it may stand, or is being ended at this moment. */
export const stillStands = `case
  when o.batch is null then (select true from live_deliveries l
                             where l.id = o.id and l.claim_version = o.version and l.state = 'in_flight')
  else (select true from handoffs h where h.batch = o.batch) and ${isUnwritten} end`

export interface LockedLeases {
  /** The caller's until its transaction ends. */
  readonly locked: ReadonlySet<Lease>
  /** They stand, and somebody else has locked the delivery, or is about to end them. */
  readonly held: ReadonlySet<Lease>
}

/** Waits for nobody. What is stale is in neither set. */
export async function lockLeases(context: Context, leases: readonly Lease[]): Promise<LockedLeases> {
  if (leases.length === 0) return { locked: new Set(), held: new Set() }
  const sorted = [...leases].sort((a, b) => (a.id < b.id ? -1 : 1))
  const rows = await run(context, lockStatement, {
    ids: sorted.map(({ id }) => id),
    batches: sorted.map(({ batch, isLive }) => (isLive ? null : batch)),
    versions: sorted.map(({ claimVersion }) => claimVersion),
  })
  const answers = new Map(rows.map((row) => [row.id, row.is_locked]))
  const named = (isLocked: boolean) => new Set(sorted.filter(({ id }) => answers.get(id) === isLocked))
  return { locked: named(true), held: named(false) }
}

const lockStatement = query<{ readonly id: string; readonly is_locked: boolean }>()(
  'lock_leases',
  { ids: 'uuid[]', batches: 'uuid[]', versions: 'integer[]' },
  `
with o as not materialized (
  select * from unnest($ids, $batches, $versions) as o (id, batch, version)
),
claimed as materialized (
  select o.id from o cross join lateral (${claimedRow}) d where o.batch is null
),
standing as materialized (${standingBatches}),
locked as materialized (
  select id from claimed
  union all
  select o.id from o where (o.batch in (select batch from standing)) is true and ${isUnwritten}
)
select replace(id::text, '-', '') as id, true as is_locked from locked
union all
select replace(o.id::text, '-', ''), false from o
where (o.id in (select id from locked)) is not true and ${stillStands}`,
)
