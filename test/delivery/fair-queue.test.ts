import { expect, test } from 'vitest'
import { FairQueue } from '../../src/delivery/fair-queue.ts'

interface Item {
  readonly tenantId: string
  readonly targetId: string
  readonly name: string
}

function queueOf(...names: readonly string[]): FairQueue<Item> {
  const queue = new FairQueue<Item>()
  for (const name of names) {
    const [tenantId, targetId] = name.split('/') as [string, string]
    queue.push({ tenantId, targetId, name })
  }
  return queue
}

function takeAll(queue: FairQueue<Item>, mayGo: (item: Item) => boolean = () => true): string[] {
  const names: string[] = []
  queue.serve((item) => {
    if (!mayGo(item)) return 'skip'
    names.push(item.name)
    return 'taken'
  })
  return names
}

test('serves tenants in turn, and within a tenant its targets', () => {
  const queue = queueOf('a/1/x', 'a/1/y', 'a/1/z', 'a/2/x', 'b/3/x', 'b/3/y')
  expect(takeAll(queue)).toEqual(['a/1/x', 'b/3/x', 'a/2/x', 'b/3/y', 'a/1/y', 'a/1/z'])
  expect(queue.size).toBe(0)
})

/** How many turns each tenant has among the first ones that a queue gives, one at a time or many. */
const weightOf = (item: Item) => (item.tenantId === 'heavy' ? 3 : 1)

function takeSome(queue: FairQueue<Item>, count: number): string[] {
  const names: string[] = []
  queue.serve((item) => {
    if (names.length === count) return 'stop'
    names.push(item.tenantId)
    return 'taken'
  })
  return names
}

function weighed(heavy: number, light: number): FairQueue<Item> {
  const queue = new FairQueue<Item>(weightOf)
  const push = (tenantId: string) => queue.push({ tenantId, targetId: tenantId, name: '' })
  for (let n = 0; n < heavy; n++) push('heavy')
  for (let n = 0; n < light; n++) push('light')
  return queue
}

test('a tenant has as many turns in a row as its weight, however few slots become free at a time', () => {
  const turns = ['heavy', 'heavy', 'heavy', 'light', 'heavy', 'heavy', 'heavy', 'light']
  expect(takeSome(weighed(30, 30), 8)).toEqual(turns)
  const oneByOne = weighed(30, 30)
  expect(turns.flatMap(() => takeSome(oneByOne, 1))).toEqual(turns)
})

test('a tenant of great weight leaves its turns to others when it has nothing or may not go', () => {
  expect(takeSome(weighed(2, 4), 6)).toEqual(['heavy', 'heavy', 'light', 'light', 'light', 'light'])
  const queue = weighed(6, 2)
  const names: string[] = []
  queue.serve((item) => {
    if (item.tenantId === 'heavy' && names.length > 0) return 'skip'
    names.push(item.tenantId)
    return 'taken'
  })
  expect(names).toEqual(['heavy', 'light', 'light'])
  expect(takeSome(queue, 9)).toEqual(Array(5).fill('heavy'))
})

test('keeps the order of arrival within a target', () => {
  expect(takeAll(queueOf('a/1/x', 'a/1/y', 'a/1/z'))).toEqual(['a/1/x', 'a/1/y', 'a/1/z'])
})

test('passes over a target that may not go, and serves it when it may', () => {
  const queue = queueOf('a/1/x', 'a/2/x', 'a/2/y')
  expect(takeAll(queue, (item) => item.targetId !== '1')).toEqual(['a/2/x', 'a/2/y'])
  expect(takeAll(queue)).toEqual(['a/1/x'])
})

test('asks about the first of each target only, and once', () => {
  const queue = queueOf('a/1/x', 'a/1/y', 'b/2/x')
  const asked: string[] = []
  queue.serve((item) => {
    asked.push(item.name)
    return 'skip'
  })
  expect(asked).toEqual(['a/1/x', 'b/2/x'])
})

test('goes on after a stop with the turn of the next tenant', () => {
  const queue = queueOf('a/1/x', 'a/1/y', 'b/2/x', 'b/2/y')
  const names: string[] = []
  const takeOne = () => {
    let left = 1
    queue.serve((item) => {
      if (left-- === 0) return 'stop'
      names.push(item.name)
      return 'taken'
    })
  }
  for (let count = 0; count < 4; count++) takeOne()
  expect(names).toEqual(['a/1/x', 'b/2/x', 'a/1/y', 'b/2/y'])
})

test('serves long lines in order, whatever is added meanwhile', () => {
  const queue = queueOf()
  const names: string[] = []
  let next = 0
  for (let round = 0; round < 50; round++) {
    for (let count = 0; count < 7; count++) queue.push({ tenantId: 'a', targetId: '1', name: String(next++) })
    let left = 5
    queue.serve((item) => {
      if (left-- === 0) return 'stop'
      names.push(item.name)
      return 'taken'
    })
  }
  names.push(...takeAll(queue))
  expect(names).toEqual(Array.from({ length: 350 }, (_, index) => String(index)))
  expect(queue.size).toBe(0)
})

test('takes out what is named and leaves the rest in its order', () => {
  const queue = queueOf('a/1/x', 'a/2/x', 'a/2/y', 'b/3/x', 'b/3/y')
  const removed = queue.remove(({ name }) => name.endsWith('/x'))
  expect(removed.map(({ name }) => name)).toEqual(['a/1/x', 'a/2/x', 'b/3/x'])
  expect(queue.size).toBe(2)
  expect(takeAll(queue)).toEqual(['a/2/y', 'b/3/y'])
})

test('is empty after it was drained, and can be used again', () => {
  const queue = queueOf('a/1/x', 'b/2/x')
  expect(queue.drain()).toHaveLength(2)
  expect(queue.size).toBe(0)
  queue.push({ tenantId: 'a', targetId: '1', name: 'later' })
  expect(takeAll(queue)).toEqual(['later'])
})
