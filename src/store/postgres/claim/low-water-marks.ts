/**
 * Where the claims of a target begin. While somebody holds an old snapshot open (a backup, a standby, a forgotten
 * transaction), the index entries of deliveries that were claimed and finished stay at the front of
 * `live_deliveries_due`, and a claim from the beginning walks over all of them. So it begins behind what this node's
 * last claim of the target took.
 *
 * Something may land behind the mark: a publish that committed late, a row that was locked. A claim from the
 * beginning follows within a second; until then the target keeps its ready row.
 */
export interface Position {
  readonly dueAt: number
  readonly id: string
}

interface TargetMark {
  readonly from: Position
  /** Deliveries that this node's claims took of the target. */
  readonly taken: number
  /** By then a claim of the target reads from its first due delivery on, not from the mark. */
  readonly wholeAt: number
}

/** By target id; the target that was claimed longest ago is first. */
export type LowWaterMarks = Map<string, TargetMark>

export interface Start {
  readonly from: Position
  /** By then a claim of the target reads from its first due delivery on; null: this claim does. */
  readonly wholeAt: number | null
}

export const beginning: Position = { dueAt: -1, id: '00000000000000000000000000000000' }

const wholeEveryMs = 1000
/**
 * A mark is at least so old: what a publish or a release wrote is due from the moment of its statement on, and is
 * committed by then.
 */
const behindMs = 1000
/** Walking over so few costs less than the further look that a mark brings with it. */
const minTaken = 32
/** Targets in memory, about 200 bytes each. */
const maxTargets = 10_000

/** `now` and all other times are the database's. */
export function startOf(marks: LowWaterMarks, targetId: string, now: number): Start {
  const mark = marks.get(targetId)
  if (mark === undefined || mark.taken < minTaken) return { from: beginning, wholeAt: null }
  // Later than a whole interval: the database's clock was set back.
  const isDue = mark.wholeAt <= now || mark.wholeAt > now + wholeEveryMs
  return isDue ? { from: beginning, wholeAt: null } : { from: mark.from, wholeAt: mark.wholeAt }
}

interface Claimed {
  readonly targetId: string
  readonly start: Start
  /** The last delivery that it dealt with. */
  readonly passed: Position | null
  /** The first one that it saw and left as it was. */
  readonly left: Position | null
  readonly given: number
  readonly now: number
}

/** Where the next claim begins that need not begin at the beginning. */
export function moveMark(marks: LowWaterMarks, claimed: Claimed): Position {
  const { targetId, start, passed, left, given, now } = claimed
  const before = marks.get(targetId)
  const isAhead = passed !== null && (left === null || isLater(left, passed))
  const reached = isAhead ? passed : left === null && before !== undefined ? before.from : start.from
  const latest = { dueAt: now - behindMs, id: beginning.id }
  const from = isLater(reached, latest) ? latest : reached
  marks.delete(targetId)
  marks.set(targetId, {
    from,
    taken: (before?.taken ?? 0) + given,
    wholeAt: start.wholeAt ?? now + wholeEveryMs,
  })
  if (marks.size > maxTargets) marks.delete(marks.keys().next().value as string)
  return from
}

export function isLater(a: Position, b: Position): boolean {
  return a.dueAt > b.dueAt || (a.dueAt === b.dueAt && a.id > b.id)
}
