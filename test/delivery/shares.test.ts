import { expect, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import { slotLeaseMs } from '../../src/delivery/lease.ts'
import { ShareBook } from '../../src/delivery/share-book.ts'
import { ShareRenewer } from '../../src/delivery/share-renewer.ts'
import type { ShareRenewal, SlotShares } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

function aNode() {
  const clock = createManualClock()
  const calls = {
    renewed: 0,
    lowered: [] as ReadonlyMap<string, number>[],
    gaveBack: [] as (string | null)[],
    slots: 0,
  }
  const answer = {
    nodeId: 'first',
    wanted: new Map<string, number>(),
    fault: null as Error | null,
    lowerFault: null as Error | null,
  }
  const inFlight = new Map<string, number>()
  const queued = new Map<string, number>()
  const peaks = new Map<string, number>()
  const store: SlotShares = {
    async renew(): Promise<ShareRenewal> {
      calls.renewed++
      if (answer.fault !== null) throw answer.fault
      return { nodeId: answer.nodeId, wanted: new Map(answer.wanted) }
    },
    async lower(slots) {
      if (answer.lowerFault !== null) throw answer.lowerFault
      calls.lowered.push(slots)
    },
    async leave() {},
  }
  const shares = new ShareBook(clock)
  const renewal = new ShareRenewer({
    book: shares,
    store,
    clock,
    logger: silentLogger,
    sender: { totalTimeoutMs: 15_000 },
    use: {
      inFlightAt: (id) => inFlight.get(id) ?? 0,
      waitingAt: (id) => queued.get(id) ?? 0,
      peakAt: (id) => Math.max(peaks.get(id) ?? 0, inFlight.get(id) ?? 0),
      markPeaks: () => {},
    },
    giveBack: (targetId) => calls.gaveBack.push(targetId),
    onRenewed: () => {},
    onSlots: () => calls.slots++,
  })
  const adopt = (slots: number, asked: readonly string[] = []) =>
    shares.adopt(new Map([['t', slots]]), new Set(asked))
  return { clock, calls, answer, inFlight, queued, peaks, shares, renewal, adopt }
}

async function aStartedNode() {
  const node = aNode()
  node.renewal.start()
  await node.clock.advance(0)
  return node
}

test('nothing is anybody’s before the first renewal, which lets claims begin', async () => {
  const { clock, calls, shares, renewal, adopt } = aNode()
  adopt(8)
  expect(shares.of('t')).toBe(0)
  renewal.start()
  await clock.advance(0)
  expect(calls.slots).toBe(1)
  adopt(8)
  expect(shares.of('t')).toBe(8)
})

test('a share is used only while it was renewed lately', async () => {
  const { clock, answer, shares, adopt } = await aStartedNode()
  adopt(8)
  answer.fault = new Error('the store is gone')
  await clock.advance(slotLeaseMs)
  expect(shares.of('t')).toBe(8)
  await clock.advance(1)
  expect(shares.of('t')).toBe(0)
  answer.fault = null
  await clock.advance(1000)
  expect(shares.of('t')).toBe(8)
})

test('a lease that had ended takes everything with it, and what waits in memory is given back', async () => {
  const { clock, calls, answer, shares, adopt } = await aStartedNode()
  adopt(8)
  calls.gaveBack.length = 0
  answer.nodeId = 'second'
  await clock.advance(1000)
  expect(shares.of('t')).toBe(0)
  expect(calls.gaveBack).toEqual([null])
})

test('slots that nobody uses are given up as a whole', async () => {
  const { clock, calls, answer, shares, adopt } = await aStartedNode()
  adopt(8)
  answer.wanted.set('t', 4)
  await clock.advance(1000)
  expect(shares.of('t')).toBe(0)
  expect(calls.lowered).toEqual([new Map([['t', 0]])])
})

test('slots in use are given up as their requests end, and no claim brings them back meanwhile', async () => {
  const { clock, calls, answer, inFlight, shares, adopt } = await aStartedNode()
  adopt(8)
  inFlight.set('t', 7)
  answer.wanted.set('t', 4)
  await clock.advance(1000)
  expect(shares.of('t')).toBe(4)
  answer.wanted.clear()
  adopt(8)
  expect(shares.of('t')).toBe(4)
  expect(shares.mayGrow('t')).toBe(false)
  inFlight.set('t', 3)
  await clock.advance(1000)
  expect(calls.lowered).toEqual([new Map([['t', 7]]), new Map([['t', 4]])])
  adopt(6)
  expect(shares.of('t')).toBe(6)
})

test('of slots that it may keep a node keeps as many as it needed lately', async () => {
  const { clock, calls, answer, peaks, shares, adopt } = await aStartedNode()
  adopt(8)
  peaks.set('t', 3)
  answer.wanted.set('t', 6)
  await clock.advance(1000)
  expect(shares.of('t')).toBe(3)
  expect(calls.lowered).toEqual([new Map([['t', 3]])])
})

test('what waits for slots that are given up is given back', async () => {
  const { clock, calls, answer, inFlight, queued, adopt } = await aStartedNode()
  calls.gaveBack.length = 0
  adopt(8)
  inFlight.set('t', 8)
  queued.set('t', 2)
  answer.wanted.set('t', 6)
  await clock.advance(1000)
  expect(calls.gaveBack).toEqual(['t'])
})

test('what a node may keep and needs is left alone', async () => {
  const { clock, calls, answer, peaks, shares, adopt } = await aStartedNode()
  adopt(4)
  peaks.set('t', 4)
  answer.wanted.set('t', 4)
  await clock.advance(1000)
  expect(shares.of('t')).toBe(4)
  expect(calls.lowered).toEqual([])
})

test('what the store did not take is lowered again, and not used meanwhile', async () => {
  const { clock, calls, answer, shares, adopt } = await aStartedNode()
  adopt(8)
  answer.wanted.set('t', 4)
  answer.lowerFault = new Error('the store blinks')
  await clock.advance(1000)
  adopt(8)
  expect(shares.of('t')).toBe(0)
  answer.lowerFault = null
  answer.wanted.clear()
  await clock.advance(1000)
  expect(calls.lowered).toEqual([new Map([['t', 0]])])
})

test('a claim that found all slots taken is not repeated before the next renewal', async () => {
  const { clock, calls, shares, adopt } = await aStartedNode()
  adopt(0)
  expect([...shares.refused()]).toEqual(['t'])
  expect(shares.mayGrow('t')).toBe(false)
  await clock.advance(1000)
  expect([...shares.refused()]).toEqual([])
  expect(shares.mayGrow('t')).toBe(true)
  expect(calls.slots).toBe(2)
})

test('a share that did not grow when asked waits as well, and one that nobody asked of does not', async () => {
  const { shares, adopt } = await aStartedNode()
  adopt(4)
  adopt(4)
  expect(shares.mayGrow('t')).toBe(true)
  adopt(4, ['t'])
  expect(shares.mayGrow('t')).toBe(false)
  expect([...shares.refused()]).toEqual([])
})

test('a stopped node renews no more', async () => {
  const { clock, calls, renewal } = await aStartedNode()
  await renewal.stop()
  await clock.advance(10_000)
  expect(calls.renewed).toBe(1)
})
