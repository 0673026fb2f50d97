import { describe, expect, test } from 'vitest'
import { silentLogger } from '../../src/core/logger.ts'
import { Nodes } from '../../src/engine/nodes.ts'
import { SharedReads } from '../../src/engine/shared-reads.ts'
import type { NodeBook, NodeReport } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const self = { id: 'own', host: 'vm', pid: 7, role: 'all', version: '1.2.3' } as const
const other = { ...self, id: 'other', pid: 8, startedAt: 1, inFlight: 2, seenAt: 3 }

function aBook(report: (node: NodeReport) => Promise<void> = async () => {}) {
  const reports: NodeReport[] = []
  const left: string[] = []
  const book: NodeBook = {
    async report(node) {
      reports.push(node)
      await report(node)
    },
    leave: async (id) => void left.push(id),
    list: async () => [other, { ...other, id: 'own', inFlight: 99 }],
  }
  return { book, reports, left }
}

describe('a process', () => {
  test('says every five seconds that it is there, and at its end that it is not', async () => {
    const clock = createManualClock()
    const { book, reports, left } = aBook()
    let inFlight = 1
    const parts = { self, book, time: clock, clock, logger: silentLogger, inFlight: () => inFlight }
    const nodes = new Nodes(parts)
    nodes.start()
    await clock.advance(4999)
    expect(reports).toEqual([{ ...self, startedAt: clock.now() - 4999, inFlight: 1 }])
    inFlight = 3
    await clock.advance(1)
    expect(reports.map((report) => report.inFlight)).toEqual([1, 3])
    await nodes.stop()
    await nodes.stop()
    expect(left).toEqual(['own'])
    await clock.advance(20_000)
    expect(reports).toHaveLength(2)
  })

  test('goes on saying so after the store did not hear it', async () => {
    const clock = createManualClock()
    const { book, reports } = aBook(() => Promise.reject(new Error('away')))
    new Nodes({ self, book, time: clock, clock, logger: silentLogger, inFlight: () => 0 }).start()
    await clock.advance(5000)
    await clock.advance(5000)
    expect(reports).toHaveLength(3)
  })

  test('is in the list as it is now, beside the others; alone where it is the only one', async () => {
    const clock = createManualClock()
    const parts = { self, time: clock, clock, logger: silentLogger, inFlight: () => 5 }
    const own = { ...self, startedAt: clock.now(), inFlight: 5, seenAt: clock.now() }
    expect(await new Nodes({ ...parts, book: aBook().book }).list()).toEqual([other, own])
    expect(await new Nodes({ ...parts, book: null }).list()).toEqual([own])
  })
})

describe('a read that is shared', () => {
  test('is everybody’s until its time is over, by what it depends on', async () => {
    const clock = createManualClock()
    const reads = new SharedReads(clock)
    let count = 0
    const read = (key: string) => reads.read(key, 1000, async () => ++count)
    expect(await Promise.all([read('a'), read('a'), read('b')])).toEqual([1, 1, 2])
    await clock.advance(999)
    expect(await read('a')).toBe(1)
    await clock.advance(1)
    expect(await read('a')).toBe(3)
  })

  test('that fails is read anew by the next who asks', async () => {
    const reads = new SharedReads(createManualClock())
    let count = 0
    const read = () =>
      reads.read('a', 1000, async () => {
        count++
        if (count === 1) throw new Error('away')
        return count
      })
    await expect(Promise.all([read(), read()])).rejects.toThrow('away')
    expect(await read()).toBe(2)
  })

  test('is forgotten where more are asked for than are remembered', async () => {
    const reads = new SharedReads(createManualClock())
    let count = 0
    const read = (key: string) => reads.read(key, 1000, async () => ++count)
    for (let nth = 0; nth <= 256; nth++) await read(String(nth))
    expect(await read('256')).toBe(257)
    expect(await read('0')).toBe(258)
  })
})
