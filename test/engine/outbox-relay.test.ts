import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { tellOfOutbox } from '../../src/core/outbox-news.ts'
import { OutboxPublisher, type RowFate } from '../../src/engine/outbox-publisher.ts'
import { OutboxRelay } from '../../src/engine/outbox-relay.ts'
import { KeyHeldError } from '../../src/engine/publish-request.ts'
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
function aRelay({
  publish,
}: {
  readonly publish?: (row: { readonly orderingKey: string | null; readonly topic: string | null }) => void
} = {}) {
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
    publisher:
      publish === undefined
        ? {
            async publishInOrder(rows: readonly OutboxRow[]) {
              state.published.push(...rows.map(({ id }) => id))
              return rows.map((row) => state.fate(row))
            },
          }
        : aPublisher(publish, state),
  })
  const commit = (count: number): void => {
    const first = state.rows.length + state.removed.length + 1
    for (let n = 0; n < count; n++) state.rows.push(aRow(first + n))
    state.version++
  }
  return { relay, clock, state, commit }
}

/** The real one, on a store that takes each event or throws, as the test says. */
function aPublisher(
  publish: (row: { readonly orderingKey: string | null; readonly topic: string | null }) => void,
  state: { readonly published: string[] },
): OutboxPublisher {
  const nothing = async () => null
  return new OutboxPublisher({
    publisher: {
      async publish(request) {
        publish(request)
        state.published.push(String(request.topic))
        return {
          eventId: String(request.topic),
          deliveryIds: [],
          state: 'fanned_out',
          filteredSubscriptions: 0,
          replayed: false,
        }
      },
    },
    tenants: { resolve: (name: string) => name },
    store: { getEvent: nothing, getPayload: nothing, time: { now: () => 0 } },
    clock: { now: () => 0 },
  })
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

const full = new OuthookError('backlog_full', 'ordered key backlog at capacity; retry later')
/** So many rows, of which each `every`th is of the key `full`. */
const rowsOf = (count: number, every: number): OutboxRow[] =>
  Array.from({ length: count }, (_, n) => ({
    ...aRow(n + 1),
    topic: `row-${n + 1}`,
    orderingKey: n % every === 0 ? 'full' : `key-${n}`,
  }))

test('a row whose ordering key is full waits, and nothing behind it in its key overtakes it, though there is room by then', async () => {
  let refusals = 1
  const { relay, clock, state } = aRelay({
    publish({ orderingKey }) {
      if (orderingKey === 'full' && refusals-- > 0) throw full
    },
  })
  state.rows = rowsOf(30, 5)
  relay.start()
  await clock.advance(1)
  expect(state.published).toHaveLength(24)
  expect(state.published.filter((row) => Number(row.slice(4)) % 5 === 1)).toEqual([])
  expect(relay.state.problem).toBeNull()
  await clock.advance(1000)
  expect(state.published.slice(24)).toEqual(['row-1', 'row-6', 'row-11', 'row-16', 'row-21', 'row-26'])
  expect(state.rows).toEqual([])
  await relay.stop()
})

test.each([
  ['a full key', () => full],
  ['a key whose event for many is being fanned out', () => new KeyHeldError()],
])(
  'more rows of %s than a batch holds keep no row of another key waiting, are looked at twice a second, and are no problem',
  async (_, problem) => {
    let tries = 0
    const { relay, clock, state } = aRelay({
      publish({ orderingKey }) {
        if (orderingKey !== 'full') return
        tries++
        throw problem()
      },
    })
    state.rows = [...rowsOf(35, 1), { ...aRow(36), topic: 'row-36', orderingKey: 'other' }]
    relay.start()
    await clock.advance(1)
    expect(state.published).toEqual(['row-36'])
    await clock.advance(10_000)
    const before = tries
    await clock.advance(10_000)
    expect(tries - before).toBe(20)
    expect(state.told).toEqual([])
    await relay.stop()
  },
)

test('what was put off is not overtaken either while the file is locked and a pass begins behind it', async () => {
  let isFull = true
  const { relay, clock, state, commit } = aRelay({
    publish({ orderingKey }) {
      if (isFull && orderingKey === 'full') throw full
    },
  })
  state.finishFault = busy
  state.rows = rowsOf(2, 2)
  relay.start()
  await clock.advance(1)
  expect(state.published).toEqual(['row-2'])
  isFull = false
  state.rows.push({ ...aRow(3), topic: 'row-3', orderingKey: 'full' })
  commit(0)
  await clock.advance(2000)
  expect(state.published).toEqual(['row-2'])
  state.finishFault = null
  await clock.advance(2000)
  expect(state.published).toEqual(['row-2', 'row-1', 'row-3'])
  await relay.stop()
})
