import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { tellOfOutbox } from '../../src/core/outbox-news.ts'
import type { RowFate } from '../../src/engine/outbox-publisher.ts'
import { OutboxRelay } from '../../src/engine/outbox-relay.ts'
import type { OutboxFinish, OutboxRow } from '../../src/store/port.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'

const aRow = (place: number): OutboxRow => ({
  place: String(place),
  id: `row-${place}`,
  tenant: null,
  topic: 'orders.created',
  payload: new Uint8Array(),
  metadata: null,
  orderingKey: null,
  schedule: null,
  traceContext: null,
  idempotencyKey: null,
})

/** A relay on an outbox in memory, whose file and whose publisher do what a test says. */
function aRelay() {
  const clock = createManualClock()
  const state = {
    version: 1,
    looks: 0,
    rows: [] as OutboxRow[],
    published: [] as string[],
    removed: [] as string[],
    fileFault: null as Error | null,
    finishFault: null as Error | null,
    fate: (_row: OutboxRow): RowFate => ({ kind: 'relayed' }),
    told: [] as string[],
    closed: 0,
  }
  const relay = new OutboxRelay({
    name: 'sqlite:app.db',
    clock,
    logger: {
      ...silentLogger,
      info: (_, text) => state.told.push(text),
      error: (_, text) => state.told.push(text),
    },
    file: {
      async read({ after, unlessVersion }) {
        if (after === null) state.looks++
        if (state.fileFault !== null) throw state.fileFault
        if (unlessVersion === String(state.version)) return null
        const rows = state.rows.filter(({ place }) => Number(place) > Number(after ?? 0)).slice(0, 10)
        return { version: String(state.version), rows, refused: [], last: rows.at(-1)?.place ?? null }
      },
      async finish({ relayed, refused }: OutboxFinish) {
        if (state.finishFault !== null) throw state.finishFault
        const gone = new Set([...relayed, ...refused].map(({ id }) => id))
        state.removed.push(...gone)
        state.rows = state.rows.filter(({ id }) => !gone.has(id))
      },
      async close() {
        state.closed++
      },
    },
    publisher: {
      async publishInOrder(rows: readonly OutboxRow[]) {
        state.published.push(...rows.map(({ id }) => id))
        return rows.map((row) => state.fate(row))
      },
    },
  })
  const commit = (count: number): void => {
    const first = state.rows.length + state.removed.length + 1
    for (let n = 0; n < count; n++) state.rows.push(aRow(first + n))
    state.version++
  }
  return { relay, clock, state, commit }
}

const busy = new OuthookError('store_unavailable', 'somebody holds a lock', { fault: 'busy' })

test('looks ever more seldom while nothing is committed, and twice a second in the end, so that a second is the most', async () => {
  const { relay, clock, state, commit } = aRelay()
  relay.start()
  await clock.advance(10_000)
  const looks = state.looks
  await clock.advance(10_000)
  expect(state.looks - looks).toBe(20)
  commit(1)
  await clock.advance(500)
  expect(state.removed).toEqual(['row-1'])
  await relay.stop()
})

test('looks within 25 ms when publishInto of this process says so, and no more once it is stopped', async () => {
  const { relay, clock, state, commit } = aRelay()
  relay.start()
  await clock.advance(10_000)
  commit(1)
  tellOfOutbox()
  await clock.advance(25)
  expect(state.removed).toEqual(['row-1'])
  await relay.stop()
  await relay.stop()
  const looks = state.looks
  tellOfOutbox()
  await clock.advance(10_000)
  expect(state.looks).toBe(looks)
})

test('relays batch after batch in one look, in order', async () => {
  const { relay, clock, state, commit } = aRelay()
  commit(35)
  relay.start()
  await clock.advance(1)
  expect(state.removed).toEqual(Array.from({ length: 35 }, (_, n) => `row-${n + 1}`))
  expect(relay.state).toMatchObject({ relayed: 35, refused: 0, problem: null })
  await relay.stop()
})

test('publishes no row again that it has published and cannot remove, and removes it when the lock is gone', async () => {
  const { relay, clock, state, commit } = aRelay()
  state.finishFault = busy
  commit(15)
  relay.start()
  await clock.advance(3000)
  expect(state.published).toHaveLength(15)
  expect(relay.state.problem).toContain('somebody holds a lock')
  commit(5)
  await clock.advance(1000)
  expect(state.published).toHaveLength(20)
  state.finishFault = null
  await clock.advance(1000)
  expect(state.removed).toHaveLength(20)
  expect(state.published).toHaveLength(20)
  expect(relay.state.problem).toBeNull()
  await relay.stop()
})

test('reads rows again when the file failed otherwise before they were removed', async () => {
  const { relay, clock, state, commit } = aRelay()
  state.finishFault = new OuthookError('store_unavailable', 'damaged', { fault: 'damaged' })
  commit(2)
  relay.start()
  await clock.advance(100)
  state.finishFault = null
  await clock.advance(1000)
  expect(state.removed).toEqual(['row-1', 'row-2'])
  await relay.stop()
})

test('tells of a problem once, and of its end', async () => {
  const { relay, clock, state } = aRelay()
  state.fileFault = new OuthookError('store_unavailable', 'there is no such file')
  relay.start()
  await clock.advance(5000)
  expect(state.told).toEqual([expect.stringContaining('there is no such file')])
  state.fileFault = null
  await clock.advance(1000)
  expect(state.told).toEqual([expect.anything(), expect.stringContaining('is relayed again')])
  await relay.stop()
  expect(state.closed).toBeGreaterThan(0)
})

test('a row that the store cannot take now waits, and those behind it go on', async () => {
  const { relay, clock, state, commit } = aRelay()
  const away = new OuthookError('store_unavailable', 'the store is away')
  state.fate = ({ id }) => (id === 'row-1' ? { kind: 'later', error: away } : { kind: 'relayed' })
  commit(12)
  relay.start()
  await clock.advance(1000)
  expect(state.removed).not.toContain('row-1')
  expect(state.removed).toHaveLength(11)
  expect(relay.state.problem).toContain('the store is away')
  state.fate = () => ({ kind: 'relayed' })
  await clock.advance(1000)
  expect(state.removed.at(-1)).toBe('row-1')
  await relay.stop()
})
