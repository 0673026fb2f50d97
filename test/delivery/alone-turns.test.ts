import { expect, test } from 'vitest'
import { AloneTurns } from '../../src/delivery/alone-turns.ts'

test('runs one after the other, and the turn is over when none is left', () => {
  const turns = new AloneTurns<string>()
  expect([turns.admit('a', 0), turns.admit('b', 0)]).toEqual([0, 0])
  expect(turns.next(10)).toBe('a')
  expect(turns.next(11)).toBeUndefined()
  expect(turns.active).toBe(true)
  turns.done('a')
  expect(turns.next(20)).toBe('b')
  turns.done('b')
  expect(turns.next(30)).toBeUndefined()
  expect(turns.active).toBe(false)
})

test('an item that does not run alone ends nothing', () => {
  const turns = new AloneTurns<string>()
  turns.admit('a', 0)
  turns.next(0)
  turns.done('other')
  expect(turns.next(1)).toBeUndefined()
  expect(turns.active).toBe(true)
})

test('none begins after five quiet seconds; those left come again when ordinary work had as long', () => {
  const turns = new AloneTurns<string>()
  for (const name of ['a', 'b', 'c']) turns.admit(name, 0)
  expect(turns.next(4000)).toBe('a')
  turns.done('a')
  expect(turns.next(8999)).toBe('b')
  turns.done('b')
  expect(turns.next(9000)).toBeUndefined()
  expect(turns.takeLeft(9000)).toEqual({ items: ['c'], delayMs: 9000 })
  expect(turns.admit('c', 10_000)).toBe(8000)
  expect(turns.active).toBe(false)
  expect(turns.admit('c', 18_000)).toBe(0)
})

test('nothing is left over while a turn goes on', () => {
  const turns = new AloneTurns<string>()
  turns.admit('a', 0)
  expect(turns.takeLeft(0).items).toEqual([])
  expect(turns.drain()).toEqual(['a'])
})
