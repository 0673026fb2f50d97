import { describe, expect, test } from 'vitest'
import { LinkedList } from '../../src/core/linked-list.ts'

describe('a linked list', () => {
  test('has its entries in the order in which they came', () => {
    const list = new LinkedList<number>()
    for (const value of [1, 2, 3]) list.add(value)
    expect(list.values()).toEqual([1, 2, 3])
  })

  test.each([
    ['the first', 0, [2, 3]],
    ['one between', 1, [1, 3]],
    ['the last', 2, [1, 2]],
  ])('lets %s of them be taken out', (_name, index, left) => {
    const list = new LinkedList<number>()
    const takeOut = [1, 2, 3].map((value) => list.add(value))
    takeOut[index]?.()
    expect(list.values()).toEqual(left)
  })

  test('forgives that an entry is taken out twice', () => {
    const list = new LinkedList<string>()
    const takeOut = list.add('a')
    takeOut()
    list.add('b')
    takeOut()
    expect(list.values()).toEqual(['b'])
  })

  test('is empty before the first and after the last has gone', () => {
    const list = new LinkedList<string>()
    expect(list.isEmpty).toBe(true)
    const takeOut = list.add('a')
    expect(list.isEmpty).toBe(false)
    takeOut()
    expect(list.isEmpty).toBe(true)
    expect(list.values()).toEqual([])
  })
})
