/** What a claim leaves behind of the ready rows that it looked at. */
import type { Blocked, Candidate } from './claim-candidates.ts'
import { type Context, now } from './context.ts'
import { blockedUntil } from './ready-endpoints.ts'
import { uuid } from './wire-types.ts'

/**
 * A target that gave its last due row is looked at once more after this, as a fresh one: what comes now must not wait
 * behind every backlog. A publisher that saw its ready row did not arm it again, and its own commit may land only now.
 */
const lookAgainMs = 100
/** Due deliveries beyond which a target is no longer fresh. */
const maxFreshBacklog = 32

/** SQL: later than all times. */
const never = `${Number.MAX_SAFE_INTEGER}`

interface Looked {
  readonly candidates: readonly Candidate[]
  readonly blocked: readonly Blocked[]
}

/**
 * Never leaves a ready row that promises work where there is none: that would make claims spin.
 * Milliseconds until more becomes due, null when nothing is known to.
 */
export async function settleReady(context: Context, { candidates, blocked }: Looked): Promise<number | null> {
  const all = [...candidates, ...blocked]
  const from = [...candidates.map(({ settleFrom }) => settleFrom), ...blocked.map(({ start }) => start.from)]
  const [row] = await context.query<{ readonly next_in: number | null }>(
    'settle_ready',
    // live_deliveries_due per target from its mark on, ready_endpoints_next for the others. Ready rows by place: their
    // versions that an old snapshot keeps are many, and a search by target would walk over them.
    `with facts as materialized (
       select o.place, o.gave, o.whole_at, ${blockedUntil('o.target_id', 'o.is_rated')} as blocked_until, (
         select l.due_at from live_deliveries l where l.target_id = o.target_id and l.due_at is not null
           and (l.due_at, l.id) > (o.from_due, o.from_id)
           and l.due_at <= case when o.gave then ${now} + ${lookAgainMs} else coalesce(o.whole_at, ${never}) end
         order by l.due_at, l.id limit 1) as due_at,
         o.was_fresh and (select count(*) from (
           select from live_deliveries l where l.target_id = o.target_id and l.due_at <= ${now}
             and (l.due_at, l.id) > (o.from_due, o.from_id)
           limit ${maxFreshBacklog + 1}) d) <= ${maxFreshBacklog} as is_fresh
       from unnest($2::uuid[], $3::boolean[], $4::boolean[], $5::boolean[], $6::bigint[], $7::uuid[], $8::bigint[],
         $9::tid[]) as o (target_id, gave, was_fresh, is_rated, from_due, from_id, whole_at, place)
     ), looked as materialized (
       select place, (is_fresh and blocked_until <= ${now} and due_at <= ${now}) is true as stays, case
         when gave and blocked_until <= ${now} and (due_at <= ${now}) is not true then -least(due_at, ${now} + ${lookAgainMs})
         when gave and blocked_until <= ${now} then ${now}
         when coalesce(due_at, whole_at) is not null then greatest(${now}, least(due_at, whole_at), blocked_until)
       end as next_at
       from facts
     ), gone as (
       delete from ready_endpoints r using looked k where r.ctid = k.place and k.next_at is null
     ), moved as (
       update ready_endpoints r set next_at = k.next_at from looked k
       where r.ctid = k.place and k.next_at is not null and not k.stays and r.next_at <> k.next_at
     )
     select case when first <= ${now} then 0 else least(first,
       (select next_at from ready_endpoints where target_id <> all ($2::uuid[]) and next_at >= -${now} order by next_at limit 1),
       (select -next_at from ready_endpoints where target_id <> all ($2::uuid[]) and next_at < -${now} order by next_at desc limit 1)
     ) - ${now} end as next_in
     from (select min(case when stays then 0 else abs(next_at) end) as first from looked) k`,
    [
      context.shiftMs,
      all.map(({ target }) => uuid(target)),
      [...candidates.map((candidate) => candidate.given > 0), ...blocked.map(() => false)],
      [...candidates.map((candidate) => candidate.isFresh), ...blocked.map(() => false)],
      [...candidates.map((candidate) => candidate.rate !== null), ...blocked.map(() => true)],
      from.map(({ dueAt }) => dueAt),
      from.map(({ id }) => id),
      all.map(({ start }) => start.wholeAt),
      all.map(({ place }) => place),
    ],
  )
  return row === undefined || row.next_in === null ? null : Math.max(0, row.next_in)
}
