import type { MomentRange } from '../../retention.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Those that ended in one of the stretches of time; `limit` at most. */
export function removeEndedJobs(
  context: WriteContext,
  ranges: readonly MomentRange[],
  limit: number,
): number {
  const remove = context.prepare(
    // jobs_ended
    'delete from jobs where id in (select id from jobs where ended_at between ? and ? order by ended_at limit ?)',
  )
  let removed = 0
  for (const { from, to } of ranges) removed += Number(remove.run(from, to, limit - removed).changes)
  return removed
}
