/** What a claim leaves behind of the ready rows that it looked at. */
import type { Candidate } from './claim-candidates.ts'
import { type Context, now } from './context.ts'
import { blockedUntil } from './ready-endpoints.ts'
import { uuid } from './wire-types.ts'

/**
 * A target that gave its last due row is looked at once more after this. A publisher that saw its ready row did not
 * arm it again, and its own commit may land only now.
 */
const lookAgainMs = 100
/** Due deliveries beyond which a target is no longer fresh. */
const maxFreshBacklog = 32

interface Looked {
  readonly candidates: readonly Candidate[]
  readonly blocked: readonly Uint8Array[]
}

/**
 * Never leaves a ready row that promises work where there is none: that would make claims spin.
 * Milliseconds until more becomes due, null when nothing is known to.
 */
export async function settleReady(context: Context, { candidates, blocked }: Looked): Promise<number | null> {
  const targets = [...candidates.map((candidate) => candidate.target), ...blocked].map(uuid)
  const [row] = await context.query<{ readonly next_in: number | null }>(
    'settle_ready',
    // live_deliveries_due per target, ready_endpoints_next for the others
    `with facts as materialized (
       select o.target_id, o.gave, ${blockedUntil('o.target_id', 'o.is_rated')} as blocked_until, (
         select l.due_at from live_deliveries l where l.target_id = o.target_id and l.due_at is not null
         order by l.due_at limit 1) as due_at,
         o.was_fresh and (select count(*) from (
           select from live_deliveries l where l.target_id = o.target_id and l.due_at <= ${now}
           limit ${maxFreshBacklog + 1}) d) <= ${maxFreshBacklog} as is_fresh
       from unnest($2::uuid[], $3::boolean[], $4::boolean[], $5::boolean[]) as o (target_id, gave, was_fresh, is_rated)
     ), looked as materialized (
       select target_id, case
         when is_fresh and blocked_until <= ${now} and due_at <= ${now} then -${now}
         when gave and blocked_until <= ${now} then least(greatest(${now}, due_at), ${now} + ${lookAgainMs})
         when due_at is not null then greatest(${now}, due_at, blocked_until)
       end as next_at
       from facts
     ), gone as (
       delete from ready_endpoints r using looked k where r.target_id = k.target_id and k.next_at is null
     ), moved as (
       update ready_endpoints r set next_at = k.next_at from looked k
       where r.target_id = k.target_id and k.next_at is not null and r.next_at <> k.next_at
     )
     select least(
       (select min(next_at) from looked),
       (select next_at from ready_endpoints where target_id <> all ($2::uuid[]) order by next_at limit 1)
     ) - ${now} as next_in`,
    [
      context.shiftMs,
      targets,
      [...candidates.map((candidate) => candidate.given > 0), ...blocked.map(() => false)],
      [...candidates.map((candidate) => candidate.isFresh), ...blocked.map(() => false)],
      [...candidates.map((candidate) => candidate.rate !== null), ...blocked.map(() => true)],
    ],
  )
  return row === undefined || row.next_in === null ? null : Math.max(0, row.next_in)
}
