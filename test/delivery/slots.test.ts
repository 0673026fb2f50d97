import { expect, test } from 'vitest'
import { Paces } from '../../src/delivery/paces.ts'
import type { Slot } from '../../src/delivery/slot.ts'
import { Slots } from '../../src/delivery/slots.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const aTarget = (id: string, maxInFlight = 32) => ({ id, endpoint: { maxInFlight, rateLimitRps: null } })
const quick = { latencyMs: 5, answered: true, throttleMs: null }

function someSlots(limit = 64) {
  const clock = createManualClock()
  return {
    clock,
    slots: new Slots({ clock, limit, shares: null, paces: new Paces(clock), maxWaitMs: 17_000 }),
  }
}

/** Takes slots until there are no more. */
function takeAll(slots: Slots, targetId: string, maxInFlight = 32): Slot[] {
  const taken: Slot[] = []
  const target = aTarget(targetId, maxInFlight)
  for (let slot = slots.take(target); slot !== null; slot = slots.take(target)) taken.push(slot)
  return taken
}

const fill = (slots: Slots, targetId: string, maxInFlight?: number) =>
  takeAll(slots, targetId, maxInFlight).length

function prove(slots: Slots, ...targets: readonly string[]): void {
  for (const target of targets) slots.take(aTarget(target))?.done(quick)
}

function makeSlow(slots: Slots, target: string): void {
  slots.take(aTarget(target))?.done({ latencyMs: 9000, answered: true, throttleMs: null })
}

test('a target that has not answered yet gets four requests at a time', () => {
  const { slots } = someSlots()
  expect(fill(slots, 'new')).toBe(4)
})

test('a target that answered gets as many as its endpoint allows', () => {
  const { slots } = someSlots()
  prove(slots, 'known')
  expect(fill(slots, 'known', 10)).toBe(10)
})

test('a refused connection is no answer: the target stays unproven', () => {
  const { slots } = someSlots()
  slots.take(aTarget('down'))?.done({ latencyMs: 2, answered: false, throttleMs: null })
  expect(fill(slots, 'down')).toBe(4)
})

test('an attempt that was never made proves nothing', () => {
  const { slots } = someSlots()
  slots.take(aTarget('x'))?.done(null)
  expect(fill(slots, 'x')).toBe(4)
})

test('a slot is freed once, however often it is given up', () => {
  const { slots } = someSlots()
  const [first] = takeAll(slots, 'x')
  first?.done(null)
  first?.done(quick)
  expect(slots.inFlightAt('x')).toBe(3)
  expect(fill(slots, 'x')).toBe(1)
})

test('nothing starts beyond the limit of the node', () => {
  const { slots } = someSlots(6)
  prove(slots, 'a', 'b')
  expect(fill(slots, 'a', 5)).toBe(5)
  expect(slots.isFull).toBe(false)
  expect(fill(slots, 'b', 5)).toBe(1)
  expect(slots.inFlight).toBe(6)
  expect(slots.isFull).toBe(true)
})

test('slow targets together get half of the node', () => {
  const { slots } = someSlots(20)
  makeSlow(slots, 'a')
  makeSlow(slots, 'b')
  expect(fill(slots, 'a', 7)).toBe(7)
  expect(fill(slots, 'b', 7)).toBe(3)
  prove(slots, 'healthy')
  expect(fill(slots, 'healthy')).toBe(8)
})

test('a target from which nothing came back for a second is slow', async () => {
  const { clock, slots } = someSlots(20)
  prove(slots, 'hangs')
  for (let count = 0; count < 10; count++) slots.take(aTarget('hangs'))
  await clock.advance(999)
  slots.markSilent()
  expect(slots.isSlow('hangs')).toBe(false)
  await clock.advance(1)
  slots.markSilent()
  expect(slots.isSlow('hangs')).toBe(true)
  expect(slots.isFree(aTarget('hangs'))).toBe(false)
})

test('a target is no longer slow once its recent attempts were quick', () => {
  const { slots } = someSlots(20)
  makeSlow(slots, 'a')
  for (let count = 0; count < 20; count++) prove(slots, 'a')
  expect(slots.isSlow('a')).toBe(false)
  expect(fill(slots, 'a', 15)).toBe(15)
})

test('the slots of slow targets are counted right when one becomes slow with requests in flight', async () => {
  const { clock, slots } = someSlots(20)
  prove(slots, 'a')
  const taken: (Slot | null)[] = []
  for (let count = 0; count < 6; count++) taken.push(slots.take(aTarget('a')))
  await clock.advance(1000)
  slots.markSilent()
  taken.push(...takeAll(slots, 'a'))
  expect(taken).toHaveLength(10)
  for (const slot of taken) slot?.done({ latencyMs: 5000, answered: true, throttleMs: null })
  expect(slots.inFlight).toBe(0)
  expect(fill(slots, 'a')).toBe(10)
})

test('the backlog leaves an eighth of the slots to fresh events', () => {
  const { slots } = someSlots(64)
  prove(slots, 'a')
  expect(slots.freeForBacklog).toBe(56)
  for (let count = 0; count < 60; count++) slots.take(aTarget('a', 100))
  expect(slots.freeForBacklog).toBe(0)
  expect(slots.isFree(aTarget('b'))).toBe(true)
})

test('the last eighth of the slots is for targets with few requests in flight', () => {
  const { slots } = someSlots(64)
  prove(slots, 'a', 'b', 'quiet')
  const [first] = takeAll(slots, 'a')
  expect(fill(slots, 'b')).toBe(24)
  expect(slots.inFlight).toBe(56)
  expect(slots.isFull).toBe(false)
  expect(fill(slots, 'quiet')).toBe(4)
  expect(fill(slots, 'new')).toBe(4)
  expect(slots.isFull).toBe(true)
  first?.done(quick)
  expect([slots.isFree(aTarget('a')), slots.isFree(aTarget('b')), slots.isFree(aTarget('another'))]).toEqual([
    false,
    false,
    true,
  ])
})

test('a target that is alone on the node gets all of it', () => {
  const { slots } = someSlots(64)
  prove(slots, 'a')
  expect(fill(slots, 'a', 100)).toBe(64)
})

test('a node with one slot gives it to the backlog too', () => {
  expect(someSlots(1).slots.freeForBacklog).toBe(1)
})

test('a claim may fetch twice what a busy target may have, less what it has', () => {
  const { slots } = someSlots()
  prove(slots, 'a')
  slots.take(aTarget('a', 10))
  slots.wait(aTarget('a', 10))
  expect(slots.claimSlots().slots.get('a')).toBe(18)
})

test('a claim hears nothing of targets that are idle', () => {
  const { slots } = someSlots()
  prove(slots, 'a')
  expect(slots.claimSlots().slots.size).toBe(0)
})

test('slow targets that are busy share what a claim may fetch for them', () => {
  const { slots } = someSlots(20)
  for (const target of ['a', 'b', 'c']) {
    makeSlow(slots, target)
    slots.take(aTarget(target))
  }
  const room = slots.claimSlots().slots
  expect([...room.values()].reduce((sum, count) => sum + count, 0)).toBe(6)
  expect(room.get('c')).toBe(2)
})

test('a slow target whose work was given back is left alone while the slow half is full', () => {
  const { slots } = someSlots(4)
  makeSlow(slots, 'a')
  makeSlow(slots, 'b')
  const [first] = takeAll(slots, 'a', 2)
  slots.holdBack('b')
  expect(slots.claimSlots().slots.get('b')).toBe(0)
  first?.done({ latencyMs: 9000, answered: true, throttleMs: null })
  const granted = [slots.claimSlots().slots, slots.claimSlots().slots].map((room) => room.get('b'))
  expect(granted).toContain(1)
})

test('slots that are granted go round among the slow targets', () => {
  const { slots } = someSlots(2)
  for (const target of ['a', 'b', 'c']) {
    makeSlow(slots, target)
    slots.holdBack(target)
  }
  const winner = () => [...slots.claimSlots().slots].find(([, count]) => count > 0)?.[0]
  expect(new Set([winner(), winner(), winner()])).toEqual(new Set(['a', 'b', 'c']))
})

test('the peak of a target is that of the time since the mark before the last', () => {
  const { slots } = someSlots()
  prove(slots, 'x')
  const taken = Array.from({ length: 5 }, () => slots.take(aTarget('x')))
  for (let each = 0; each < 4; each++) taken.pop()?.done(quick)
  expect(slots.peakAt('x')).toBe(5)
  slots.markPeaks()
  expect(slots.peakAt('x')).toBe(5)
  taken.push(slots.take(aTarget('x')))
  slots.markPeaks()
  expect(slots.peakAt('x')).toBe(2)
  for (const slot of taken) slot?.done(quick)
  slots.markPeaks()
  slots.markPeaks()
  expect(slots.peakAt('x')).toBe(0)
  expect(slots.peakAt('unknown')).toBe(0)
})

test('what waits at a target starts within half of the time that it may wait, at its present pace', () => {
  const { slots } = someSlots()
  for (let each = 0; each < 30; each++)
    slots.take(aTarget('a', 1))?.done({ latencyMs: 500, answered: true, throttleMs: null })
  let places = 0
  while (slots.promisePlace(aTarget('a', 1), 10) !== null) places++
  expect(places).toBe(17)
})

test('a place that is given up is free for others, with its bytes', () => {
  const { slots } = someSlots()
  const half = 16 * 1024 * 1024
  const first = slots.promisePlace(aTarget('a'), half)
  expect(slots.promisePlace(aTarget('b'), half)).not.toBeNull()
  expect(slots.promisePlace(aTarget('c'), 1)).toBeNull()
  first?.done(null)
  first?.done(null)
  expect(slots.waitingAt('a')).toBe(0)
  expect(slots.promisePlace(aTarget('c'), half)).not.toBeNull()
  expect(slots.promisePlace(aTarget('c'), 1)).toBeNull()
})

test('no place is promised at a target with a rate, whose tokens would be spent by waiting', () => {
  const { slots } = someSlots()
  const rated = { id: 'a', endpoint: { maxInFlight: 32, rateLimitRps: 10 } }
  expect(slots.promisePlace(rated, 10)).toBeNull()
})
