import { expect, test } from 'vitest'
import { AloneTurns } from '../../src/delivery/alone-turns.ts'

test('runs one after the other, and the turn is over when none is left', () => {
  const turns = new AloneTurns<string>((name) => name)
  expect([turns.admit('a', 0), turns.admit('b', 0)]).toEqual([0, 0])
  expect(turns.next(10, true)).toBe('a')
  expect(turns.next(11, true)).toBeUndefined()
  expect(turns.active).toBe(true)
  turns.done('a')
  expect(turns.next(20, true)).toBe('b')
  turns.done('b')
  expect(turns.next(30, true)).toBeUndefined()
  expect(turns.active).toBe(false)
})

test('an item that does not run alone ends nothing', () => {
  const turns = new AloneTurns<string>((name) => name)
  turns.admit('a', 0)
  turns.next(0, true)
  turns.done('other')
  expect(turns.next(1, true)).toBeUndefined()
  expect(turns.active).toBe(true)
})

test('none begins after five quiet seconds; those left come again when ordinary work had as long', () => {
  const turns = new AloneTurns<string>((name) => name)
  for (const name of ['a', 'b', 'c']) turns.admit(name, 0)
  expect(turns.next(4000, true)).toBe('a')
  turns.done('a')
  expect(turns.next(8999, true)).toBe('b')
  turns.done('b')
  expect(turns.next(9000, true)).toBeUndefined()
  expect(turns.takeLeft(9000)).toEqual({ items: ['c'], delayMs: 9000 })
  expect(turns.admit('c', 10_000)).toBe(8000)
  expect(turns.active).toBe(false)
  expect(turns.admit('c', 18_000)).toBe(0)
})

test('nothing is left over while a turn goes on', () => {
  const turns = new AloneTurns<string>((name) => name)
  turns.admit('a', 0)
  expect(turns.takeLeft(0).items).toEqual([])
  expect(turns.drain()).toEqual(['a'])
})

test('those of one group run together, and the next group when all of them are done', () => {
  const turns = new AloneTurns<string>((name) => name.slice(0, 1))
  for (const name of ['a1', 'b1', 'a2', 'b2']) turns.admit(name, 0)
  expect([turns.next(0, true), turns.next(0, false), turns.next(0, false)]).toEqual(['a1', 'a2', undefined])
  turns.done('a1')
  expect(turns.next(1, false)).toBeUndefined()
  turns.done('a2')
  expect([turns.next(2, true), turns.next(2, false)]).toEqual(['b1', 'b2'])
})

test('no group begins while ordinary work is in flight', () => {
  const turns = new AloneTurns<string>((name) => name)
  turns.admit('a', 0)
  expect(turns.next(0, false)).toBeUndefined()
  expect(turns.next(1, true)).toBe('a')
})

test('after a claim the group that runs stays leased and the others go back', async () => {
  const turns = new AloneTurns<string>((name) => name.slice(0, 1))
  const gone: string[] = []
  const giveBack = async (items: readonly string[]) => {
    gone.push(...items)
  }
  for (const name of ['a1', 'b1', 'a2']) turns.admit(name, 0)
  await turns.holdOneGroup(true, giveBack)
  expect(gone).toEqual(['b1'])
  expect(turns.next(0, true)).toBe('a1')
  for (const name of ['b1', 'a3']) turns.admit(name, 1)
  await turns.holdOneGroup(false, giveBack)
  expect(gone).toEqual(['b1', 'b1'])
  expect([turns.next(1, false), turns.next(1, false)]).toEqual(['a2', 'a3'])
})

test('one that has no slot while its group runs is the next again', () => {
  const turns = new AloneTurns<string>(() => 'one')
  for (const name of ['a', 'b']) turns.admit(name, 0)
  turns.next(0, true)
  const second = turns.next(0, false)
  turns.putBack(second as string)
  expect(turns.next(1, false)).toBe('b')
})
