import { expect, test } from 'vitest'
import { Pace, SuccessRate } from '../../src/delivery/pace.ts'

test('the pace is nine tenths of what was taken, stays so for ten seconds and then grows by five per cent a second', () => {
  const pace = new Pace()
  pace.refused(0, 2000, 100)
  expect([pace.room(1999), pace.room(2000)]).toEqual([0, 1])
  /** Starts what may start, every 100 ms. */
  const run = (from: number, to: number): number => {
    let started = 0
    for (let now = from; now < to; now += 100) {
      for (; pace.room(now) > 0; started++) pace.take(now)
      pace.answered(now)
    }
    return started
  }
  // The first second begins with one, and the others follow by the pace.
  expect(run(2000, 3000)).toBe(82)
  run(3000, 10_000)
  expect(run(10_000, 11_000)).toBeCloseTo(90, -1)
  run(11_000, 20_000)
  expect(run(20_000, 21_000)).toBeGreaterThan(130)
  pace.refused(21_000, 1000, 130)
  pace.refused(21_100, 1000, 0)
  run(22_100, 23_100)
  expect(run(23_100, 24_100)).toBeCloseTo(117, -1)
  expect([pace.isOver(321_000), pace.isOver(321_100)]).toEqual([false, true])
})

test('an endpoint that took nothing before it refused is asked once in two seconds', () => {
  const pace = new Pace()
  pace.refused(0, 1000, 0)
  pace.take(1000)
  expect([pace.room(2900), pace.room(3000)]).toEqual([0, 1])
})

test('the rate of answers is that of the last second', () => {
  const rate = new SuccessRate()
  for (let now = 0; now < 1000; now += 100) rate.add(now)
  expect(rate.perSecond(999)).toBeCloseTo(10, 0)
  expect(rate.perSecond(1500)).toBeCloseTo(5, 0)
  expect(rate.perSecond(5000)).toBe(0)
})
