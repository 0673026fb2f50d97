/** The ready rows: which targets have due work, and from when. They may be wrong; `reconcileReady` repairs them. */
import {
  armed,
  held,
  isFresh,
  type Look,
  looksFrom,
  maxFreshBacklog,
  type NextAt,
  readyAfterLook,
  readyFor,
} from '../../../core/claim/ready-row.ts'
import { anyLimit } from '../connection/statement-cache.ts'
import type { WriteContext } from '../threads/write-context.ts'

/** Lets the target be looked at from `at` on, or from the end of its pause. An earlier time that stands stays. */
export function armReady(context: WriteContext, tenant: Uint8Array, targetId: string, at: number): void {
  arm(context, { tenant, targetId, dueAt: at, isNew: false })
}

/** Lets the target be looked at now, as a fresh one unless it waits for its turn already. */
export function armFresh(context: WriteContext, tenant: Uint8Array, targetId: string): void {
  arm(context, { tenant, targetId, dueAt: context.now, isNew: true })
}

interface Wanted {
  readonly tenant: Uint8Array
  readonly targetId: string
  readonly dueAt: number
  readonly isNew: boolean
}

function arm(context: WriteContext, { tenant, targetId, dueAt, isNew }: Wanted): void {
  const { now, memory } = context
  const target = memory.bytes(targetId)
  const standing = readyRow(context, target)
  const blockedUntil = memory.blockedUntil(targetId, now) ?? 0
  const nextAt = armed(standing, readyFor({ now, dueAt, isNew, blockedUntil }), now)
  if (standing === null) {
    context
      .prepare('insert into ready_endpoints (target_id, tenant_id, next_at) values (?, ?, ?)')
      .run(target, tenant, nextAt)
  } else if (nextAt !== standing) moveReady(context, target, nextAt)
}

/** The target is paused: claims need not look at it before the end. */
export function holdReady(context: WriteContext, targetId: string): void {
  const { now, memory } = context
  const target = memory.bytes(targetId)
  const standing = readyRow(context, target)
  if (standing === null) return
  const nextAt = held(standing, memory.blockedUntil(targetId, now) ?? 0)
  if (nextAt !== standing) moveReady(context, target, nextAt)
}

/** What the target's ready row says; null: there is none. */
export function readyRow(context: WriteContext, target: Uint8Array): NextAt | null {
  const row = context.prepare('select next_at from ready_endpoints where target_id = ?').get(target) // primary key
  return row === undefined ? null : (row.next_at as number)
}

/** When a claim may find something next: at or before now when due work is left. */
export function nextReadyAt(context: WriteContext): number | null {
  const { now } = context
  // ready_endpoints_next, from both ends of the fresh ones that are not to be looked at yet
  const first = context
    .prepare('select next_at from ready_endpoints where next_at >= ? order by next_at limit 1')
    .get(-now)
  const later = context
    .prepare('select next_at from ready_endpoints where next_at < ? order by next_at desc limit 1')
    .get(-now)
  const times = [first, later].flatMap((row) => (row === undefined ? [] : [looksFrom(row.next_at as number)]))
  return times.length === 0 ? null : Math.min(...times)
}

export interface Looked extends Pick<Look, 'standing' | 'gave'> {
  readonly targetId: string
}

/** After a claim looked at the target. */
export function writeReadyAfterLook(context: WriteContext, target: Uint8Array, looked: Looked): void {
  const { now, memory } = context
  const nextDueAt = firstDueAt(context, looked.targetId)
  const nextAt = readyAfterLook({
    ...looked,
    now,
    nextDueAt,
    dueCount: isFresh(looked.standing) ? countDue(context, looked.targetId) : 0,
    lookBy: null,
    blockedUntil: memory.blockedUntil(looked.targetId, now) ?? 0,
  })
  if (nextAt === null) dropReady(context, target)
  else if (nextAt !== looked.standing) moveReady(context, target, nextAt)
}

/** Its deliveries were cancelled or parked. Moved to when it has work again, or removed when it has none. */
export function rearmReady(context: WriteContext, targetId: string): void {
  const target = context.memory.bytes(targetId)
  const first = firstDueAt(context, targetId)
  if (first === null) dropReady(context, target)
  else moveReady(context, target, Math.max(context.now, first))
}

/** When the target's first delivery becomes due, or its first lease runs out; null: neither. */
function firstDueAt(context: WriteContext, targetId: string): number | null {
  const { names, leases } = context.memory
  if (leases.waitingAt(targetId).size > 0) return context.now
  const first = context
    .prepare(
      // live_deliveries_due
      `select due_at from live_deliveries where target = ? and due_at is not null and state <> 1 order by due_at limit 1`,
    )
    .get(names.numberOf(targetId))
  const leaseEnd = leases.earliestEnd(targetId)
  if (first === undefined) return leaseEnd
  return Math.min(first.due_at as number, leaseEnd ?? Number.POSITIVE_INFINITY)
}

function countDue(context: WriteContext, targetId: string): number {
  const { names, leases } = context.memory
  const due = context
    .prepare(
      // live_deliveries_due
      `select count(*) as n
       from (select 1 from live_deliveries where target = ? and due_at <= ? and state <> 1 limit ${anyLimit})`,
    )
    .get(names.numberOf(targetId), context.now, maxFreshBacklog + 1)
  return leases.waitingAt(targetId).size + (due?.n as number)
}

function dropReady(context: WriteContext, target: Uint8Array): void {
  context.prepare('delete from ready_endpoints where target_id = ?').run(target)
}

export function moveReady(context: WriteContext, target: Uint8Array, nextAt: NextAt): void {
  context.prepare('update ready_endpoints set next_at = ? where target_id = ?').run(nextAt, target)
}
