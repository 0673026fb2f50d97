import { expect, test } from 'vitest'
import type { Call } from '../../src/store/sqlite/threads/tick.ts'
import { WriterSchedule } from '../../src/store/sqlite/threads/writer-schedule.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function aSchedule() {
  const clock = createManualClock()
  const schedule = new WriterSchedule(clock, null)
  const publish = (deliveries: number): void => {
    const event = { payload: new Uint8Array(1), deliveries: Array(deliveries).fill({}) }
    schedule.admit({ kind: 'write', name: 'publish', args: [[event]] } as Call)
  }
  return { clock, claims: schedule.pace.claims, publish }
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
