import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  agedNow,
  calendarOf,
  momentOf,
  newTimeLine,
  offsetOf,
  provenTimeLine,
  resumeTimeLine,
  steadyMs,
  type TimeLine,
  withJump,
} from '../../src/core/time-line.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const startAt = Date.UTC(2030, 0, 1)

test('a new store goes by the wall clock', () => {
  const { line, now } = resumeTimeLine(null, startAt)
  expect(now).toBe(startAt)
  expect(calendarOf(line, now)).toBe(startAt)
})

test('a clock that comes back leaves no trace', () => {
  const away = withJump(newTimeLine, startAt, hourMs)
  const back = withJump(away, startAt + 5000, 3)
  expect(back.steps).toHaveLength(1)
  expect(calendarOf(back, startAt + 1000)).toBe(startAt + 1003)
})

test('a clock that stays where it jumped to keeps the times of before as they were', () => {
  const jumped = provenTimeLine(withJump(newTimeLine, startAt, hourMs), startAt + steadyMs)
  expect(jumped.unprovenSince).toBeNull()
  expect(calendarOf(jumped, startAt - 1)).toBe(startAt - 1)
  expect(calendarOf(jumped, startAt + 1)).toBe(startAt + 1 + hourMs)
})

test('a start without a clock (1970) that is set right later shows what came in between at the right time', () => {
  const saved = { line: newTimeLine, seenAt: startAt }
  const started = resumeTimeLine(saved, 0)
  expect(started.now).toBeGreaterThanOrEqual(startAt)
  // Eight hours of night later by the right time.
  const right = withJump(started.line, started.now + 30_000, 8 * hourMs)
  expect(calendarOf(right, started.now + 10_000)).toBe(started.now + 10_000 + 8 * hourMs)
  expect(calendarOf(right, startAt - 1)).toBe(startAt - 1)
})

test('a downtime of less than a day is proven, a longer one is not before an hour, and then counts', () => {
  const saved = { line: newTimeLine, seenAt: startAt }
  expect(resumeTimeLine(saved, startAt + dayMs).line).toBe(newTimeLine)
  const { line, now } = resumeTimeLine(saved, startAt + 3 * dayMs)
  expect(now).toBe(startAt + 3 * dayMs)
  expect(line.unprovenSince).toBe(now)
  expect(agedNow(line, startAt, now)).toBe(startAt)
  expect(provenTimeLine(line, now + steadyMs - 1)).toBe(line)
  const proven = provenTimeLine(line, now + steadyMs)
  expect(agedNow(proven, startAt, now)).toBe(now)
})

test('what a false start skipped is never counted in an age, however long ago', () => {
  const started = resumeTimeLine({ line: newTimeLine, seenAt: startAt }, startAt + 100 * dayMs)
  const back = withJump(started.line, started.now + 75_000, -100 * dayMs)
  const proven = provenTimeLine(back, started.now + 75_000 + steadyMs)
  const later = started.now + 10 * dayMs
  expect(agedNow(proven, startAt, later) - startAt).toBe(10 * dayMs)
  expect(agedNow(proven, started.now, later)).toBe(later)
})

test('whatever the clock does, the moment of a time is found again, and moments never go back', () => {
  const jump = fc.record({
    afterMs: fc.nat(10 * dayMs),
    byMs: fc.integer({ min: -400 * dayMs, max: 400 * dayMs }),
  })
  fc.assert(
    fc.property(fc.array(jump, { maxLength: 80 }), (jumps) => {
      let line: TimeLine = newTimeLine
      let now = startAt
      for (const { afterMs, byMs } of jumps) {
        now += afterMs
        line = provenTimeLine(line, now)
        line = withJump(line, now, offsetOf(line) + byMs)
        const resumed = resumeTimeLine({ line, seenAt: now }, now + offsetOf(line) + byMs)
        expect(resumed.now).toBeGreaterThanOrEqual(now)
        expect(calendarOf(line, momentOf(line, now + offsetOf(line)))).toBeGreaterThanOrEqual(
          now + offsetOf(line),
        )
        expect(momentOf(line, now + offsetOf(line))).toBeLessThanOrEqual(now)
        expect(line.steps.length).toBeLessThanOrEqual(64)
        expect(agedNow(line, startAt, now)).toBe(now)
      }
    }),
    { endOnFailure: true },
  )
})
