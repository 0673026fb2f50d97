/**
 * The lines of ordered deliveries: one for each subscription and ordering key, in the order of their publishes.
 *
 *     joins an empty line ─► head (due, or waits for its time, a retry, its endpoint) ─► leaves: the next one is head
 *     joins behind others ─► parked as behind_head                  └─ dead-lettered ─► the line is blocked
 *     blocked: its head is replayed ─► it is head again; skipped, or removed for its age ─► the next one is head
 *
 * Whoever changes who stands in a line holds its row of `ordered_keys` from before that until the commit, so that places are
 * taken in the order of the commits. Rows are locked by key, in key order: waited for by who publishes, records or is a
 * person's command, and passed over by claims and jobs, which hold what others of these wait for. What takes a delivery
 * out of the live table ends in `settleLines`.
 */
import { bytesToId, idPrefixes } from '../../../core/ids.ts'
import { armWanted, blockedUntil } from '../claim/ready-endpoints.ts'
import { type Context, now, query, run } from '../connection/statement.ts'

/** Where in its line a delivery stands. */
export interface Place {
  readonly line: number
  readonly place: number
  readonly isBehind: boolean
}

/** Locks the lines until the transaction ends, one after the other. Those that are gone are left out. */
export async function lockLines(context: Context, lines: readonly (number | null)[]): Promise<void> {
  const wanted = named(lines)
  if (wanted.length > 0) await run(context, lockStatement, { lines: wanted })
}

/** Waits for nobody: the lines that somebody else has locked. */
export async function lockFreeLines(
  context: Context,
  lines: readonly (number | null)[],
): Promise<ReadonlySet<number>> {
  const wanted = named(lines)
  if (wanted.length === 0) return new Set()
  const locked = await run(context, lockFreeStatement, { lines: wanted })
  const isLocked = new Set(locked.map(({ line }) => line))
  if (isLocked.size === wanted.length) return new Set()
  const standing = await run(context, standingStatement, { lines: wanted })
  return new Set(standing.flatMap(({ line }) => (isLocked.has(line) ? [] : [line])))
}

function named(lines: readonly (number | null)[]): readonly number[] {
  return Array.from(new Set(lines.filter((line) => line !== null)))
}

const lockStatement = query<{ readonly line: number }>()(
  'lock_lines',
  { lines: 'bigint[]' },
  // primary key, in the order of ordered_keys_key
  `select line from ordered_keys where line = any ($lines)
   order by tenant_id, subscription_id, ordering_key for update`,
)

const lockFreeStatement = query<{ readonly line: number }>()(
  'lock_free_lines',
  { lines: 'bigint[]' },
  // primary key, in the order of ordered_keys_key
  `select line from ordered_keys where line = any ($lines)
   order by tenant_id, subscription_id, ordering_key for update skip locked`,
)

const standingStatement = query<{ readonly line: number }>()(
  'standing_lines',
  { lines: 'bigint[]' },
  // primary key
  'select line from ordered_keys where line = any ($lines)',
)

/** What a transaction did to a line that it has locked. */
export interface LineChange {
  readonly line: number
  /** How many came, less those that went. */
  readonly delta: number
  /** Null: nobody came. */
  readonly lastPlace: number | null
  /** It was dead-lettered at the head of the line, which it blocks now. Hexadecimal. */
  readonly blockedBy: string | null
  /** What blocked the line does so no longer. */
  readonly isUnblocked: boolean
}

export const unchanged = { delta: 0, lastPlace: null, blockedBy: null, isUnblocked: false } as const

/** Of one delivery that is live no longer, from a line that the caller has locked. */
export function leaving(
  line: number,
  { id, isBlocking }: { readonly id: string; readonly isBlocking: boolean },
): LineChange {
  return isBlocking ? { ...unchanged, line, blockedBy: id } : { ...unchanged, line, delta: -1 }
}

export interface SettledLines {
  /** By line, the delivery that is its head now; without an entry: nobody, or it is not known yet. */
  readonly heads: ReadonlyMap<number, string>
  /** Some have become due, at these targets. */
  readonly dueTargets: readonly string[]
}

/**
 * Brings lines that the caller has locked into line with who stands in them: the first one is the head, and due; an empty
 * line goes.
 */
export async function settleLines(context: Context, changes: readonly LineChange[]): Promise<SettledLines> {
  if (changes.length === 0) return { heads: new Map(), dueTargets: [] }
  const summed = Array.from(
    Map.groupBy(changes, ({ line }) => line),
    ([line, ofLine]) => ({
      line,
      delta: ofLine.reduce((sum, { delta }) => sum + delta, 0),
      lastPlace: ofLine.reduce<number | null>(
        (last, { lastPlace }) => (lastPlace === null ? last : Math.max(last ?? 0, lastPlace)),
        null,
      ),
      blockedBy: ofLine.find(({ blockedBy }) => blockedBy !== null)?.blockedBy ?? null,
      isUnblocked: ofLine.some(({ isUnblocked }) => isUnblocked),
    }),
  )
  const rows = await run(context, settleStatement, {
    lines: summed.map(({ line }) => line),
    deltas: summed.map(({ delta }) => delta),
    last_places: summed.map(({ lastPlace }) => lastPlace),
    blocked_by: summed.map(({ blockedBy }) => blockedBy),
    unblocked: summed.map(({ isUnblocked }) => isUnblocked),
  })
  return {
    heads: new Map(
      rows.flatMap(({ line, head }) =>
        head === null ? [] : [[line, bytesToId(idPrefixes.delivery, head)] as const],
      ),
    ),
    dueTargets: rows.flatMap(({ due_target: target }) =>
      target === null ? [] : [bytesToId(idPrefixes.endpoint, target)],
    ),
  }
}

interface SettledRow {
  readonly line: number
  readonly head: Uint8Array | null
  readonly due_target: Uint8Array | null
}

const settleStatement = query<SettledRow>()(
  'settle_lines',
  {
    lines: 'bigint[]',
    deltas: 'integer[]',
    last_places: 'bigint[]',
    blocked_by: 'uuid[]',
    unblocked: 'boolean[]',
  },
  `
with o as materialized (
  select c.*, k.head, k.blocked_at is not null and not c.is_unblocked as is_blocked
  from unnest($lines, $deltas, $last_places, $blocked_by, $unblocked)
    as c (line, delta, last_place, blocked_by, is_unblocked)
  cross join lateral (select * from ordered_keys k where k.line = c.line limit 1) k -- primary key
),
-- live_deliveries_line
first as materialized (
  select o.*, n.id as next_id, n.reason from o left join lateral (
    select l.id, l.reason from live_deliveries l where l.line = o.line order by l.place limit 1) n on true
),
-- Somebody who cancels it has locked it, and settles the line after us.
locked as materialized (
  select f.line, d.tid, d.event_id from first f cross join lateral (
    select l.ctid as tid, l.event_id from live_deliveries l
    where l.id = f.next_id and l.reason = 'behind_head' limit 1 for update skip locked) d
  where not f.is_blocked and f.blocked_by is null and f.reason = 'behind_head'
),
made_due as (
  update live_deliveries d set due_at = greatest(${now}, e.deliver_at), updated_at = ${now},
    reason = case when e.deliver_at > ${now} then 'scheduled' end
  from (
    select p.*, (select v.deliver_at from events v where v.id = p.event_id) as deliver_at from locked p) e
  where d.ctid = e.tid
  returning d.line, d.id, d.target_id, d.tenant_id, d.due_at
),
gone as (
  delete from ordered_keys k using first f
  where k.line = f.line and f.next_id is null and not f.is_blocked and f.blocked_by is null
),
kept as (
  update ordered_keys k set length = k.length + f.delta, last_place = coalesce(f.last_place, k.last_place),
    head = case when f.is_blocked or f.blocked_by is not null then k.head
                when f.reason = 'behind_head' then (select m.id from made_due m where m.line = f.line)
                else f.next_id end,
    blocked_at = case when f.blocked_by is not null then ${now} when f.is_blocked then k.blocked_at end,
    unsettled = not f.is_blocked and f.blocked_by is null and coalesce(f.reason = 'behind_head', false)
      and (select true from made_due m where m.line = f.line) is null
  from first f
  where k.line = f.line and (f.next_id is not null or f.is_blocked or f.blocked_by is not null)
  returning k.line, k.head
),
wanted as materialized (
  select m.target_id, m.tenant_id, greatest(min(m.due_at), ${blockedUntil('m.target_id')}) as next_at
  from made_due m group by m.target_id, m.tenant_id
),
armed as (${armWanted})
select k.line, k.head, case when m.due_at <= ${now} then m.target_id end as due_target
from kept k left join made_due m on m.line = k.line`,
)
