import { expect, test } from 'vitest'
import { TargetLoad } from '../../src/delivery/target-load.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const usual = { maxInFlight: 32, rateLimitRps: null }
const quick = { latencyMs: 5, answered: true }

function aLoad(limit = 64) {
  const clock = createManualClock()
  return { clock, load: new TargetLoad(clock, limit) }
}

/** Starts requests until no more may, and says how many. */
function fill(load: TargetLoad, targetId: string, maxInFlight = 32): number {
  const limits = { maxInFlight, rateLimitRps: null }
  let started = 0
  for (; load.hasSlot(targetId, limits); started++) load.start(targetId, limits)
  return started
}

function prove(load: TargetLoad, ...targets: readonly string[]): void {
  for (const target of targets) {
    load.start(target, usual)
    load.finish(target, quick)
  }
}

async function aSlowTarget(parts: ReturnType<typeof aLoad>, target: string): Promise<void> {
  parts.load.start(target, usual)
  parts.load.finish(target, { latencyMs: 9000, answered: true })
}

test('a target that has not answered yet gets four requests at a time', () => {
  const { load } = aLoad()
  expect(fill(load, 'new')).toBe(4)
})

test('a target that answered gets as many as its endpoint allows', () => {
  const { load } = aLoad()
  prove(load, 'known')
  expect(fill(load, 'known', 10)).toBe(10)
})

test('a refused connection is no answer: the target stays unproven', () => {
  const { load } = aLoad()
  load.start('down', usual)
  load.finish('down', { latencyMs: 2, answered: false })
  expect(fill(load, 'down')).toBe(4)
})

test('an attempt that was never made proves nothing', () => {
  const { load } = aLoad()
  load.start('x', usual)
  load.finish('x', null)
  expect(fill(load, 'x')).toBe(4)
})

test('nothing starts beyond the limit of the node', () => {
  const { load } = aLoad(6)
  prove(load, 'a', 'b')
  expect(fill(load, 'a', 5)).toBe(5)
  expect(fill(load, 'b', 5)).toBe(1)
  expect(load.inFlight).toBe(6)
})

test('slow targets together get half of the node', async () => {
  const parts = aLoad(20)
  await aSlowTarget(parts, 'a')
  await aSlowTarget(parts, 'b')
  expect(fill(parts.load, 'a', 7)).toBe(7)
  expect(fill(parts.load, 'b', 7)).toBe(3)
  prove(parts.load, 'healthy')
  expect(fill(parts.load, 'healthy')).toBe(10)
})

test('a target from which nothing came back for a second is slow', async () => {
  const { clock, load } = aLoad(20)
  prove(load, 'hangs')
  for (let count = 0; count < 10; count++) load.start('hangs', usual)
  await clock.advance(999)
  load.markSilent()
  expect(load.isSlow('hangs')).toBe(false)
  await clock.advance(1)
  load.markSilent()
  expect(load.isSlow('hangs')).toBe(true)
  expect(load.hasSlot('hangs', usual)).toBe(false)
})

test('a target is no longer slow once its recent attempts were quick', async () => {
  const parts = aLoad(20)
  await aSlowTarget(parts, 'a')
  for (let count = 0; count < 20; count++) prove(parts.load, 'a')
  expect(parts.load.isSlow('a')).toBe(false)
  expect(fill(parts.load, 'a', 15)).toBe(15)
})

test('the slots of slow targets are counted right when one becomes slow with requests in flight', async () => {
  const { clock, load } = aLoad(20)
  prove(load, 'a')
  for (let count = 0; count < 6; count++) load.start('a', usual)
  await clock.advance(1000)
  load.markSilent()
  expect(fill(load, 'a')).toBe(4)
  for (let count = 0; count < 10; count++) load.finish('a', { latencyMs: 5000, answered: true })
  expect(load.inFlight).toBe(0)
  expect(fill(load, 'a')).toBe(10)
})

test('the backlog leaves an eighth of the slots to fresh events', () => {
  const { load } = aLoad(64)
  prove(load, 'a')
  expect(load.freeForBacklog).toBe(56)
  for (let count = 0; count < 60; count++) load.start('a', { ...usual, maxInFlight: 100 })
  expect(load.freeForBacklog).toBe(0)
  expect(load.hasSlot('b', usual)).toBe(true)
})

test('a node with one slot gives it to the backlog too', () => {
  expect(aLoad(1).load.freeForBacklog).toBe(1)
})

test('a claim may fetch twice what a busy target may have, less what it has', () => {
  const { load } = aLoad()
  prove(load, 'a')
  load.start('a', { ...usual, maxInFlight: 10 })
  load.enqueue('a', { ...usual, maxInFlight: 10 })
  expect(load.claimSlots().slots.get('a')).toBe(18)
})

test('a claim hears nothing of targets that are idle', () => {
  const { load } = aLoad()
  prove(load, 'a')
  expect(load.claimSlots().slots.size).toBe(0)
})

test('slow targets that are busy share what a claim may fetch for them', async () => {
  const parts = aLoad(20)
  for (const target of ['a', 'b', 'c']) {
    await aSlowTarget(parts, target)
    parts.load.start(target, usual)
  }
  const slots = parts.load.claimSlots().slots
  expect([...slots.values()].reduce((sum, count) => sum + count, 0)).toBe(6)
  expect(slots.get('c')).toBe(2)
})

test('a slow target whose work was given back is left alone while the slow half is full', async () => {
  const parts = aLoad(4)
  await aSlowTarget(parts, 'a')
  await aSlowTarget(parts, 'b')
  fill(parts.load, 'a', 2)
  parts.load.holdBack('b')
  expect(parts.load.claimSlots().slots.get('b')).toBe(0)
  parts.load.finish('a', { latencyMs: 9000, answered: true })
  const { load } = parts
  const granted = [load.claimSlots().slots, load.claimSlots().slots].map((slots) => slots.get('b'))
  expect(granted).toContain(1)
})

test('slots that are granted go round among the slow targets', async () => {
  const parts = aLoad(2)
  for (const target of ['a', 'b', 'c']) {
    await aSlowTarget(parts, target)
    parts.load.enqueue(target, usual)
    parts.load.holdBack(target)
    parts.load.dequeue(target)
  }
  const winner = () => [...parts.load.claimSlots().slots].find(([, count]) => count > 0)?.[0]
  expect(new Set([winner(), winner(), winner()])).toEqual(new Set(['a', 'b', 'c']))
})

test('the peak of a target is that of the time since the mark before the last', () => {
  const { load } = aLoad()
  prove(load, 'x')
  for (let each = 0; each < 5; each++) load.start('x', usual)
  for (let each = 0; each < 4; each++) load.finish('x', quick)
  expect(load.peakAt('x')).toBe(5)
  load.markPeaks()
  expect(load.peakAt('x')).toBe(5)
  load.start('x', usual)
  load.markPeaks()
  expect(load.peakAt('x')).toBe(2)
  load.finish('x', quick)
  load.finish('x', quick)
  load.markPeaks()
  load.markPeaks()
  expect(load.peakAt('x')).toBe(0)
  expect(load.peakAt('unknown')).toBe(0)
})
