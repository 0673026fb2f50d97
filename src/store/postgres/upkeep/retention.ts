/** Retention: the port says what `removeExpired` does. One statement for each table, in one transaction. */
import { idPrefixes, smallestIdAt } from '../../../core/ids.ts'
import { agedNow, nextSkipAfter } from '../../../core/time-line.ts'
import type { RemovedRows, Retention } from '../../port.ts'
import {
  agedRanges,
  countedAs,
  deadLettersEndedBy,
  keptMs,
  nothingRemoved,
  type RetentionClass,
  type RetentionTurns,
  type RetentionWalk,
  retentionClasses,
  retentionWalks,
  startOverEveryMs,
} from '../../retention.ts'
import { type Context, command, now, query, run } from '../connection/statement.ts'
import { uuid, uuidOfId } from '../rows/wire-types.ts'
import { removeEndedJobs } from './ended-jobs.ts'
import { isMine } from './maintenance.ts'
import { type Slice, type WalkedRow, walks } from './retention-walks.ts'

/**
 * Which fraction of the way to its end each walk looks at in one statement, besides its limit of rows. Rows that were
 * deleted and are not vacuumed yet cost time and count for no limit: while a backup holds its snapshot, many millions.
 */
export type WalkFractions = Map<RetentionWalk, number>

const largestFraction = 0.5
const smallestFraction = 1e-6
const smallestSpanMs = 60_000
/** A quicker statement doubles the next fraction, a slower one halves it. */
const quickMs = 50
const slowMs = 200

/** Where a walk goes on, the same for all nodes: the last row's id, and in `attempts` its claim version. */
interface Position {
  readonly id: string
  readonly version: number
  readonly startedAt: number
}

type Positions = { [Walk in RetentionWalk]?: Position }

const lowest = '00000000000000000000000000000000'

export interface RetentionMemory {
  readonly turns: RetentionTurns
  readonly fractions: WalkFractions
}

export async function removeExpired(
  context: Context,
  { retention, limit }: { readonly retention: Retention; readonly limit: number },
  { turns, fractions }: RetentionMemory,
): Promise<{ readonly removed: RemovedRows; readonly more: boolean }> {
  if (context.line.unprovenSince !== null) return { removed: nothingRemoved, more: false }
  if (!(await isMine(context, 'retention'))) return { removed: nothingRemoved, more: false }
  const own = await run(context, ownRetentionsStatement, {})
  const classes = retentionClasses(
    retention,
    own.map((row) => row.retention),
  )
  const { removed, more } = await walkClass(context, { ...turns.next(classes), limit }, fractions)
  const jobs = await removeEndedJobs(
    context,
    agedRanges(context.line, retention.jobsMs, context.moment),
    limit,
  )
  return { removed: { ...removed, jobs }, more: turns.isOpen(classes, more || jobs === limit) }
}

const ownRetentionsStatement = query<{ readonly retention: string }>()(
  'own_retentions',
  {},
  // tenants_retention
  'select distinct retention from tenants where retention is not null',
)

async function walkClass(
  context: Context,
  { key, retention, limit }: RetentionClass & { readonly limit: number },
  fractions: WalkFractions,
): Promise<{ readonly removed: RemovedRows; readonly more: boolean }> {
  const { line } = context
  const name = positionsName(key)
  const facts = await readFacts(context, name)
  const positions: Positions = { ...facts.positions }
  const removed: { -readonly [Name in keyof RemovedRows]: number } = { ...nothingRemoved }
  let more = false
  let deliveriesEndMs = 0
  for (const walk of retentionWalks) {
    const ageMs = keptMs(walk, retention)
    if (ageMs === 0) continue
    const after = positions[walk] ?? startAt(facts.now)
    // Of a transaction that is still open, rows may yet appear behind the walk.
    const now = agedNow(line, timeOf(after.id), facts.now)
    const skipMs = nextSkipAfter(line, timeOf(after.id))
    const oldEnoughMs = Math.min(now - Math.max(ageMs, facts.oldestTransactionMs) + 1, skipMs)
    const endMs = walk === 'events' ? Math.min(oldEnoughMs, deliveriesEndMs) : oldEnoughMs
    const leftMs = Math.max(0, endMs - timeOf(after.id))
    const fraction = fractions.get(walk) ?? largestFraction
    const beforeMs = timeOf(after.id) + Math.min(leftMs, Math.max(leftMs * fraction, smallestSpanMs))
    const slice: Slice = {
      after: after.id,
      after_version: after.version,
      before: uuidOfId(smallestIdAt(idPrefixes.event, beforeMs)),
      ended_by: now - ageMs,
      dead_ended_by: deadLettersEndedBy(retention, now),
      class: key,
    }
    const [walked] = await walks[walk](context, slice, limit)
    if (walked === undefined) continue
    removed[countedAs(walk)] += walked.removed
    if (walked.took_ms < quickMs) fractions.set(walk, Math.min(fraction * 2, largestFraction))
    if (walked.took_ms > slowMs) fractions.set(walk, Math.max(fraction / 2, smallestFraction))
    const isAtEnd = walked.looked < limit && beforeMs >= endMs
    if (isAtEnd && endMs === oldEnoughMs && skipMs <= facts.now) {
      // What comes behind it has another age.
      positions[walk] = {
        id: uuidOfId(smallestIdAt(idPrefixes.event, skipMs)),
        version: 0,
        startedAt: after.startedAt,
      }
      if (walk === 'deliveries') deliveriesEndMs = endMs
      more = true
      continue
    }
    const startsOver = isAtEnd && facts.now - after.startedAt >= startOverEveryMs
    const reached = advance({ after, before: slice.before, limit }, walked)
    if (walk === 'deliveries') deliveriesEndMs = isAtEnd ? endMs : timeOf(reached.id)
    positions[walk] = startsOver ? startAt(facts.now) : reached
    more ||= startsOver || !isAtEnd
  }
  await run(context, keepStatement, { name, positions: JSON.stringify(positions) })
  return { removed, more }
}

/** In `meta`. */
function positionsName(key: string | null): string {
  return key === null ? 'retention' : `retention ${key}`
}

/** A tenant may be of another class now, whose walks have passed its rows. */
export const forgetPositionsStatement = command(
  'forget_positions',
  {},
  `delete from meta where name = 'retention' or name like 'retention [%'`,
)

const keepStatement = command(
  'keep_positions',
  { name: 'text', positions: 'text' },
  `insert into meta (name, value) values ($name, $positions)
   on conflict (name) do update set value = excluded.value`,
)

/** After a failure: it may have been a statement that took longer than it may. */
export function shrinkFractions(fractions: WalkFractions): void {
  for (const walk of retentionWalks) {
    fractions.set(walk, Math.max((fractions.get(walk) ?? largestFraction) / 8, smallestFraction))
  }
}

function startAt(startedAt: number): Position {
  return { id: lowest, version: 0, startedAt }
}

/** Behind the last row, or behind the whole span when it had fewer rows than the limit. */
function advance(
  { after, before, limit }: { readonly after: Position; readonly before: string; readonly limit: number },
  walked: WalkedRow,
): Position {
  const { startedAt } = after
  if (walked.looked === limit && walked.last_id !== null) {
    return { id: uuid(walked.last_id), version: walked.last_version ?? 0, startedAt }
  }
  return before > after.id ? { id: before, version: 0, startedAt } : after
}

/** The millisecond of an id in hexadecimal. */
function timeOf(id: string): number {
  return Number.parseInt(id.slice(0, 12), 16)
}

interface Facts {
  readonly now: number
  /** Age of the oldest transaction that is open in this database, as far as this role may see them. */
  readonly oldestTransactionMs: number
  readonly positions: Positions
}

async function readFacts(context: Context, name: string): Promise<Facts> {
  const [row] = await run(context, factsStatement, { name })
  return {
    now: row?.now ?? 0,
    oldestTransactionMs: row?.oldest_ms ?? 0,
    positions: row?.positions == null ? {} : (JSON.parse(row.positions) as Positions),
  }
}

interface FactsRow {
  readonly now: number
  readonly oldest_ms: number
  readonly positions: string | null
}

const factsStatement = query<FactsRow>()(
  'retention_facts',
  { name: 'text' },
  // The setting lasts for the transaction. Where statistics are out of date, or there are none, the planner takes a
  // span for smaller than the limit, and would read and sort all of it for each slice.
  `select set_config('enable_bitmapscan', 'off', true), ${now} as now,
     (select value from meta where name = $name) as positions,
     coalesce((select (extract(epoch from statement_timestamp() - min(started)) * 1000)::bigint from (
       select xact_start as started from pg_stat_activity
       where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
       union all select prepared from pg_prepared_xacts where database = current_database()) t), 0) as oldest_ms`,
)
