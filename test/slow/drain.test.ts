/** How `outhook serve` ends when it is asked to, and what a process does that was frozen. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { leaseLength } from '../../src/delivery/lease.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, call, deliveriesOf, isDrained, pause, until } from './api-calls.ts'
import { openDatabaseView } from './leases-in-postgres.ts'
import { readLeases } from './leases-on-disk.ts'
import { startLedger } from './ledger-receiver.ts'
import { aDirectory, startServer } from './server-process.ts'

const env = { OUTHOOK_MASTER_KEY: 'ab'.repeat(32) }
const database = () => join(aDirectory(), 'drain.db')

async function anEndpoint(url: string, receiver: string, settings: Readonly<Record<string, unknown>> = {}) {
  await ask(url, '/v1/endpoints', { body: { url: `${receiver}/hook`, topics: ['*'], ...settings } })
}

async function publish(url: string, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  for (let no = 0; no < count; no++) {
    ids.push((await ask(url, '/v1/events', { body: { topic: 'drain.test', payload: { no } } })).event_id)
  }
  return ids
}

async function readDeliveries(url: string, eventIds: readonly string[]) {
  return (await Promise.all(eventIds.map((id) => deliveriesOf(url, id)))).flat()
}

const once = { state: 'succeeded', attempt_count: 1, attempts: [{ attempt_no: 1, status: 'success' }] }

let postgres: PostgresServer
let schemas = 0
beforeAll(async () => {
  const newest = testedServers().at(-1)
  if (newest === undefined) throw new Error('no server to test on')
  postgres = await newest.start()
}, 120_000)
afterAll(() => postgres?.stop())

interface LeasedStore {
  readonly store: string
  /** How many deliveries are leased and not ended. */
  countLeases(): Promise<number>
}

const onSqlite = (): LeasedStore => {
  const store = database()
  return { store, countLeases: async () => readLeases(store).size }
}
const onPostgres = (): LeasedStore => {
  const schema = `outhook_drain_${process.pid}_${++schemas}`
  const view = openDatabaseView(postgres.url, schema)
  return {
    store: `${postgres.url}?schema=${schema}`,
    countLeases: async () => (await view.leases()).size,
  }
}

test.each([
  ['SIGTERM', 'SQLite', onSqlite],
  ['SIGINT', 'SQLite', onSqlite],
  ['SIGTERM', 'PostgreSQL', onPostgres],
  ['SIGINT', 'PostgreSQL', onPostgres],
] as const)(
  'S1.43 %s on %s: requests in flight end and are recorded, the others are given back, and a restart goes on',
  { timeout: 300_000 },
  async (signal, _name, aStore) => {
    const { store, countLeases } = aStore()
    const ledger = await startLedger(() => ({ status: 200, afterMs: 700 }))
    const server = await startServer({ database: store, env })
    await anEndpoint(server.url, ledger.url, { max_in_flight: 2 })
    const eventIds = await publish(server.url, 8)
    await until('two in flight and more leased that wait', async () => {
      return ledger.open === 2 && (await countLeases()) > 2
    })
    server.signal(signal)
    await server.printed('stopping')
    const heard = ledger.requests
    expect(await call(server.url, '/v1/events', { body: '{}' }).catch(() => 'refused')).toBe('refused')
    expect(await server.ended).toEqual({ code: 0, signal: null })

    expect(ledger.requests, 'requests that began after the signal').toBe(heard)
    const entries = [...ledger.entries.values()]
    expect(
      entries.filter((entry) => entry.accepted === 0),
      'requests that were cut off',
    ).toEqual([])
    expect(await countLeases(), 'leases left').toBe(0)

    const next = await startServer({ database: store, env })
    await until('the rest is delivered', () => isDrained(next.url))
    expect(await readDeliveries(next.url, eventIds)).toMatchObject(eventIds.map(() => once))
    expect(ledger.requests, 'requests, none of them twice').toBe(eventIds.length)
  },
)

test('S1.43 what is in flight past the drain deadline is given back without counting an attempt', {
  timeout: 300_000,
}, async () => {
  const store = database()
  const ledger = await startLedger((_path, requestNo) => ({
    status: 200,
    afterMs: requestNo === 1 ? 12_000 : 0,
  }))
  const server = await startServer({ database: store, flags: ['--drain-deadline', '300ms'] })
  await anEndpoint(server.url, ledger.url)
  const eventIds = await publish(server.url, 1)
  await ledger.untilOpen(1)
  server.signal('SIGTERM')
  const startedAt = performance.now()
  expect(await server.ended).toEqual({ code: 0, signal: null })
  // The answer would come after 12 s.
  expect(performance.now() - startedAt).toBeLessThan(11_000)
  expect(readLeases(store)).toEqual(new Map())

  const next = await startServer({ database: store })
  await until('it is delivered', () => isDrained(next.url))
  expect(await readDeliveries(next.url, eventIds)).toMatchObject([once])
  expect(ledger.requests).toBe(2)
})

test('a second signal ends the process at once, and the request that it cut off is made again', {
  timeout: 300_000,
}, async () => {
  const store = database()
  const ledger = await startLedger((_path, requestNo) => ({
    status: 200,
    afterMs: requestNo === 1 ? 12_000 : 0,
  }))
  const server = await startServer({ database: store })
  await anEndpoint(server.url, ledger.url)
  const eventIds = await publish(server.url, 1)
  await ledger.untilOpen(1)
  server.signal('SIGTERM')
  await server.printed('stopping')
  // What follows within a second is taken for the same signal, which npm and the terminal both send.
  await pause(1100)
  const startedAt = performance.now()
  server.signal('SIGTERM')
  expect(await server.ended).toEqual({ code: 1, signal: null })
  // The answer would come after 12 s.
  expect(performance.now() - startedAt).toBeLessThan(10_000)

  const next = await startServer({ database: store })
  await until('it is delivered', () => isDrained(next.url))
  expect(await readDeliveries(next.url, eventIds)).toMatchObject([once])
  expect([...ledger.entries.values()]).toMatchObject([{ requests: 2, accepted: 1 }])
})

test('a process that was frozen for longer than its leases sends nothing under them, and loses nothing', {
  timeout: 300_000,
}, async () => {
  const store = database()
  const ledger = await startLedger(() => ({ status: 200, afterMs: 200 }))
  const flags = ['--total-timeout', '1s', '--headers-timeout', '1s', '--connect-timeout', '500ms']
  const server = await startServer({ database: store, flags })
  const policy = { max_attempts: 4, delays: ['100ms'], jitter: 'none' }
  await anEndpoint(server.url, ledger.url, { max_in_flight: 3, retry_policy: policy })
  const eventIds = await publish(server.url, 30)
  await until('there are leases that wait', () => readLeases(store).size > 4)
  server.signal('SIGSTOP')
  const held = readLeases(store)
  // The leases end while nobody runs, and nothing tells: only the process that holds them knows until when. What was sent
  // before is heard by then.
  await pause(leaseLength(1000) + 500)
  const waiting = [...held.keys()].filter((id) => !ledger.entries.has(id))
  const heard = [...ledger.entries.values()].reduce((sum, entry) => sum + entry.requests, 0)
  expect(waiting.length, 'leased and not sent when it froze').toBeGreaterThan(0)

  server.signal('SIGCONT')
  await until('everything is delivered', () => isDrained(server.url))
  const deliveries = await readDeliveries(server.url, eventIds)
  expect(new Set(deliveries.map((delivery) => delivery.state))).toEqual(new Set(['succeeded']))
  for (const { id, attempts } of deliveries.filter((delivery) => waiting.includes(delivery.id))) {
    for (const attempt of attempts) expect(attempt.claim_version).toBeGreaterThan(held.get(id) ?? 0)
    // A request under the old lease would be one more: its outcome is stale by then, and dropped.
    expect(ledger.entries.get(id)?.requests, `requests of ${id}`).toBe(attempts.length)
  }
  const twice = [...ledger.entries.values()].filter((entry) => entry.requests > 1)
  expect(twice.length, 'deliveries heard twice: at most those in flight when it froze').toBeLessThanOrEqual(3)
  process.stdout.write(
    `frozen: ${heard} heard before, ${waiting.length} leased and unsent, ${twice.length} heard twice\n`,
  )
})
