import { expect, test } from 'vitest'
import { createManualClock } from '../../src/testing/manual-clock.ts'

test('both scales move together and only when told to', async () => {
  const clock = createManualClock(1_000_000)
  const start = clock.elapsed()
  expect(clock.now()).toBe(1_000_000)
  await clock.advance(250)
  expect(clock.now()).toBe(1_000_250)
  expect(clock.elapsed() - start).toBe(250)
})

test('timers fire in order of their due time, and at that time', async () => {
  const clock = createManualClock(0)
  const fired: string[] = []
  clock.schedule(20, () => fired.push(`b${clock.now()}`))
  clock.schedule(10, () => fired.push(`a${clock.now()}`))
  clock.schedule(20, () => fired.push(`c${clock.now()}`))
  clock.schedule(31, () => fired.push('too late'))
  await clock.advance(30)
  expect(fired).toEqual(['a10', 'b20', 'c20'])
})

test('a timer that is due exactly at the end fires', async () => {
  const clock = createManualClock()
  let fired = 0
  clock.schedule(10, () => fired++)
  await clock.advance(9)
  expect(fired).toBe(0)
  await clock.advance(1)
  expect(fired).toBe(1)
  await clock.advance(100)
  expect(fired).toBe(1)
})

test('a cancelled timer does not fire', async () => {
  const clock = createManualClock()
  let fired = false
  const cancel = clock.schedule(10, () => {
    fired = true
  })
  cancel()
  await clock.advance(100)
  expect(fired).toBe(false)
  expect(clock.pendingTimers).toBe(0)
})

test('timers that a timer sets up, even after promises, fire within the same advance', async () => {
  const clock = createManualClock(0)
  const fired: number[] = []
  const again = async () => {
    await Promise.resolve()
    await Promise.resolve()
    fired.push(clock.now())
    if (fired.length < 4) clock.schedule(10, again)
  }
  clock.schedule(10, again)
  await clock.advance(35)
  expect(fired).toEqual([10, 20, 30])
})

test('overlapping advances add up', async () => {
  const clock = createManualClock(0)
  const fired: number[] = []
  clock.schedule(15, () => fired.push(clock.now()))
  await Promise.all([clock.advance(10), clock.advance(10)])
  expect(clock.now()).toBe(20)
  expect(fired).toEqual([15])
})

test('an error of a timer reaches the caller of advance', async () => {
  const clock = createManualClock()
  clock.schedule(1, () => {
    throw new Error('from the timer')
  })
  await expect(clock.advance(5)).rejects.toThrow('from the timer')
})

test('it does not go back', () => {
  expect(() => createManualClock().advance(-1)).toThrow(RangeError)
})
