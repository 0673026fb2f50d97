import { expect, test } from 'vitest'
import { GroupCommit } from '../../src/store/sqlite/threads/group-commit.ts'
import type { Call, Tick, TickReply } from '../../src/store/sqlite/threads/tick.ts'
import { WriterSchedule } from '../../src/store/sqlite/threads/writer-schedule.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

/** A writer that answers each tick when it is told to. */
function aWriter() {
  const clock = createManualClock()
  const ticks: string[][] = []
  const answers: (() => void)[] = []
  const send = (tick: Tick): Promise<TickReply> => {
    ticks.push(tick.calls.map(({ name }) => name))
    const results = tick.calls.map(() => ({ ok: true as const, value: { deliveries: [] } }))
    const { promise, resolve } = Promise.withResolvers<TickReply>()
    answers.push(() => resolve({ results, bytes: null, commits: ticks.length }))
    return promise
  }
  const answer = async (): Promise<void> => {
    answers.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return {
    group: new GroupCommit({ clock, schedule: new WriterSchedule(clock), send }),
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
const outcomes: Call = { kind: 'write', name: 'recordOutcomes', args: [[]] }
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
