import { expect, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import { calendarOf, steadyMs } from '../../src/core/time-line.ts'
import { ServerTime } from '../../src/store/postgres/connection/server-time.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000
const startAt = Date.UTC(2030, 0, 1)

/** A server with a clock and the row, and nodes with clocks of their own. */
function aServer() {
  const server = { wall: startAt, saved: null as string | null }
  const told: string[] = []
  const nodes: {
    readonly time: ServerTime
    readonly clock: ReturnType<typeof createManualClock>
    frozen: boolean
  }[] = []
  const aNode = async (startMs = 0) => {
    const clock = createManualClock(startMs)
    const time = await ServerTime.open({
      // No look comes by itself, so that the test says who looks first.
      clock: { elapsed: clock.elapsed, schedule: () => () => {} },
      logger: {
        ...silentLogger,
        warn: (_, text) => told.push(text ?? ''),
        info: (_, text) => told.push(text ?? ''),
      },
      read: async () => ({ ...server }),
      keep: async ({ value, instead }) => {
        if (server.saved !== instead) return false
        server.saved = value
        return true
      },
    })
    const node = { time, clock, frozen: false }
    nodes.push(node)
    return node
  }
  /** Real time passes, in seconds, and each node that runs looks once in each. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      server.wall += 1000
      for (const node of nodes) if (!node.frozen) await node.clock.advance(1000)
      for (const node of nodes) if (!node.frozen) await node.time.look()
    }
  }
  return { server, told, aNode, pass }
}

test('the line goes on evenly over jumps of the server, either way, and all nodes follow the first that saw one', async () => {
  const { server, told, aNode, pass } = aServer()
  const one = await aNode()
  const two = await aNode(5 * dayMs)
  await pass(3)
  for (const jumpMs of [hourMs, -2 * hourMs, 100 * dayMs, -40 * dayMs, 2000, -2000]) {
    const before = one.time.now()
    server.wall += jumpMs
    await pass(10)
    expect(one.time.now() - before).toBe(10_000)
    expect(two.time.now()).toBe(one.time.now())
    expect(two.time.line).toEqual(one.time.line)
    expect(calendarOf(one.time.line, one.time.now())).toBe(server.wall)
  }
  expect(told.filter((text) => text.includes('jumped'))).toHaveLength(6)
})

test('a node that stood still goes on where the others are, and tells nobody that the server jumped', async () => {
  const { told, aNode, pass } = aServer()
  const one = await aNode()
  const two = await aNode()
  await pass(2)
  two.frozen = true
  await pass(60)
  two.frozen = false
  await pass(1)
  expect(two.time.now()).toBe(one.time.now())
  expect(told).toEqual([])
})

test('the nodes of a server that stood still as well go on with their own time', async () => {
  const { server, aNode, pass } = aServer()
  const one = await aNode()
  await pass(1)
  await one.clock.advance(60_000)
  const before = one.time.now()
  await one.time.look()
  expect(one.time.now()).toBe(before)
  expect(calendarOf(one.time.line, before)).toBe(server.wall)
})

test('a drift is followed without a word, and no moment is earlier than the one before', async () => {
  const { server, told, aNode, pass } = aServer()
  const one = await aNode()
  for (const driftMs of [200, -300, 150, -100]) {
    const before = one.time.now()
    server.wall += driftMs
    await pass(1)
    expect(one.time.now()).toBeGreaterThanOrEqual(before)
    expect(Math.abs(one.time.now() - server.wall)).toBeLessThanOrEqual(500)
  }
  expect(told).toEqual([])
})

test('a standby whose clock is behind takes over, and a node that starts then goes on from the last moment seen', async () => {
  const { server, aNode, pass } = aServer()
  const one = await aNode()
  await pass(5)
  const seen = one.time.now()
  server.wall -= hourMs
  const late = await aNode()
  expect(late.time.now()).toBeGreaterThanOrEqual(seen - 1000)
  await pass(2)
  expect(Math.abs(late.time.now() - one.time.now())).toBeLessThanOrEqual(1000)
  expect(late.time.line).toEqual(one.time.line)
})

test('a jump is proven once the server has been steady for an hour, and that is told once', async () => {
  const { server, told, aNode, pass } = aServer()
  const one = await aNode()
  server.wall += hourMs
  await pass(1)
  expect(one.time.line.unprovenSince).not.toBeNull()
  await one.clock.advance(steadyMs)
  server.wall += steadyMs
  await pass(2)
  expect(one.time.line.unprovenSince).toBeNull()
  expect(told.filter((text) => text.includes('ages count again'))).toHaveLength(1)
})
