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

function takeAll(queue: FairQueue<Item>): string[] {
  const names: string[] = []
  for (let item = queue.take(() => 'take'); item !== undefined; item = queue.take(() => 'take'))
    names.push(item.name)
  return names
}

test('serves tenants in turn, and within a tenant its targets', () => {
  const queue = queueOf('a/1/x', 'a/1/y', 'a/1/z', 'a/2/x', 'b/3/x', 'b/3/y')
  expect(takeAll(queue)).toEqual(['a/1/x', 'b/3/x', 'a/2/x', 'b/3/y', 'a/1/y', 'a/1/z'])
  expect(queue.size).toBe(0)
})

test('keeps the order of arrival within a target', () => {
  expect(takeAll(queueOf('a/1/x', 'a/1/y', 'a/1/z'))).toEqual(['a/1/x', 'a/1/y', 'a/1/z'])
})

test('passes over a target that may not go, and leaves its turn to it', () => {
  const queue = queueOf('a/1/x', 'a/2/x', 'a/2/y')
  const withoutFirst = () => queue.take((item) => (item.targetId === '1' ? 'skip' : 'take'))?.name
  expect([withoutFirst(), withoutFirst(), withoutFirst()]).toEqual(['a/2/x', 'a/2/y', undefined])
  expect(takeAll(queue)).toEqual(['a/1/x'])
})

test('asks about the first of each target only', () => {
  const queue = queueOf('a/1/x', 'a/1/y', 'b/2/x')
  const asked: string[] = []
  queue.take((item) => {
    asked.push(item.name)
    return 'skip'
  })
  expect(asked).toEqual(['a/1/x', 'b/2/x'])
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
