import { expect, onTestFinished, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { createIdFactory } from '../../src/core/ids.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { fanOutSlices } from '../../src/engine/fan-out-slices.ts'
import { WorkLoop } from '../../src/engine/work-loop.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

/** On a store that has so many deliveries to make, ten a slice, and takes 5 ms for each slice. */
function aRunner({ left = 0, lookEveryMs = null as number | null } = {}) {
  const clock = createManualClock()
  const state = {
    left,
    slices: [] as number[],
    wakes: 0,
    warnings: 0,
    fault: null as Error | null,
    isElsewhere: false,
  }
  const slices = fanOutSlices({
    store: {
      pace: { fanOutSlice: 10 },
      async fanOutSlice(ids) {
        state.slices.push(clock.elapsed())
        await new Promise<void>((resolve) => void clock.schedule(5, resolve))
        if (state.fault !== null) throw state.fault
        if (state.isElsewhere) return { made: 0, more: true }
        const made = Math.min(state.left, new Set(ids).size)
        state.left -= made
        return { made, more: state.left > 0 }
      },
    },
    ids: createIdFactory(clock.now),
    lookEveryMs,
    onDueWork: () => state.wakes++,
  })
  const logger = { ...silentLogger, warn: () => state.warnings++ }
  const runner = new WorkLoop(slices, { clock, logger })
  onTestFinished(async () => {
    state.fault = null
    await Promise.all([runner.stop(), clock.advance(5)])
  })
  const startedAt = clock.elapsed()
  const times = () => state.slices.map((at) => at - startedAt)
  return { runner, state, clock, times }
}

test('goes on at its start with what an earlier process left, and rests as long as each slice took', async () => {
  const { runner, state, clock, times } = aRunner({ left: 25 })
  runner.start()
  await clock.advance(100)
  expect(times()).toEqual([0, 10, 20])
  expect(state).toMatchObject({ left: 0, wakes: 3 })
})

test('looks no more once there is nothing left, until an event for many is published', async () => {
  const { runner, state, clock, times } = aRunner()
  runner.start()
  await clock.advance(60_000)
  expect(times()).toEqual([0])
  expect(state.wakes).toBe(0)
  state.left = 5
  runner.wake()
  await clock.advance(60_000)
  expect(times()).toEqual([0, 60_000])
  expect(state).toMatchObject({ left: 0, wakes: 1 })
})

test('looks once more when it is woken while a slice is under way, which may have looked before', async () => {
  const { runner, clock, times } = aRunner()
  runner.start()
  await clock.advance(1)
  runner.wake()
  await clock.advance(60_000)
  expect(times()).toEqual([0, 10])
})

test('looks once in a while where another process may leave an event half fanned out', async () => {
  const { runner, state, clock, times } = aRunner({ lookEveryMs: 1000 })
  runner.start()
  await clock.advance(500)
  state.left = 5
  await clock.advance(600)
  expect(times()).toEqual([0, 1005])
  expect(state.left).toBe(0)
})

test('leaves to another process what that one is at', async () => {
  const { runner, state, clock, times } = aRunner({ left: 10, lookEveryMs: 1000 })
  state.isElsewhere = true
  runner.start()
  await clock.advance(1100)
  expect(times()).toEqual([0, 1005])
})

test('tries again after a fault of the store, and tells of it once', async () => {
  const { runner, state, clock } = aRunner({ left: 10 })
  state.fault = new OuthookError('store_unavailable', 'away')
  runner.start()
  await clock.advance(5000)
  expect(state.slices.length).toBeGreaterThan(3)
  expect(state).toMatchObject({ warnings: 1, left: 10 })
  state.fault = null
  await clock.advance(2000)
  expect(state.left).toBe(0)
})

test('lets its slice end at stop, makes no other, and is not to be woken', async () => {
  const { runner, state, clock } = aRunner({ left: 30 })
  runner.start()
  await clock.advance(1)
  let isStopped = false
  const stopped = runner.stop().then(() => (isStopped = true))
  await clock.advance(3)
  expect(isStopped).toBe(false)
  await clock.advance(1)
  await stopped
  runner.wake()
  await clock.advance(1000)
  expect(state.left).toBe(20)
})
