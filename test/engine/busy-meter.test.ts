import { expect, test } from 'vitest'
import { BusyMeter } from '../../src/engine/busy-meter.ts'

function aMeter() {
  const times = { active: 0, idle: 0 }
  const meter = new BusyMeter(() => ({ ...times }))
  /** The share after each of so many steps. */
  const run = (steps: number, { active, idle }: { active: number; idle: number }): number[] =>
    Array.from({ length: steps }, () => {
      times.active += active
      times.idle += idle
      return meter.share()
    })
  return { meter, run }
}

test('nothing is known before any time has passed', () => {
  expect(aMeter().meter.share()).toBe(0)
})

test('a burst of 50 ms does not make a thread busy that waits for most of its time', () => {
  const { run } = aMeter()
  run(100, { active: 0.5, idle: 1.5 })
  expect(Math.max(...run(50, { active: 1, idle: 0 }))).toBeLessThan(0.65)
})

test('a thread that works without a pause is busy within a fifth of a second, and no longer so as soon after that', () => {
  const { run } = aMeter()
  run(1000, { active: 0, idle: 1 })
  const shares = run(200, { active: 1, idle: 0 })
  expect(shares.at(-1)).toBe(1)
  expect(shares[150]).toBeGreaterThan(0.5)
  expect(run(200, { active: 0, idle: 1 }).at(-1)).toBe(0)
})

test('two looks in a row give the same answer', () => {
  const { meter, run } = aMeter()
  const [share] = run(1, { active: 30, idle: 90 })
  expect(share).toBe(0.25)
  expect(meter.share()).toBe(0.25)
})
