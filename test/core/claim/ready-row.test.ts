import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  armed,
  freshFrom,
  held,
  isFresh,
  type Look,
  lookAgainMs,
  looksFrom,
  maxFreshBacklog,
  readyAfterLook,
  readyFor,
  waitingFrom,
} from '../../../src/core/claim/ready-row.ts'

const now = 1_800_000_000_000
const aLook = (given: Partial<Look>): Look => ({
  now,
  standing: waitingFrom(now - 5000),
  gave: true,
  nextDueAt: null,
  dueCount: 0,
  lookBy: null,
  blockedUntil: 0,
  ...given,
})

describe('a ready row', () => {
  it('is fresh for work that was just published, unless the target is blocked', () => {
    const arming = { now, dueAt: now, isNew: true, blockedUntil: 0 }
    expect(readyFor(arming)).toBe(freshFrom(now))
    expect(readyFor({ ...arming, blockedUntil: now + 500 })).toBe(waitingFrom(now + 500))
    expect(readyFor({ ...arming, isNew: false, dueAt: now - 9000 })).toBe(waitingFrom(now))
  })

  it('stays where it is early enough, and never comes later by being armed', () => {
    const times = fc.integer({ min: now - 10_000, max: now + 10_000 })
    const rows = times.chain((at) => fc.constantFrom(waitingFrom(at), freshFrom(at)))
    fc.assert(
      fc.property(rows, rows, (standing, wanted) => {
        const after = armed(standing, wanted, now)
        expect([standing, wanted]).toContain(after)
        expect(looksFrom(after)).toBeLessThanOrEqual(Math.max(now, looksFrom(standing)))
        expect(looksFrom(after)).toBeLessThanOrEqual(Math.max(now, looksFrom(wanted)))
        if (looksFrom(standing) <= now) expect(after).toBe(standing)
      }),
    )
    expect(armed(null, freshFrom(now), now)).toBe(freshFrom(now))
  })

  it('waits for the end of a pause, and is fresh no longer, unless it comes later anyway', () => {
    expect(held(freshFrom(now - 50), now + 500)).toBe(waitingFrom(now + 500))
    expect(held(waitingFrom(now), now + 500)).toBe(waitingFrom(now + 500))
    expect(held(waitingFrom(now + 900), now + 500)).toBe(waitingFrom(now + 900))
  })
})

describe('after a look the ready row', () => {
  it('goes when nothing is left', () => {
    expect(readyAfterLook(aLook({}))).toBeNull()
  })

  it('waits for another turn while work is due', () => {
    expect(readyAfterLook(aLook({ nextDueAt: now - 4000 }))).toBe(waitingFrom(now))
  })

  it('stays fresh while little is left, in the place that it has, and no longer', () => {
    const look = aLook({ standing: freshFrom(now - 50), nextDueAt: now - 50 })
    expect(readyAfterLook({ ...look, dueCount: maxFreshBacklog })).toBe(freshFrom(now - 50))
    expect(readyAfterLook({ ...look, dueCount: maxFreshBacklog + 1 })).toBe(waitingFrom(now))
  })

  it('waits for what comes later, or for the end of the block', () => {
    expect(readyAfterLook(aLook({ nextDueAt: now + 5000 }))).toBe(waitingFrom(now + 5000))
    expect(readyAfterLook(aLook({ nextDueAt: now - 5, blockedUntil: now + 700 }))).toBe(
      waitingFrom(now + 700),
    )
  })

  it('is fresh for what comes next when all was given', () => {
    expect(readyAfterLook(aLook({ nextDueAt: now + 40 }))).toBe(freshFrom(now + 40))
    const again = now + lookAgainMs
    expect(readyAfterLook(aLook({ nextDueAt: now + 5000, lookBy: again }))).toBe(freshFrom(again))
    expect(readyAfterLook(aLook({ gave: false, nextDueAt: now + 40 }))).toBe(waitingFrom(now + 40))
  })

  it('promises nothing sooner than there is something to do, in whatever state the target is', () => {
    const at = fc.integer({ min: now - 10_000, max: now + 10_000 })
    fc.assert(
      fc.property(
        fc.record({
          now: fc.constant(now),
          standing: fc
            .nat(10_000)
            .chain((age) => fc.constantFrom(waitingFrom(now - age), freshFrom(now - age))),
          gave: fc.boolean(),
          nextDueAt: fc.option(at),
          dueCount: fc.nat(40),
          lookBy: fc.option(at.map((time) => Math.max(now + 1, time))),
          blockedUntil: fc.oneof(fc.constant(0), at),
        }),
        (look) => {
          const after = readyAfterLook(look)
          const next = Math.min(look.nextDueAt ?? Infinity, look.lookBy ?? Infinity)
          if (after === null) {
            expect(next).toBe(Infinity)
            return
          }
          const isDue = look.nextDueAt !== null && look.nextDueAt <= now && look.blockedUntil <= now
          if (looksFrom(after) <= now) expect(isDue).toBe(true)
          else expect(looksFrom(after)).toBe(Math.max(now, next, look.blockedUntil))
          if (isFresh(after)) expect(look.blockedUntil).toBeLessThanOrEqual(now)
        },
      ),
    )
  })
})
