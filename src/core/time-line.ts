/**
 * The time that a store goes by: a line that goes on evenly whatever the wall clock does, while running and between two
 * starts. All times in the store are moments of it, ids included. People are shown the calendar: a moment of the line
 * plus what the wall clock was ahead of it then.
 *
 * While a process runs, the line follows the monotonic clock, so a wall clock that jumps moves nothing but the offset.
 * A start goes on where the wall clock says, but never before the last moment that was seen: a wall clock that is behind
 * is a jump. One that is far ahead may be a jump or a long downtime, and nobody can tell. The line goes on as if it was a
 * downtime, so that nothing waits, and the step stays unproven until the clock has been steady for a while. Until then
 * nothing is removed for its age. If the wall clock comes back before, the time that the line skipped never passed, and
 * no age counts it.
 */
export interface TimeStep {
  /** The first moment of the line that it is about. */
  readonly from: number
  /** How far the wall clock is ahead of the line, milliseconds. */
  readonly offset: number
  /** Time that the line skipped just before and that did not pass, or may not have; no age counts it. */
  readonly skipped: number
}

export interface TimeLine {
  /** In the order of `from`; the first is from the beginning. Never empty. */
  readonly steps: readonly TimeStep[]
  /** Since when the wall clock has been steady after a step that is unproven; null: all are proven. */
  readonly unprovenSince: number | null
}

/** What a store keeps of its line. */
export interface SavedTime {
  readonly line: TimeLine
  /** No moment that was given out is later by more than `seenEveryMs`. */
  readonly seenAt: number
}

/** How often it is kept which moment was seen, beside other writes. */
export const seenEveryMs = 1000
/** Less is no jump. */
const driftMs = 500
/** A wall clock that has been steady for so long is believed. */
export const steadyMs = 3_600_000
/** What a start may skip without a doubt: no age that matters is shorter. */
export const plainDowntimeMs = 24 * 3_600_000
/** A clock that comes back within this has come back to what it was. */
const sameOffsetMs = 2000
/** Of a clock that jumps without end only the last steps are known. */
const maxSteps = 64

const firstStep: TimeStep = { from: 0, offset: 0, skipped: 0 }

export const newTimeLine: TimeLine = { steps: [firstStep], unprovenSince: null }

function lastStep({ steps }: TimeLine): TimeStep {
  return steps.at(-1) ?? firstStep
}

/** How far the wall clock is ahead of the line now. */
export function offsetOf(line: TimeLine): number {
  return lastStep(line).offset
}

/** Where a line goes on. */
export interface ResumedTime {
  readonly line: TimeLine
  readonly now: number
}

/** At a start, at this time of the wall clock. Null: the store is new. */
export function resumeTimeLine(saved: SavedTime | null, wall: number): ResumedTime {
  if (saved === null) return { line: newTimeLine, now: wall }
  const { line, seenAt } = saved
  const now = wall - offsetOf(line)
  if (now < seenAt - driftMs) {
    const goesOnAt = seenAt + seenEveryMs
    return { line: withJump(line, goesOnAt, wall - goesOnAt), now: goesOnAt }
  }
  if (now < seenAt) return { line, now: seenAt }
  if (now - seenAt <= plainDowntimeMs) return { line, now }
  return { line: withDowntime(line, now, now - seenAt), now }
}

/** What a start skips beyond what is plain. */
export function skippedBy({ line, now }: ResumedTime): number {
  const last = lastStep(line)
  return line.unprovenSince === now && last.from === now ? last.skipped : 0
}

/** The wall clock has jumped at the moment `now`, and is ahead of the line by `offset` from here on. */
export function withJump(line: TimeLine, now: number, offset: number): TimeLine {
  // Of a step that was never proven it is known now what the wall clock should have said.
  const step = line.unprovenSince === null ? { from: now, offset, skipped: 0 } : { ...lastStep(line), offset }
  const kept = line.unprovenSince === null ? line.steps : line.steps.slice(0, -1)
  const before = kept.at(-1)
  const isBack =
    before !== undefined && step.skipped === 0 && Math.abs(before.offset - offset) <= sameOffsetMs
  const steps = isBack ? [...kept.slice(0, -1), { ...before, offset }] : [...kept, step]
  return { steps: steps.slice(-maxSteps), unprovenSince: now }
}

function withDowntime(line: TimeLine, now: number, skipped: number): TimeLine {
  const last = lastStep(line)
  const steps =
    line.unprovenSince !== null && line.steps.length > 1
      ? [...line.steps.slice(0, -1), { ...last, from: now, skipped: last.skipped + skipped }]
      : [...line.steps, { from: now, offset: last.offset, skipped }]
  return { steps: steps.slice(-maxSteps), unprovenSince: now }
}

/** The line once the wall clock has been steady for long enough; the same one before. */
export function provenTimeLine(line: TimeLine, now: number): TimeLine {
  if (line.unprovenSince === null || now - line.unprovenSince < steadyMs) return line
  const last = lastStep(line)
  const before = line.steps.at(-2) ?? last
  // What the wall clock took back of the step did not pass.
  const skipped = Math.min(Math.max(0, before.offset - last.offset), last.skipped)
  return { steps: [...line.steps.slice(0, -1), { ...last, skipped }], unprovenSince: null }
}

/** What the wall clock said at a moment of the line, or will say. */
export function calendarOf({ steps }: TimeLine, moment: number): number {
  return moment + (steps.findLast(({ from }) => from <= moment) ?? steps[0] ?? firstStep).offset
}

/** The first moment of the line at which the wall clock said so or more. */
export function momentOf({ steps }: TimeLine, calendar: number): number {
  for (const [index, { offset }] of steps.entries()) {
    const moment = calendar - offset
    const next = steps[index + 1]
    if (next === undefined || moment < next.from)
      return index === 0 ? moment : Math.max(moment, steps[index]?.from ?? 0)
  }
  return calendar
}

/** What `now` is for whatever happened at a moment: time that the line skipped since then does not make it older. */
export function agedNow({ steps }: TimeLine, moment: number, now: number): number {
  return steps.reduce((aged, { from, skipped }) => (from > moment ? aged - skipped : aged), now)
}

/** The first moment after this one for which `agedNow` is another; infinite: there is none. */
export function nextSkipAfter({ steps }: TimeLine, moment: number): number {
  return steps.find(({ from, skipped }) => from > moment && skipped > 0)?.from ?? Number.POSITIVE_INFINITY
}
