import { expect, test } from 'vitest'
import { createPostgresPace } from '../../src/store/postgres/connection/pace.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

test('claims and slices of an event for many are small beside publishes, and as large as can be without', async () => {
  const clock = createManualClock()
  const pace = createPostgresPace(clock)
  expect([pace.claims.begin(), pace.fanOutSlice]).toEqual([500, 100])
  pace.claims.end(500)
  expect(pace.claims.restMs()).toBe(0)
  pace.claims.notePublish(1)
  expect([pace.claims.begin(), pace.fanOutSlice]).toEqual([32, 10])
  pace.claims.end(32)
  expect(pace.claims.restMs()).toBe(10)
  await clock.advance(9)
  pace.claims.noteWaiting()
  expect(pace.fanOutSlice).toBe(10)
  await clock.advance(20)
  expect([pace.claims.begin(), pace.fanOutSlice]).toEqual([500, 100])
})

test('a claim takes twice what was published since the one before', () => {
  const { claims } = createPostgresPace(createManualClock())
  claims.notePublish(100)
  expect(claims.begin()).toBe(200)
  claims.notePublish(1000)
  expect(claims.begin()).toBe(500)
})
