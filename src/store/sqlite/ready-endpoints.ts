/**
 * The ready rows: which targets have due work, and from when. A hint; `reconcileReady` repairs it.
 * After a turn a row's time never lies before "now", or old backlogs would always sort first. Only the first turn of
 * a target that had no due work comes sooner.
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

/**
 * The head start of a target whose first due delivery has just been published, before those that had their turn:
 * otherwise a fresh event waits for one turn of every target with a backlog (measured with 10 thousand of them: tens
 * of seconds). It is also the longest time for which fresh targets can keep a backlog waiting.
 */
const headStartMs = 10 * 60_000

/** Lets the target be looked at now; ahead of the others, unless it waits for its turn already. */
export function armFresh(context: WriteContext, tenant: Uint8Array, targetId: string): void {
  const { now, memory } = context
  const nextAt = memory.blockedUntil(targetId, now) ?? now - headStartMs
  // primary key
  context
    .prepare(
      `insert into ready_endpoints (target_id, tenant_id, next_at) values (?, ?, ?)
       on conflict do update set next_at = excluded.next_at where next_at > ? and excluded.next_at < next_at`,
    )
    .run(memory.bytes(targetId), tenant, nextAt, now)
}

/** After a claim looked at the target: moved to when it has work again, or removed when it has none. */
export function rearmReady(context: WriteContext, target: Uint8Array, blockedUntil: number | null): void {
  const { now } = context
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
  moveReady(context, target, Math.max(now, first.due_at as number, blockedUntil ?? 0))
}

export function moveReady(context: WriteContext, target: Uint8Array, nextAt: number): void {
  context.prepare('update ready_endpoints set next_at = ? where target_id = ?').run(nextAt, target)
}
