/** Retention: the port says what `removeExpired` does. */
import { agedNow, nextSkipAfter } from '../../../core/time-line.ts'
import type { RemovedRows, Retention } from '../../port.ts'
import {
  agedRanges,
  countedAs,
  deadLettersEndedBy,
  keptMs,
  nothingRemoved,
  type RetentionClass,
  RetentionTurns,
  type RetentionWalk,
  retentionClasses,
  retentionWalks,
  startOverEveryMs,
} from '../../retention.ts'
import { keyAt, startOfMillisecond, timeAt } from '../rows/key-space.ts'
import type { WriteContext } from '../threads/write-context.ts'
import { removeEndedJobs } from './ended-jobs.ts'
import { type Position, start, walks } from './retention-walks.ts'

/**
 * Where each walk goes on. In memory: a process that starts looks at everything once more, and rows of a call that was
 * undone are left to the next pass.
 */
type WalkPositions = Map<RetentionWalk, { readonly at: Position; readonly startedAt: number }>

export interface RetentionMemory {
  readonly turns: RetentionTurns
  /** By the key of their class; empty of those who have the server's. */
  readonly positions: Map<string, WalkPositions>
}

export function newRetentionMemory(): RetentionMemory {
  return { turns: new RetentionTurns(), positions: new Map() }
}

export function removeExpired(
  context: WriteContext,
  { retention, limit }: { readonly retention: Retention; readonly limit: number },
  { turns, positions }: RetentionMemory,
): { readonly removed: RemovedRows; readonly more: boolean } {
  if (context.line.unprovenSince !== null) return { removed: nothingRemoved, more: false }
  const classes = retentionClasses(retention, ownRetentions(context))
  const mine = turns.next(classes)
  const kept = positions.get(mine.key ?? '') ?? new Map()
  positions.set(mine.key ?? '', kept)
  const { removed, more } = walkClass(context, { ...mine, limit, isOnly: classes.length === 1 }, kept)
  const jobs = removeEndedJobs(context, agedRanges(context.line, retention.jobsMs, context.now), limit)
  return { removed: { ...removed, jobs }, more: turns.isOpen(classes, more || jobs === limit) }
}

function ownRetentions(context: WriteContext): readonly string[] {
  const rows = context
    .prepare<{ readonly retention: string }>(
      // tenants_retention
      'select distinct retention from tenants where retention is not null',
    )
    .all()
  return rows.map(({ retention }) => retention)
}

interface ClassWalk extends RetentionClass {
  readonly limit: number
  /** There are no other classes. */
  readonly isOnly: boolean
}

function walkClass(
  context: WriteContext,
  { key, retention, limit, isOnly }: ClassWalk,
  positions: WalkPositions,
): { readonly removed: RemovedRows; readonly more: boolean } {
  const { now, line } = context
  const isMine = (column: string) =>
    isOnly
      ? '? is null'
      : // primary keys
        `(select t.retention from names n join tenants t on t.id = n.id where n.n = ${column}) is ?`
  const removed: { -readonly [Name in keyof RemovedRows]: number } = { ...nothingRemoved }
  let more = false
  let deliveriesEnd = start.key
  for (const walk of retentionWalks) {
    const ageMs = keptMs(walk, retention)
    if (ageMs === 0) continue
    const { at, startedAt } = positions.get(walk) ?? { at: start, startedAt: now }
    const next = timeAt(at.key + 1)
    const aged = agedNow(line, next, now)
    const skip = keyAt(nextSkipAfter(line, next))
    const end = Math.min(keyAt(aged - ageMs + 1), skip)
    const before = walk === 'events' ? Math.min(deliveriesEnd, end) : end
    const walked = walks[walk](context, {
      isMine,
      key,
      after: at,
      before,
      endedBy: aged - ageMs,
      deadLettersEndedBy: deadLettersEndedBy(retention, aged),
      limit,
    })
    removed[countedAs(walk)] += walked.removed
    if (walk === 'deliveries') deliveriesEnd = walked.isAtEnd ? before : startOfMillisecond(walked.last.key)
    if (walked.isAtEnd && before === end && skip <= keyAt(now)) {
      // What comes behind it has another age.
      positions.set(walk, { at: { key: skip - 1, version: 0 }, startedAt })
      more = true
      continue
    }
    const startsOver = walked.isAtEnd && now - startedAt >= startOverEveryMs
    positions.set(walk, startsOver ? { at: start, startedAt: now } : { at: walked.last, startedAt })
    more ||= startsOver || !walked.isAtEnd
  }
  return { removed, more }
}
