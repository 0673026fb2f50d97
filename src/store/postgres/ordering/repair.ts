/**
 * Lines whose head is neither live nor a dead letter that blocks them. One whose next delivery was locked when it was to
 * become the head says so itself (`unsettled`); of any other kind only a damaged store has some.
 */
import { type Context, query, run } from '../connection/statement.ts'
import { lockFreeLines, settleLines, unchanged } from './lines.ts'

/** Where this node's next slice begins: behind this line. */
export interface RepairCursor {
  after: number
}

/** SQL, of `ordered_keys` as `k`: by primary keys. Values, where "exists" would do, keep the planner from reading whole tables. */
const isStuck = `case when k.blocked_at is null
  then (select true from live_deliveries l
        where l.id = k.head and coalesce(l.reason <> 'behind_head', true) limit 1) is null
  else (select true from deliveries f where f.id = k.head and f.state = 'dead_lettered' limit 1) is null end`

interface StuckRow {
  readonly line: number
  readonly is_blocked: boolean
  readonly is_stuck: boolean
}

/** In a transaction. What somebody else has locked is left to the next call. */
export async function repairLines(context: Context, limit: number, cursor: RepairCursor): Promise<boolean> {
  const walked = await run(context, walkStatement, { after: cursor.after, limit })
  cursor.after = walked.length < limit ? 0 : (walked.at(-1)?.line ?? 0)
  const unsettled = await run(context, unsettledStatement, { limit })
  const stuck = [...walked.filter(({ is_stuck }) => is_stuck), ...unsettled]
  const lines = stuck.map(({ line }) => line)
  const locked = await lockFreeLines(context, lines)
  const free = stuck.filter(({ line }) => !locked.has(line))
  const byLine = new Map(free.map((row) => [row.line, row]))
  const { dueTargets } = await settleLines(
    context,
    Array.from(byLine.values(), ({ line, is_blocked: isUnblocked }) => ({
      ...unchanged,
      line,
      isUnblocked,
      delta: isUnblocked ? -1 : 0,
    })),
  )
  return dueTargets.length > 0
}

const walkStatement = query<StuckRow>()(
  'walk_lines',
  { after: 'bigint', limit: 'bigint' },
  // primary keys
  `select k.line, k.blocked_at is not null as is_blocked, ${isStuck} as is_stuck
   from (select * from ordered_keys where line > $after order by line limit $limit) k order by k.line`,
)

const unsettledStatement = query<StuckRow>()(
  'unsettled_lines',
  { limit: 'bigint' },
  // ordered_keys_unsettled
  `select k.line, false as is_blocked, true as is_stuck from ordered_keys k where k.unsettled order by k.line limit $limit`,
)

/** Text for a connection that prepares nothing. */
export const stuckLinesSql = `
  select count(*)::integer as keys, count(k.blocked_at)::integer as blocked,
    (count(*) filter (where ${isStuck}))::integer as stuck, min(k.ordering_key) filter (where ${isStuck}) as example
  from ordered_keys k`
