import { expect, test } from 'vitest'
import { Deadline, DeadlineQueue } from '../../src/sender/deadlines.ts'
import { createManualClock, type ManualClock } from '../../src/testing/manual-clock.ts'

function aQueue(timeoutMs: number) {
  const clock = createManualClock()
  const queue = new DeadlineQueue(clock, timeoutMs)
  const expired: [string, number][] = []
  const deadline = (name: string) => new Deadline({ expired: () => expired.push([name, clock.elapsed()]) })
  return { clock, queue, expired, deadline }
}

const arm = (queue: DeadlineQueue, clock: ManualClock, deadline: Deadline) =>
  queue.arm(deadline, clock.elapsed())

test('deadlines expire at their own time, in order', async () => {
  const { clock, queue, expired, deadline } = aQueue(100)
  arm(queue, clock, deadline('a'))
  await clock.advance(30)
  arm(queue, clock, deadline('b'))
  await clock.advance(1000)
  expect(expired).toEqual([
    ['a', 100],
    ['b', 130],
  ])
})

test('a disarmed deadline does not expire, and its neighbours do', async () => {
  const { clock, queue, expired, deadline } = aQueue(100)
  const all = ['a', 'b', 'c', 'd', 'e'].map(deadline)
  for (const each of all) arm(queue, clock, each)
  all[0]!.disarm()
  all[2]!.disarm()
  all[4]!.disarm()
  all[4]!.disarm()
  await clock.advance(100)
  expect(expired.map(([name]) => name)).toEqual(['b', 'd'])
})

test('arming again starts anew and moves between queues', async () => {
  const { clock, queue, expired, deadline } = aQueue(100)
  const longer = new DeadlineQueue(clock, 200)
  const moved = deadline('moved')
  arm(queue, clock, moved)
  await clock.advance(50)
  arm(longer, clock, moved)
  await clock.advance(199)
  expect(expired).toEqual([])
  await clock.advance(1)
  expect(expired).toEqual([['moved', 250]])
})

test('one timer serves any number of deadlines', async () => {
  const { clock, queue, expired, deadline } = aQueue(100)
  for (let round = 0; round < 50; round++) {
    arm(queue, clock, deadline(`a${round}`))
    expect(clock.pendingTimers).toBe(1)
    await clock.advance(1)
  }
  await clock.advance(200)
  expect(expired).toHaveLength(50)
  expect(clock.pendingTimers).toBe(0)
})

test('a deadline that is armed while others expire gets its whole time', async () => {
  const { clock, queue, expired, deadline } = aQueue(100)
  const late = deadline('late')
  queue.arm(new Deadline({ expired: () => arm(queue, clock, late) }), clock.elapsed())
  arm(queue, clock, deadline('same moment'))
  await clock.advance(300)
  expect(expired).toEqual([
    ['same moment', 100],
    ['late', 200],
  ])
})

test('a stopped queue leaves no timer', () => {
  const { clock, queue, deadline } = aQueue(100)
  arm(queue, clock, deadline('a'))
  queue.stop()
  expect(clock.pendingTimers).toBe(0)
})
