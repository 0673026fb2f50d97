/**
 * The lines of ordered deliveries: one for each subscription and ordering key, in the order of their publishes.
 *
 *     joins an empty line ─► head (due, or waits for its time, a retry, its endpoint) ─► leaves: the next one is head
 *     joins behind others ─► parked as behind_head                  └─ dead-lettered ─► the line is blocked
 *     blocked: its head is replayed ─► it is head again; skipped, or removed for its age ─► the next one is head
 *
 * Whatever takes a delivery out of the live table ends in `leaveLine`. A deleted subscription's lines are dissolved: their
 * rows go, and what stood in them stands in no line any more.
 */
import { idPrefixes } from '../../../core/ids.ts'
import { armReady } from '../claim/ready-endpoints.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { makeDue } from './wait.ts'

/** Which line. */
export interface LineKey {
  readonly tenantId: string
  readonly subscriptionId: string
  readonly orderingKey: string
}

/** Where in it a delivery stands. */
export interface Place {
  readonly line: number
  readonly place: number
  readonly isHead: boolean
}

export interface LineRow {
  readonly line: number
  readonly head: number
  readonly blocked_at: number | null
  readonly length: number
}

/** Null: nothing stands in it. */
export function findLine(context: WriteContext, key: LineKey): LineRow | null {
  const row = context
    .prepare<LineRow>(
      // ordered_keys_key
      `select line, head, blocked_at, length from ordered_keys
     where tenant_id = ? and subscription_id = ? and ordering_key = ?`,
    )
    .get(context.memory.bytes(key.tenantId), context.memory.bytes(key.subscriptionId), key.orderingKey)
  return row ?? null
}

/** At its end. */
export function joinLine(context: WriteContext, key: LineKey, delivery: number): Place {
  const row = context
    .prepare<{ readonly line: number; readonly place: number; readonly length: number }>(
      // ordered_keys_key
      `insert into ordered_keys (tenant_id, subscription_id, ordering_key, head, length, last_place)
     values (?, ?, ?, ?, 1, 1)
     on conflict (tenant_id, subscription_id, ordering_key)
       do update set length = length + 1, last_place = last_place + 1
     returning line, last_place as place, length`,
    )
    .get(
      context.memory.bytes(key.tenantId),
      context.memory.bytes(key.subscriptionId),
      key.orderingKey,
      delivery,
    )
  const { line, place, length } = row as NonNullable<typeof row>
  return { line, place, isHead: length === 1 }
}

/** Before all others: everybody's place in a line is above this. */
const firstPlace = 0

/** Of a delivery that is sent again: one that blocks its line is its head again, any other goes to the end. */
export function returnToLine(context: WriteContext, key: LineKey, delivery: number): Place {
  const standing = findLine(context, key)
  if (standing === null || standing.blocked_at === null || standing.head !== delivery) {
    return joinLine(context, key, delivery)
  }
  context.prepare('update ordered_keys set blocked_at = null where line = ?').run(standing.line) // primary key
  return { line: standing.line, place: firstPlace, isHead: true }
}

export interface Leaving {
  readonly line: number
  /** The delivery's. */
  readonly key: number
  /** It is dead-lettered, and may be sent again: as the head it blocks its line. */
  readonly isBlocking: boolean
}

/** It is live no longer. True: another one is due in its place. */
export function leaveLine(context: WriteContext, { line, key, isBlocking }: Leaving): boolean {
  const standing = context
    .prepare<LineRow>('select line, head, blocked_at, length from ordered_keys where line = ?') // primary key
    .get(line)
  if (standing === undefined) return false
  if (isBlocking && standing.head === key) {
    context.prepare('update ordered_keys set blocked_at = ? where line = ?').run(context.now, line)
    return false
  }
  return takeOut(context, standing, key) === 'due'
}

/** Of a dead letter: the line that it blocks; null: none. */
export function findBlocked(context: WriteContext, key: number): LineRow | null {
  const row = context
    .prepare<LineRow>(
      // ordered_keys_blocked_head
      'select line, head, blocked_at, length from ordered_keys where head = ? and blocked_at is not null',
    )
    .get(key)
  return row ?? null
}

/** `due`: another one has become the head and may be claimed; `waiting`: it waits for something else. */
type Taken = 'due' | 'waiting' | 'nobody'

export function takeOut(context: WriteContext, standing: LineRow, key: number): Taken {
  const { line, length } = standing
  if (length <= 1) {
    context.prepare('delete from ordered_keys where line = ?').run(line) // primary key
    return 'nobody'
  }
  if (standing.head !== key) {
    context.prepare('update ordered_keys set length = length - 1 where line = ?').run(line)
    return 'nobody'
  }
  return advance(context, line)
}

/** Makes the first one the head, whoever it was before, and counts who stands there. */
export function settleLine(context: WriteContext, line: number): void {
  const live = context
    .prepare<{ readonly rows: number }>('select count(*) as rows from live_deliveries where line = ?') // live_deliveries_line
    .get(line)
  // Of which advancing takes one away.
  context.prepare('update ordered_keys set length = ? where line = ?').run((live?.rows ?? 0) + 1, line)
  advance(context, line)
}

/** The one that has stood in the line for longest is the head. */
function advance(context: WriteContext, line: number): Taken {
  const next = firstOf(context, line)
  if (next === null) {
    context.prepare('delete from ordered_keys where line = ?').run(line)
    return 'nobody'
  }
  context
    .prepare('update ordered_keys set head = ?, blocked_at = null, length = length - 1 where line = ?') // primary key
    .run(next.k, line)
  const { names } = context.memory
  const tenantId = names.idOf(next.tenant, idPrefixes.tenant)
  const targetId = names.idOf(next.target, idPrefixes.endpoint)
  const endpointId = next.endpoint === null ? null : names.idOf(next.endpoint, idPrefixes.endpoint)
  const dueAt = makeDue(context, { key: next.k, endpointId })
  if (dueAt === null) return 'waiting'
  armReady(context, context.memory.bytes(tenantId), targetId, dueAt)
  return dueAt <= context.now ? 'due' : 'waiting'
}

interface NextRow {
  readonly k: number
  readonly id: Uint8Array
  readonly tenant: number
  readonly endpoint: number | null
  readonly target: number
}

export function firstOf(context: WriteContext, line: number): NextRow | null {
  const row = context
    .prepare<NextRow>(
      // live_deliveries_line
      'select k, id, tenant, endpoint, target from live_deliveries where line = ? order by place limit 1',
    )
    .get(line)
  return row ?? null
}

/** What of a delivery says in which line it belongs. */
interface Belonging {
  readonly tenantId: string
  readonly subscriptionId: string | null
  readonly eventKey: number
}

/** Null: its subscription is not ordered, or its event has no ordering key. */
export function lineOf(
  context: WriteContext,
  { tenantId, subscriptionId, eventKey }: Belonging,
): LineKey | null {
  if (subscriptionId === null || !context.memory.subscription(subscriptionId).ordered) return null
  const row = context
    .prepare<{ readonly ordering_key: string | null }>(
      'select ordering_key from events where k = ?', // primary key
    )
    .get(eventKey)
  const orderingKey = row?.ordering_key ?? null
  return orderingKey === null ? null : { tenantId, subscriptionId, orderingKey }
}

/** Of a deleted subscription, at most so many; their number. */
export function dissolveLines(context: WriteContext, of: DissolvedLines): number {
  const { tenant, subscription, limit } = of
  const { changes } = context
    .prepare(
      // ordered_keys_key
      `delete from ordered_keys where line in
       (select line from ordered_keys where tenant_id = ? and subscription_id = ? limit ?)`,
    )
    .run(tenant, subscription, limit)
  return Number(changes)
}

export interface DissolvedLines {
  readonly tenant: Uint8Array
  readonly subscription: Uint8Array
  readonly limit: number
}
