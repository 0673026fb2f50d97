import { expect, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import { Availability } from '../../src/store/postgres/connection/availability.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function anAvailability() {
  const clock = createManualClock()
  const probes: PromiseWithResolvers<void>[] = []
  let downs = 0
  const availability = new Availability({
    clock,
    logger: silentLogger,
    probe() {
      const probe = Promise.withResolvers<void>()
      probes.push(probe)
      return probe.promise
    },
    onDown: () => downs++,
  })
  const fail = async (error: unknown): Promise<void> => {
    probes.at(-1)?.reject(error)
    await clock.advance(0)
  }
  return { availability, clock, probes, fail, downs: () => downs }
}

const noAnswer = new Error('timeout expired')
const allTaken = Object.assign(new Error('too many clients'), { severity: 'FATAL', code: '53300' })
const starting = Object.assign(new Error('starting up'), { severity: 'FATAL', code: '57P03' })

test('however many are suspicious, one connection asks', () => {
  const { availability, probes } = anAvailability()
  availability.suspect()
  availability.suspect()
  expect(probes).toHaveLength(1)
})

test('a server that answers nobody is down, and is asked until it answers', async () => {
  const { availability, clock, probes, fail, downs } = anAvailability()
  availability.suspect()
  await fail(noAnswer)
  expect(() => availability.check()).toThrow(expect.objectContaining({ code: 'store_unavailable' }))
  await clock.advance(100)
  await fail(starting)
  await clock.advance(200)
  // It is there, and has no connection for us.
  await fail(allTaken)
  expect(availability.isDown).toBe(true)
  await clock.advance(400)
  probes.at(-1)?.resolve()
  await clock.advance(0)
  availability.check()
  expect([probes.length, downs(), clock.pendingTimers]).toEqual([4, 1, 0])
})

test('a server that lets nobody in but still serves is not given up', async () => {
  const { availability, fail, downs } = anAvailability()
  availability.suspect()
  availability.noteAnswer()
  await fail(noAnswer)
  availability.suspect()
  await fail(allTaken)
  availability.check()
  expect(downs()).toBe(0)
})

test('nothing is asked any more once it is stopped', async () => {
  const { availability, clock, probes, fail, downs } = anAvailability()
  availability.suspect()
  availability.stop()
  await fail(noAnswer)
  availability.suspect()
  await clock.advance(60_000)
  expect([probes.length, downs()]).toEqual([1, 0])
})
