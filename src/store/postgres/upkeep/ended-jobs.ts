import type { MomentRange } from '../../retention.ts'
import { type Context, query, run } from '../connection/statement.ts'

/** Those that ended in one of the stretches of time; `limit` at most. */
export async function removeEndedJobs(
  context: Context,
  ranges: readonly MomentRange[],
  limit: number,
): Promise<number> {
  let removed = 0
  for (const { from, to } of ranges) {
    const gone = await run(context, removeEndedStatement, { from, to, limit: limit - removed })
    removed += gone.length
  }
  return removed
}

const removeEndedStatement = query<object>()(
  'remove_ended_jobs',
  { from: 'bigint', to: 'bigint', limit: 'bigint' },
  // jobs_ended
  `delete from jobs where id = any (array(
     select id from jobs where ended_at between $from and $to order by ended_at limit $limit for update skip locked))
   returning 1`,
)
