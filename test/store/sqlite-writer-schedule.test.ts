import { expect, test } from 'vitest'
import type { Call } from '../../src/store/sqlite/threads/tick.ts'
import { type Waiting, WriterSchedule } from '../../src/store/sqlite/threads/writer-schedule.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function aSchedule() {
  const clock = createManualClock()
  const schedule = new WriterSchedule(clock, null)
  const admit = (name: string, items: readonly unknown[] = []): Waiting =>
    schedule.admit({ kind: 'write', name, args: [items] } as Call)
  const publish = (deliveries: number): Waiting =>
    admit('publish', [{ payload: new Uint8Array(1), deliveries: Array(deliveries).fill({}) }])
  const outcomes = (count: number): Waiting => admit('recordOutcomes', Array(count).fill({}))
  /** The names of what is taken, and what is left. */
  const take = (queue: readonly Waiting[]): [string, readonly Waiting[]] => {
    const { taken, left } = schedule.take(queue)
    return [taken.map(({ call }) => call.name).join(' '), left]
  }
  return { clock, pace: schedule.pace, claims: schedule.pace.claims, admit, publish, outcomes, take }
}

test('claims are large and follow each other at once while nobody publishes', () => {
  const { claims } = aSchedule()
  expect(claims.begin()).toBe(128)
  claims.end(128)
  expect(claims.restMs()).toBe(0)
})

test('beside publishes claims are small and rest, but take twice what is published', async () => {
  const { clock, claims, publish } = aSchedule()
  publish(1)
  expect(claims.begin()).toBe(8)
  claims.end(8)
  expect(claims.restMs()).toBe(10)
  await clock.advance(9)
  publish(3)
  expect(claims.restMs()).toBe(1)
  await clock.advance(1)
  expect(claims.restMs()).toBe(0)
  expect(claims.begin()).toBe(8)
  publish(20)
  claims.end(8)
  expect(claims.restMs()).toBe(0)
  expect(claims.begin()).toBe(40)
  claims.end(40)
  expect(claims.restMs()).toBe(0)
  await clock.advance(20)
  expect(claims.begin()).toBe(128)
})

test('four deliveries that are published end a rest, and a claim that brought less has none', () => {
  const { claims, publish } = aSchedule()
  publish(1)
  claims.begin()
  claims.end(8)
  publish(3)
  expect(claims.restMs()).toBe(10)
  publish(1)
  expect(claims.restMs()).toBe(0)
  claims.begin()
  claims.end(7)
  publish(1)
  expect(claims.restMs()).toBe(0)
})

test('a slice of an event for many is small beside publishes', async () => {
  const { clock, pace, publish } = aSchedule()
  expect(pace.fanOutSlice).toBe(100)
  publish(1)
  expect(pace.fanOutSlice).toBe(25)
  await clock.advance(20)
  expect(pace.fanOutSlice).toBe(100)
})

test('publishes that have waited for the writer count as publishes of now', async () => {
  const { clock, pace, claims, publish, take } = aSchedule()
  const waiting = publish(1)
  await clock.advance(40)
  take([waiting])
  expect(pace.fanOutSlice).toBe(25)
  expect(claims.begin()).toBe(8)
})

test('also in the tick that takes them, which has no slice beside other bulk', async () => {
  const { clock, admit, publish, take } = aSchedule()
  const waiting = [admit('claim'), admit('fanOutSlice'), publish(1)]
  await clock.advance(30)
  expect(take(waiting)[0]).toBe('claim publish')
})

test.each(['fanOutSlice', 'runJobSlice', 'foldStats'])(
  'beside publishes %s has no other bulk beside it',
  (slice) => {
    const { admit, publish, outcomes, take } = aSchedule()
    const waiting = [admit(slice), admit('claim'), outcomes(33), publish(1)]
    const [first, left] = take(waiting)
    expect(first).toBe('publish')
    const [second, rest] = take(left)
    expect(second).toBe(slice)
    expect(take([...rest, admit(slice), outcomes(32)])[0]).toBe('claim recordOutcomes recordOutcomes')
  },
)

test('what has waited for 30 ms goes along with publishes, but a slice without other bulk', async () => {
  const { clock, admit, publish, take } = aSchedule()
  const waiting = [admit('claim'), admit('foldStats')]
  await clock.advance(29)
  const [first, left] = take([...waiting, publish(1)])
  expect(first).toBe('publish')
  await clock.advance(1)
  const [second, rest] = take([...left, publish(1)])
  expect(second).toBe('claim publish')
  expect(take([...rest, publish(1)])[0]).toBe('foldStats publish')
})

test('while nobody publishes all that waits shares a transaction', () => {
  const { admit, outcomes, take } = aSchedule()
  const waiting = [admit('fanOutSlice'), admit('claim'), outcomes(33), admit('foldStats')]
  expect(take(waiting)).toEqual(['fanOutSlice claim recordOutcomes foldStats', []])
})
