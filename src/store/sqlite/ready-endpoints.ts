/**
 * The ready rows: which targets have due work, and from when. A hint; `reconcileReady` repairs it.
 *
 * A target waits for its turn from `next_at` on, which never lies before "now" at the time of writing, or old
 * backlogs would always sort first. A target is fresh instead while its due work is new and little: then `next_at` is
 * the negative of the time it was armed, so that both orders (newest fresh first, longest waiting first) are ranges of
 * one index. Without it a fresh event waited for one turn of every target with a backlog: with 10 thousand of them,
 * tens of seconds (fq_codel's "new flows" are the same idea).
 */
import type { WriteContext } from './write-context.ts'

/** Lets the target be looked at from `at` on, or from the end of its pause. An earlier time that stands stays. */
export function armReady(context: WriteContext, tenant: Uint8Array, targetId: string, at: number): void {
  const { now, memory } = context
  const nextAt = Math.max(now, at, memory.blockedUntil(targetId, now) ?? 0)
  // primary key
  context
    .prepare(
      `insert into ready_endpoints (target_id, tenant_id, next_at) values (?, ?, ?)
       on conflict do update set next_at = excluded.next_at where excluded.next_at < next_at`,
    )
    .run(memory.bytes(targetId), tenant, nextAt)
}

/** Due deliveries beyond which a target is no longer fresh. */
const maxFreshBacklog = 32

/** Lets the target be looked at now, as a fresh one unless it waits for its turn already. */
export function armFresh(context: WriteContext, tenant: Uint8Array, targetId: string): void {
  const { now, memory } = context
  const nextAt = memory.blockedUntil(targetId, now) ?? -now
  // primary key
  context
    .prepare(
      `insert into ready_endpoints (target_id, tenant_id, next_at) values (?, ?, ?)
       on conflict do update set next_at = excluded.next_at where next_at > ? and excluded.next_at < next_at`,
    )
    .run(memory.bytes(targetId), tenant, nextAt, now)
}

export interface Rearming {
  readonly blockedUntil: number | null
  /** It was fresh before, and stays so while little is left. */
  readonly wasFresh: boolean
}

/** After a claim looked at the target: moved to when it has work again, or removed when it has none. */
export function rearmReady(context: WriteContext, target: Uint8Array, rearming: Rearming): void {
  const { now } = context
  const { blockedUntil, wasFresh } = rearming
  const first = context
    .prepare(
      // live_deliveries_due
      `select due_at from live_deliveries where target_id = ? and due_at is not null order by due_at limit 1`,
    )
    .get(target)
  if (first === undefined) {
    context.prepare('delete from ready_endpoints where target_id = ?').run(target)
    return
  }
  const staysFresh =
    wasFresh && blockedUntil === null && (first.due_at as number) <= now && hasLittleDue(context, target)
  // As one that was armed now, it would come before all that were since.
  if (!staysFresh) moveReady(context, target, Math.max(now, first.due_at as number, blockedUntil ?? 0))
}

function hasLittleDue(context: WriteContext, target: Uint8Array): boolean {
  const due = context
    .prepare(
      // live_deliveries_due
      `select count(*) as n from (select 1 from live_deliveries where target_id = ? and due_at <= ? limit ?)`,
    )
    .get(target, context.now, maxFreshBacklog + 1)
  return (due?.n as number) <= maxFreshBacklog
}

export function moveReady(context: WriteContext, target: Uint8Array, nextAt: number): void {
  context.prepare('update ready_endpoints set next_at = ? where target_id = ?').run(nextAt, target)
}
