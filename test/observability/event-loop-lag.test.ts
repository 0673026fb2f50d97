import { expect, test } from 'vitest'
import { createSystemClock } from '../../src/core/clock.ts'
import { EventLoopLag } from '../../src/observability/event-loop-lag.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const sources = { counts: () => Promise.reject(new Error('none')), inFlight: () => 0 }

test('the lag of the event loop is how late a timer of half a second is, and wakes nobody in between', async () => {
  let scheduled = 0
  let now = 0
  let fire = () => {}
  const lag = new EventLoopLag({
    elapsed: () => now,
    schedule(delayMs, callback) {
      expect(delayMs).toBe(500)
      scheduled++
      fire = callback
      return () => {}
    },
  })
  for (const lateMs of [0, 10, 200]) {
    now += 500 + lateMs
    fire()
  }
  const { last, max, mean, p50, p99 } = lag.take()
  expect(scheduled).toBe(4)
  expect([last, max, mean, p50, p99].map((seconds) => Number(seconds.toFixed(2)))).toEqual([
    0.2, 0.2, 0.07, 0.01, 0.2,
  ])
  // Nothing came since: the last one stands for it.
  expect(lag.take().p99).toBeCloseTo(0.2, 2)
})

test('an event loop that is held up for 600 ms shows it in the metrics under the names that Node has for it', async () => {
  const lag = new EventLoopLag(createSystemClock())
  const metrics = createMetrics({ ...sources, eventLoopLag: lag })
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve))
    const text = await metrics.render()
    const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
    expect(value('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0.09)
    expect(value('nodejs_eventloop_lag_seconds')).toBeGreaterThan(0.09)
    for (const figure of ['min', 'max', 'mean', 'stddev', 'p50', 'p90']) {
      expect(value(`nodejs_eventloop_lag_${figure}_seconds`)).toBeGreaterThanOrEqual(0)
    }
  } finally {
    lag.stop()
  }
})

test('after it was stopped no timer is left', async () => {
  const clock = createManualClock()
  const lag = new EventLoopLag(clock)
  lag.stop()
  await clock.advance(10_000)
  expect(lag.take().last).toBe(0)
})
