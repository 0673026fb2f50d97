import { expect, test } from 'vitest'
import { Company } from '../../src/store/company.ts'
import { GroupCommit } from '../../src/store/sqlite/threads/group-commit.ts'
import type { Call, Tick, TickReply } from '../../src/store/sqlite/threads/tick.ts'
import { companyMs, WriterSchedule } from '../../src/store/sqlite/threads/writer-schedule.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { steadyTime } from './steady-time.ts'

/** A writer that answers each tick when it is told to. */
function aWriter({ gathers = false } = {}) {
  const clock = createManualClock()
  const schedule = new WriterSchedule(clock, gathers ? new Company(clock, companyMs) : null)
  const ticks: string[][] = []
  const answers: (() => void)[] = []
  const send = (tick: Tick): Promise<TickReply> => {
    ticks.push(tick.calls.map(({ name }) => name))
    const results = tick.calls.map(() => ({ ok: true as const, value: { deliveries: [] } }))
    const { promise, resolve } = Promise.withResolvers<TickReply>()
    answers.push(() => resolve({ results, bytes: null, commits: ticks.length, changes: 0 }))
    return promise
  }
  const answer = async (): Promise<void> => {
    answers.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    group: new GroupCommit({ time: steadyTime(clock.now), schedule, send }),
    schedule,
    ticks,
    answer,
    clock,
  }
}

function aPublish(deliveries: number): Call {
  const event = { payload: new Uint8Array(1), idempotency: null, deliveries: Array(deliveries).fill({}) }
  return { kind: 'write', name: 'publish', args: [[event]] }
}
const aClaim: Call = { kind: 'write', name: 'claim', args: [] }
function recordOf(count: number): Call {
  const outcome = { deliveryId: 'dlv', claimVersion: 1, next: { state: 'succeeded' }, disableEndpoint: null }
  const outcomes = Array(count).fill({ ...outcome, attempt: null, observation: null })
  return { kind: 'write', name: 'recordOutcomes', args: [outcomes] }
}
const outcomes = recordOf(33)
const aChange: Call = { kind: 'write', name: 'insertEndpoint', args: [] }

async function busyWriter() {
  const writer = aWriter()
  void writer.group.call(aClaim)
  await Promise.resolve()
  return writer
}

test('a few publishes pass the claims and outcomes that wait, for 30 ms', async () => {
  const { group, ticks, answer, clock } = await busyWriter()
  for (const call of [outcomes, aClaim, aPublish(1), aChange]) void group.call(call)
  await answer()
  await clock.advance(29)
  void group.call(aPublish(32))
  await answer()
  await clock.advance(1)
  void group.call(aPublish(1))
  await answer()
  expect(ticks).toEqual([
    ['claim'],
    ['publish', 'insertEndpoint'],
    ['publish'],
    ['recordOutcomes', 'claim', 'publish'],
  ])
  await answer()
})

test('many publishes share a tick with the claims and outcomes that wait', async () => {
  const { group, ticks, answer } = await busyWriter()
  for (const call of [outcomes, aClaim, aPublish(30), aPublish(3)]) void group.call(call)
  await answer()
  expect(ticks).toEqual([['claim'], ['recordOutcomes', 'claim', 'publish', 'publish']])
  await answer()
})

test('without publishes nothing waits for another tick', async () => {
  const { group, ticks, answer } = await busyWriter()
  for (const call of [outcomes, aClaim, aChange]) void group.call(call)
  await answer()
  expect(ticks).toEqual([['claim'], ['recordOutcomes', 'claim', 'insertEndpoint']])
  await answer()
})

test('publishes do not pass a few outcomes, which share their tick', async () => {
  const { group, ticks, answer } = await busyWriter()
  for (const call of [recordOf(32), aPublish(1)]) void group.call(call)
  await answer()
  expect(ticks).toEqual([['claim'], ['recordOutcomes', 'publish']])
  await answer()
})

test('outcomes that wait for company go with the next call, in the same tick', async () => {
  const { group, schedule, ticks, answer, clock } = aWriter({ gathers: true })
  const { company } = schedule.pace.outcomes
  company?.wait(() => void group.call(recordOf(1)))
  await clock.advance(19)
  void group.call(aPublish(1))
  await answer()
  await clock.advance(20)
  expect(ticks).toEqual([['publish', 'recordOutcomes']])
  await answer()
})

test('outcomes that nobody keeps company are written alone after 20 ms', async () => {
  const { group, schedule, ticks, answer, clock } = aWriter({ gathers: true })
  schedule.pace.outcomes.company?.wait(() => void group.call(recordOf(1)))
  await clock.advance(19)
  expect(ticks).toEqual([])
  await clock.advance(1)
  await answer()
  expect(ticks).toEqual([['recordOutcomes']])
})

test('sixteen publishes follow the tick that runs, without waiting for its end, and one tick at most', async () => {
  const { group, ticks, answer } = await busyWriter()
  for (let count = 0; count < 15; count++) void group.call(aPublish(1))
  await Promise.resolve()
  expect(ticks).toHaveLength(1)
  void group.call(aPublish(1))
  await Promise.resolve()
  expect(ticks).toEqual([['claim'], Array(16).fill('publish')])
  for (let count = 0; count < 16; count++) void group.call(aPublish(1))
  await Promise.resolve()
  expect(ticks).toHaveLength(2)
  await answer()
  expect(ticks).toHaveLength(3)
  await answer()
  await answer()
  await group.idle()
})

test('publishes do not follow a tick together with anything else that waits', async () => {
  const { group, ticks, answer } = await busyWriter()
  for (const call of [aClaim, aPublish(16)]) void group.call(call)
  await Promise.resolve()
  await Promise.resolve()
  expect(ticks).toEqual([['claim']])
  await answer()
  expect(ticks).toHaveLength(2)
  await answer()
  await answer()
})

test('a group is idle only when the tick that followed has been answered too', async () => {
  const { group, answer } = await busyWriter()
  void group.call(aPublish(16))
  await Promise.resolve()
  let isIdle = false
  void group.idle().then(() => (isIdle = true))
  await answer()
  expect(isIdle).toBe(false)
  await answer()
  expect(isIdle).toBe(true)
})
