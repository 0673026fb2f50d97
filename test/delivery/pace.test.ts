import { expect, test } from 'vitest'
import { Pace, SuccessRate } from '../../src/delivery/pace.ts'

/** Starts what may start, every 10 ms, and is answered well. */
function run(pace: Pace, from: number, to: number): number {
  let started = 0
  for (let now = from; now < to; now += 10) {
    for (; pace.room(now) > 0; started++) pace.take(now)
    pace.answered(now)
  }
  return started
}

test('what was taken before the first refusal is a guess: nine tenths of it, growing by half a second until the next', () => {
  const pace = new Pace()
  pace.refused(0, 2000, 40)
  expect([pace.room(1999), pace.room(2000)]).toEqual([0, 1])
  expect(run(pace, 2000, 3000)).toBeCloseTo(46, -1)
  expect(run(pace, 3000, 4000)).toBeGreaterThan(60)
})

test('the pace is nine tenths of what was taken, stays so for twenty seconds and then grows by five per cent a second', () => {
  const pace = new Pace()
  pace.refused(0, 1000, 100)
  pace.refused(2000, 2000, 100)
  pace.refused(2100, 1900, 0)
  run(pace, 4000, 5000)
  const measured = run(pace, 5000, 6000)
  expect(measured).toBeGreaterThan(75)
  expect(measured).toBeLessThanOrEqual(90)
  run(pace, 6000, 20_000)
  expect(run(pace, 20_000, 21_000)).toBeCloseTo(measured, -1)
  run(pace, 21_000, 30_000)
  expect(run(pace, 30_000, 31_000)).toBeGreaterThan(measured * 1.4)
  expect([pace.isOver(302_000), pace.isOver(302_100)]).toEqual([false, true])
})

test('a refusal that comes before much was sent lowers the pace by less than half', () => {
  const pace = new Pace()
  pace.refused(0, 1000, 100)
  pace.refused(1010, 1000, 1)
  run(pace, 2010, 3010)
  expect(run(pace, 3010, 4010)).toBeGreaterThan(40)
})

test('a pace that another node keeps is left alone until that node has been silent for five seconds', () => {
  const pace = new Pace()
  pace.leaveTo(0, 20)
  pace.leaveTo(1000, 30)
  expect([pace.keptHere, pace.room(5999), pace.roomSoon(5999)]).toEqual([null, 0, 0])
  expect(run(pace, 6000, 7000)).toBeGreaterThan(25)
  pace.refused(7000, 1000, 30)
  pace.keepHere()
  expect(pace.keptHere).toBeCloseTo(27, 0)
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
