import { expect, test } from 'vitest'
import { Paces } from '../../src/delivery/paces.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function aNode() {
  const clock = createManualClock()
  return { clock, paces: new Paces(clock) }
}

test('a node that hears of a pace leaves the target alone, and goes on at that pace after five seconds of silence', async () => {
  const { clock, paces } = aNode()
  expect(paces.leaveTo({ targetId: 't', perSecond: 8, isSenior: false })).toBe(true)
  expect(paces.leaveTo({ targetId: 't', perSecond: 8, isSenior: false })).toBe(false)
  await clock.advance(4999)
  expect([paces.room('t'), paces.areRunning]).toEqual([0, false])
  await clock.advance(1)
  expect([paces.room('t'), paces.roomSoon('t'), paces.areRunning]).toEqual([1, 9, true])
  expect(paces.room('another')).toBe(Number.POSITIVE_INFINITY)
})

test('of two nodes that keep the pace of one target the senior goes on and the other gives way', () => {
  const [senior, junior] = [aNode().paces, aNode().paces]
  for (const paces of [senior, junior]) {
    paces.refused('t', 1000, 10)
    paces.keepHere('t')
    expect(paces.keptHere()).toEqual(new Map([['t', 9]]))
  }
  expect(senior.leaveTo({ targetId: 't', perSecond: 9, isSenior: false })).toBe(false)
  expect(junior.leaveTo({ targetId: 't', perSecond: 9, isSenior: true })).toBe(true)
  expect(senior.keptHere().size).toBe(1)
  expect(junior.keptHere().size).toBe(0)
})
