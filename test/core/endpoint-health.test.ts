import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  breakerState,
  defaultBreakerPolicy,
  type HealthObservation,
  isFailingTooLong,
  isThrottled,
  nextHealth,
} from '../../src/core/endpoint-health.ts'
import type { EndpointHealth } from '../../src/core/model.ts'
import { newTimeLine } from '../../src/core/time-line.ts'

const policy = defaultBreakerPolicy
const second = 1000
const noAnswer = (startedAt: number): HealthObservation => ({
  contact: 'transport_failure',
  succeeded: false,
  throttleMs: null,
  startedAt,
})
const answer = (startedAt: number, throttleMs: number | null = null): HealthObservation => ({
  contact: 'reached',
  succeeded: false,
  startedAt,
  throttleMs,
})
const success = (startedAt: number): HealthObservation => ({
  contact: 'reached',
  succeeded: true,
  startedAt,
  throttleMs: null,
})

/** The health after `count` transport failures, one a second, the first ending at 1 s. */
function afterFailures(count: number, start: EndpointHealth | null = null): EndpointHealth | null {
  let health = start
  for (let n = 1; n <= count; n++) health = nextHealth(health, noAnswer((n - 1) * second), policy, n * second)
  return health
}

describe('the breaker', () => {
  it('stays closed for four transport failures and pauses for 30 s at the fifth', () => {
    expect(afterFailures(4)).toEqual({
      consecutiveFailures: 4,
      failingSince: second,
      pausedUntil: null,
      pauseMs: 0,
    })
    expect(afterFailures(5)).toEqual({
      consecutiveFailures: 5,
      failingSince: second,
      pausedUntil: 35 * second,
      pauseMs: 30 * second,
    })
  })

  it('counts failures in a row only: any answer begins anew', () => {
    const interrupted = nextHealth(afterFailures(4), answer(4 * second), policy, 5 * second)
    expect(interrupted).toEqual({
      consecutiveFailures: 0,
      failingSince: second,
      pausedUntil: null,
      pauseMs: 0,
    })
    expect(breakerState(afterFailures(4, interrupted), 9 * second)).toBe('closed')
  })

  it('goes from closed to paused to probe as time passes', () => {
    const health = afterFailures(5)
    expect(breakerState(null, 0)).toBe('closed')
    expect(breakerState(health, 34_999)).toBe('paused')
    expect(breakerState(health, 35_000)).toBe('probe')
  })

  it('ignores failures of attempts that began before the pause ended', () => {
    const paused = afterFailures(5)
    expect(nextHealth(paused, noAnswer(4 * second), policy, 6 * second)).toBe(paused)
    expect(nextHealth(paused, noAnswer(35 * second - 1), policy, 50 * second)).toBe(paused)
  })

  it('doubles the pause when the probe fails, up to an hour', () => {
    let health = afterFailures(5)
    const pauses: number[] = []
    for (let probe = 0; probe < 9; probe++) {
      const startedAt = health?.pausedUntil as number
      health = nextHealth(health, noAnswer(startedAt), policy, startedAt + 3 * second)
      expect(health?.pausedUntil).toBe(startedAt + 3 * second + (health?.pauseMs as number))
      pauses.push((health?.pauseMs as number) / second)
    }
    expect(pauses).toEqual([60, 120, 240, 480, 960, 1920, 3600, 3600, 3600])
  })

  it('doubles once for probes that went out together', () => {
    const first = nextHealth(afterFailures(5), noAnswer(35 * second), policy, 38 * second)
    expect(nextHealth(first, noAnswer(35 * second), policy, 39 * second)).toBe(first)
  })

  it('closes and begins again with 30 s after any answer', () => {
    const twice = nextHealth(afterFailures(5), noAnswer(35 * second), policy, 38 * second)
    const closed = nextHealth(twice, answer(98 * second), policy, 99 * second)
    expect(closed).toEqual({ consecutiveFailures: 0, failingSince: second, pausedUntil: null, pauseMs: 0 })
    expect(afterFailures(5, closed)?.pauseMs).toBe(30 * second)
  })

  it('closes on a late success of an attempt from before the pause', () => {
    expect(nextHealth(afterFailures(5), success(0), policy, 10 * second)).toBeNull()
  })

  it('never pauses with threshold 0', () => {
    const off = { ...policy, failureThreshold: 0 }
    const first = nextHealth(null, noAnswer(0), off, 1)
    expect(first).toEqual({ consecutiveFailures: 0, failingSince: 1, pausedUntil: null, pauseMs: 0 })
    expect(nextHealth(first, noAnswer(2), off, 3)).toBe(first)
  })

  it('ends a pause that was running when it was switched off', () => {
    const off = { ...policy, failureThreshold: 0 }
    expect(nextHealth(afterFailures(5), noAnswer(0), off, 6 * second)?.pausedUntil).toBeNull()
  })

  it('keeps to its rules over any run of attempts', () => {
    const kinds = fc.constantFrom<HealthObservation['contact'] | 'success'>(
      'reached',
      'transport_failure',
      'none',
      'success',
    )
    const steps = fc.array(fc.tuple(kinds, fc.nat(60_000), fc.nat(15_000)), { maxLength: 60 })
    fc.assert(
      fc.property(steps, (run) => {
        let health: EndpointHealth | null = null
        let now = 0
        for (const [kind, gap, duration] of run) {
          now += gap
          const contact = kind === 'success' ? 'reached' : kind
          const observation = {
            contact,
            succeeded: kind === 'success',
            startedAt: Math.max(0, now - duration),
            throttleMs: null,
          }
          const before: EndpointHealth | null = health
          health = nextHealth(before, observation, policy, now)
          if (kind === 'success') expect(health).toBeNull()
          if (kind === 'reached') expect(health).toMatchObject({ consecutiveFailures: 0, pausedUntil: null })
          if (kind === 'none') expect(health).toBe(before)
          if (before?.failingSince != null && health !== null)
            expect(health.failingSince).toBe(before.failingSince)
          const paused = health?.pausedUntil != null
          expect(paused).toBe((health?.pauseMs ?? 0) > 0)
          if (paused) expect(health?.consecutiveFailures).toBeGreaterThanOrEqual(5)
          expect(health?.pauseMs ?? 0).toBeLessThanOrEqual(policy.maxPauseMs)
        }
      }),
    )
  })
})

describe('rows of health', () => {
  it('are not needed by an endpoint that only succeeds', () => {
    expect(nextHealth(null, success(0), policy, 1)).toBeNull()
  })

  it('do not change while answers go on failing, so nothing is written', () => {
    const first = nextHealth(null, answer(0), policy, 1)
    expect(first?.failingSince).toBe(1)
    expect(nextHealth(first, answer(2), policy, 3)).toBe(first)
  })

  it('are left alone by attempts that made no request', () => {
    const nothing: HealthObservation = { contact: 'none', succeeded: false, startedAt: 0, throttleMs: null }
    expect(nextHealth(null, nothing, policy, 1)).toBeNull()
    const paused = afterFailures(5)
    expect(nextHealth(paused, { ...nothing, startedAt: 99 * second }, policy, 99 * second)).toBe(paused)
  })
})

describe('isFailingTooLong', () => {
  const fiveDays = 5 * 86_400_000
  const at = (now: number) => ({ line: newTimeLine, now })

  it('holds after five days without a success', () => {
    const health = nextHealth(null, answer(0), policy, 1000)
    expect(isFailingTooLong(health, policy, at(1000 + fiveDays - 1))).toBe(false)
    expect(isFailingTooLong(health, policy, at(1000 + fiveDays))).toBe(true)
  })

  it('never holds for a healthy endpoint, or when switched off', () => {
    expect(isFailingTooLong(null, policy, at(fiveDays * 2))).toBe(false)
    const health = nextHealth(null, answer(0), policy, 1000)
    expect(isFailingTooLong(health, { ...policy, disableAfterMs: 0 }, at(fiveDays * 9))).toBe(false)
  })
})

describe('an endpoint that asks for less', () => {
  const throttled = nextHealth(null, answer(0, 2000), defaultBreakerPolicy, 100)

  it('is paused until then, and no failure is counted', () => {
    expect(throttled).toEqual({ consecutiveFailures: 0, failingSince: 100, pausedUntil: 2100, pauseMs: 0 })
    expect(isThrottled(throttled)).toBe(true)
    expect(breakerState(throttled, 2099)).toBe('paused')
    expect(breakerState(throttled, 2100)).toBe('probe')
  })

  it('is not written again for each refusal of requests that were under way together', () => {
    expect(nextHealth(throttled, answer(0, 2000), defaultBreakerPolicy, 300)).toBe(throttled)
    expect(nextHealth(throttled, answer(0, 2000), defaultBreakerPolicy, 900)?.pausedUntil).toBe(2900)
  })

  it('stays paused whatever comes of requests that began before', () => {
    for (const early of [success(50), answer(50), noAnswer(50)])
      expect(nextHealth(throttled, early, defaultBreakerPolicy, 500)).toBe(throttled)
  })

  it('is healthy once the probe succeeded, and counts its failures from the first', () => {
    expect(nextHealth(throttled, success(2100), defaultBreakerPolicy, 2200)).toBeNull()
    expect(nextHealth(throttled, noAnswer(2100), defaultBreakerPolicy, 2200)).toMatchObject({
      consecutiveFailures: 1,
      pausedUntil: null,
    })
  })
})
