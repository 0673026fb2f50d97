/** Tokens of targets whose endpoint has a rate: one row for the whole cluster, made with the rate and gone with it. */
import { changeRate, type RateBucket, spendTokens } from '../../../core/rate-limit.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid } from '../rows/wire-types.ts'

/** In place of a node's id: the tokens belong to all of them. */
export const everyNode = '00000000-0000-0000-0000-000000000000'

/** SQL: until when the target has no token, 0 when it has one or no rate. */
export function limitedUntil(target: string): string {
  return `coalesce((select b.limited_until from endpoint_shares b
                    where b.target_id = ${target} and b.node_id = '${everyNode}'), 0)`
}

/**
 * SQL: takes tokens for those rows of the relation `judged (id, target_id, rate, may_lease)` that may be leased and
 * have a rate, targets in key order; `limited` names the rows that got none.
 */
export const takeTokens = `
tokens as materialized (
  select target_id, take_tokens(target_id, rate, wanted, ${now}) as taken
  from (select target_id, rate, count(*) as wanted from judged where may_lease and rate is not null
        group by target_id, rate order by target_id) t
),
limited as materialized (
  select n.id from tokens t join (
    select id, target_id, row_number() over (partition by target_id order by id) as turn
    from judged where may_lease and rate is not null) n on n.target_id = t.target_id
  where n.turn > t.taken
)`

export interface LockedBucket extends RateBucket {
  readonly now: number
}

interface BucketRow {
  readonly target_id: Uint8Array
  readonly full_at: number
  readonly limited_until: number
  readonly now: number
}

function toBucket(row: BucketRow): LockedBucket {
  return { fullAt: row.full_at, limitedUntil: row.limited_until, now: row.now }
}

/** By target. One that a hand-off or another change holds just now is missing: a claim waits for nobody. */
export async function lockBuckets(
  context: Context,
  targets: readonly string[],
): Promise<ReadonlyMap<string, LockedBucket>> {
  if (targets.length === 0) return new Map()
  const rows = await run(context, lockStatement, { targets })
  return new Map(rows.map((row) => [uuid(row.target_id), toBucket(row)]))
}

const lockStatement = query<BucketRow>()(
  'lock_buckets',
  { targets: 'uuid[]' },
  // primary key
  `select target_id, full_at, limited_until, ${now} as now from endpoint_shares
   where target_id = any ($targets) and node_id = '${everyNode}' order by target_id for update skip locked`,
)

export interface Spending {
  readonly target: string
  readonly rps: number
  /** Negative: given back. */
  readonly count: number
  readonly bucket: LockedBucket
}

/** The rows are locked. */
export async function writeSpent(context: Context, spendings: readonly Spending[]): Promise<void> {
  if (spendings.length === 0) return
  await writeBuckets(
    context,
    spendings.map(({ target, rps, count, bucket }) => ({
      target,
      bucket: spendTokens(bucket, rps, { count, now: bucket.now }),
    })),
  )
}

/** Of deliveries whose lease was given back before their request went out. */
export async function returnTokens(context: Context, targets: readonly string[]): Promise<void> {
  if (targets.length === 0) return
  const counts = new Map<string, number>()
  for (const target of targets) counts.set(target, (counts.get(target) ?? 0) + 1)
  const rows = await run(context, lockUnspentStatement, { targets: Array.from(counts.keys()) })
  await writeSpent(
    context,
    rows.map((row) => {
      const target = uuid(row.target_id)
      return { target, rps: row.rate_limit_rps, count: -(counts.get(target) ?? 0), bucket: toBucket(row) }
    }),
  )
}

const lockUnspentStatement = query<BucketRow & { readonly rate_limit_rps: number }>()(
  'lock_unspent',
  { targets: 'uuid[]' },
  // primary keys
  `select b.target_id, e.rate_limit_rps, b.full_at, b.limited_until, ${now} as now
   from endpoint_shares b join endpoints e on e.id = b.target_id and e.rate_limit_rps is not null
   where b.target_id = any ($targets) and b.node_id = '${everyNode}' order by b.target_id for update of b`,
)

interface BucketWrite {
  readonly target: string
  readonly bucket: RateBucket
}

async function writeBuckets(context: Context, writes: readonly BucketWrite[]): Promise<void> {
  await run(context, writeStatement, {
    targets: writes.map(({ target }) => target),
    full_at: writes.map(({ bucket }) => bucket.fullAt),
    limited_until: writes.map(({ bucket }) => bucket.limitedUntil),
  })
}

const writeStatement = command(
  'write_buckets',
  { targets: 'uuid[]', full_at: 'double precision[]', limited_until: 'bigint[]' },
  // primary key
  `update endpoint_shares s set full_at = o.full_at, limited_until = o.limited_until
   from unnest($targets, $full_at, $limited_until) as o (target_id, full_at, limited_until)
   where s.target_id = o.target_id and s.node_id = '${everyNode}'`,
)

/** A new rate begins with a full bucket. */
export async function insertBucket(context: Context, target: string): Promise<void> {
  await run(context, insertStatement, { target })
}

const insertStatement = command(
  'insert_bucket',
  { target: 'uuid' },
  `insert into endpoint_shares (target_id, node_id, slots, full_at, limited_until) values ($target, '${everyNode}', 0, 0, 0)
   on conflict do nothing`,
)

/** What the one before was short of stays missing. The endpoint's row is locked. */
export async function replaceRate(
  context: Context,
  target: string,
  rates: { readonly from: number | null; readonly to: number | null },
): Promise<void> {
  const { from, to } = rates
  if (to === null) await run(context, deleteStatement, { target })
  else if (from === null) await insertBucket(context, target)
  else {
    const [row] = await run(context, lockOneStatement, { target })
    if (row === undefined) return insertBucket(context, target)
    const { now: at, ...before } = toBucket(row)
    await writeBuckets(context, [{ target, bucket: changeRate(before, { from, to }, at) }])
  }
}

const deleteStatement = command(
  'delete_bucket',
  { target: 'uuid' },
  `delete from endpoint_shares where target_id = $target and node_id = '${everyNode}'`,
)

const lockOneStatement = query<BucketRow>()(
  'lock_bucket',
  { target: 'uuid' },
  // primary key
  `select target_id, full_at, limited_until, ${now} as now from endpoint_shares
   where target_id = $target and node_id = '${everyNode}' for update`,
)
