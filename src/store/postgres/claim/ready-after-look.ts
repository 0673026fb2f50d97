/** What a claim leaves behind of the ready rows that it looked at, all of which it has locked. */
import {
  isFresh,
  type Look,
  lookAgainMs,
  looksFrom,
  maxFreshBacklog,
  type NextAt,
  readyAfterLook,
} from '../../../core/claim/ready-row.ts'
import { rowsOf } from '../connection/lists.ts'
import { type Context, now, query, run } from '../connection/statement.ts'
import type { LockedTarget } from './candidates.ts'
import type { Position } from './low-water-marks.ts'
import { blockedUntil } from './ready-endpoints.ts'

export interface LookedAt extends LockedTarget {
  readonly gave: boolean
  readonly isRated: boolean
  readonly isProbe: boolean
  /** A delivery of it is known to be left that is due. */
  readonly isKnownDue: boolean
  /** No delivery before it is due, as far as is known. */
  readonly leftFrom: Position
  /** When a lease of it that this process holds runs out; null: it holds none. */
  readonly leaseEnd: number | null
}

/** What `writeReady` is to write. */
export interface Decided {
  readonly looked: readonly LookedAt[]
  readonly changes: readonly Change[]
  /** Milliseconds until one of these targets is to be looked at; infinite: none is. */
  readonly nextIn: number
}

interface Change {
  readonly tid: string
  /** Null: the row goes. */
  readonly nextAt: NextAt | null
}

export async function decideReady(context: Context, looked: readonly LookedAt[]): Promise<Decided> {
  const unknown = looked.filter((each) => !isDecided(each))
  const left = unknown.length === 0 ? [] : await readLeft(context, unknown)
  const leftOf = new Map(unknown.map((each, index) => [each, left[index]]))
  const after = looked.map((each) => readyAfterLook(lookOf(each, leftOf.get(each) ?? null)))
  const waits = after.flatMap((nextAt, index) =>
    nextAt === null ? [] : [Math.max(0, looksFrom(nextAt) - (looked[index]?.now ?? 0))],
  )
  const changes = looked.flatMap(({ tid, nextAt }, index) => {
    const becomes = after[index] ?? null
    return becomes === nextAt ? [] : [{ tid, nextAt: becomes }]
  })
  return { looked, changes, nextIn: Math.min(...waits) }
}

/**
 * Nothing more has to be read to decide: it waits for its next turn. That it has become blocked since it was picked is
 * not looked for: whoever blocks it now moves its ready row after this claim's commit, because the row is locked.
 */
function isDecided({ isKnownDue, isRated, isProbe, nextAt }: LookedAt): boolean {
  return isKnownDue && !isRated && !isProbe && !isFresh(nextAt)
}

/** `left`: null where it is decided without. */
function lookOf(each: LookedAt, left: Left | null): Look {
  const { now: at, nextAt: standing, gave } = each
  if (left === null && isDecided(each)) {
    return { now: at, standing, gave, nextDueAt: at, dueCount: 0, lookBy: null, blockedUntil: 0 }
  }
  return {
    now: at,
    standing,
    gave,
    nextDueAt: earlier(left?.due_at ?? null, each.leaseEnd),
    dueCount: left?.due_count ?? 0,
    lookBy: lookByOf(each),
    blockedUntil: left?.blocked_until ?? 0,
  }
}

function earlier(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b)
}

/** What others publish at this moment is not to be seen yet, nor what lies behind the low-water mark. */
function lookByOf({ gave, now, start }: LookedAt): number | null {
  if (!gave) return start.wholeAt
  return Math.min(now + lookAgainMs, start.wholeAt ?? Number.POSITIVE_INFINITY)
}

interface Left {
  readonly due_at: number | null
  readonly due_count: number
  readonly blocked_until: number
}

/** One for each target, in their order. */
function readLeft(context: Context, looked: readonly LookedAt[]): Promise<readonly Left[]> {
  return run(context, leftStatement, {
    targets: looked.map(({ target }) => target),
    are_fresh: looked.map(({ nextAt }) => isFresh(nextAt)),
    are_rated: looked.map(({ isRated }) => isRated),
    from_due: looked.map(({ leftFrom }) => leftFrom.dueAt),
    from_id: looked.map(({ leftFrom }) => leftFrom.id),
    look_by: looked.map(lookByOf),
  })
}

const leftStatement = query<Left>()(
  'read_left',
  {
    targets: 'uuid[]',
    are_fresh: 'boolean[]',
    are_rated: 'boolean[]',
    from_due: 'bigint[]',
    from_id: 'uuid[]',
    look_by: 'bigint[]',
  },
  // live_deliveries_due per target, from its mark on; no further than needed: beyond stand leases that are over
  `select ${blockedUntil('o.target_id', 'o.is_rated')} as blocked_until, (
       select l.due_at from live_deliveries l
       where l.target_id = o.target_id and l.due_at is not null and l.state <> 'in_flight'
         and (l.due_at, l.id) > (o.from_due, o.from_id) and l.due_at <= coalesce(o.look_by, ${Number.MAX_SAFE_INTEGER})
       order by l.due_at, l.id limit 1) as due_at,
     case when not o.is_fresh then 0 else (
       select count(*) from (
         select from live_deliveries l where l.target_id = o.target_id and l.due_at <= ${now} and l.state <> 'in_flight'
           and (l.due_at, l.id) > (o.from_due, o.from_id)
         limit ${maxFreshBacklog + 1}) d)::integer end as due_count
   from unnest($targets, $are_fresh, $are_rated, $from_due, $from_id, $look_by) with ordinality
     as o (target_id, is_fresh, is_rated, from_due, from_id, look_by, turn)
   order by o.turn`,
)

/** Milliseconds until more becomes due, null when nothing is known to. Sends its statement at once. */
export async function writeReady(
  context: Context,
  { looked, changes, nextIn }: Decided,
): Promise<number | null> {
  // It is known that more is due now: there is no need to look at the other targets.
  const isDue = nextIn === 0
  if (isDue && changes.length === 0) return 0
  const [row] = await run(context, writeStatement, {
    tids: changes.map(({ tid }) => tid),
    next_at: changes.map(({ nextAt }) => nextAt),
    is_due: isDue,
    looked: looked.map(({ target }) => target),
  })
  const othersNextIn = row === undefined || row.next_in === null ? null : Math.max(0, row.next_in)
  const soonest = Math.min(nextIn, othersNextIn ?? Number.POSITIVE_INFINITY)
  return soonest === Number.POSITIVE_INFINITY ? null : soonest
}

const writeStatement = query<{ readonly next_in: number | null }>()(
  'write_ready',
  { tids: 'tid[]', next_at: 'bigint[]', is_due: 'boolean', looked: 'uuid[]' },
  // By tid: versions of the rows that an old snapshot keeps are many, and a search by target would walk over them.
  // ready_endpoints_next, from both ends of the fresh ones that are not to be looked at yet.
  `with after as materialized (
     ${rowsOf({ tid: 'tids', next_at: 'next_at' })}
   ), gone as (
     delete from ready_endpoints r using after a where r.ctid = a.tid and a.next_at is null
   ), moved as (
     update ready_endpoints r set next_at = a.next_at from after a
     where r.ctid = a.tid and a.next_at is not null
   )
   select case when $is_due then 0 else least(
     (select next_at from ready_endpoints where target_id <> all ($looked) and next_at >= -${now} order by next_at limit 1),
     (select -next_at from ready_endpoints where target_id <> all ($looked) and next_at < -${now} order by next_at desc limit 1)
   ) - ${now} end as next_in`,
)
