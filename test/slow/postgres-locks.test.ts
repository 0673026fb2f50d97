/** Rows that somebody else's connection has locked: for longer than a lease lasts, and at random under load. */
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { bytesToId, idPrefixes } from '../../src/core/ids.ts'
import { leaseLength } from '../../src/delivery/lease.ts'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { pause, until } from './api-calls.ts'
import { seededRandom } from './seeded-random.ts'

const totalTimeoutMs = 5000
const leaseMs = leaseLength(totalTimeoutMs)
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
}, 60_000)
afterAll(() => server?.stop(), 60_000)

let schemas = 0

function aStore() {
  const schema = `outhook_locks_${process.pid}_${++schemas}`
  const open = async (options: Partial<OpenOptions> = {}): Promise<Outhook> => {
    const hooks = await Outhook.open({
      store: `${server.url}?schema=${schema}`,
      masterKey: 'ab'.repeat(32),
      allowHttp: true,
      allowNetworks: ['127.0.0.0/8'],
      connectTimeout: totalTimeoutMs,
      headersTimeout: totalTimeoutMs,
      totalTimeout: totalTimeoutMs,
      ...options,
    })
    onTestFinished(() => hooks.close())
    return hooks
  }
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    onTestFinished(() => client.end())
    await client.query(`set search_path to ${schema}`)
    return client
  }
  return { open, connect }
}

/** Counts the requests for each delivery, and answers at once or, between two calls, not yet. */
async function aReceiver(refuses: () => boolean = () => false) {
  const requests = new Map<string, number>()
  let withheld: (() => void)[] | null = null
  const url = await anHttpServer((request, response) => {
    const id = String(request.headers['outhook-delivery-id'])
    requests.set(id, (requests.get(id) ?? 0) + 1)
    const status = refuses() ? 500 : 204
    const answer = (): void => void response.writeHead(status).end()
    request.resume().on('end', () => {
      if (withheld === null) answer()
      else withheld.push(answer)
    })
  })
  return {
    url,
    requests,
    waiting: () => withheld?.length ?? 0,
    withhold() {
      withheld = []
    },
    answerAll() {
      for (const answer of withheld ?? []) answer()
      withheld = null
    },
  }
}

/** What was recorded of each delivery, to be held against what the receiver heard. */
function listen(hooks: Outhook) {
  const attempts = new Map<string, number>()
  const ended = new Set<string>()
  hooks.on('attempt', ({ deliveryId, state }) => {
    attempts.set(deliveryId, (attempts.get(deliveryId) ?? 0) + 1)
    if (state === 'succeeded') ended.add(deliveryId)
  })
  const unrecorded = (requests: ReadonlyMap<string, number>) =>
    Array.from(requests).flatMap(([id, count]) => (count > (attempts.get(id) ?? 0) ? [id] : []))
  return { ended, unrecorded }
}

/** Of the rows that stand, the oldest that nobody else has locked; until the transaction ends. */
async function lockRows(
  client: pg.Client,
  { count }: { readonly count: number },
): Promise<readonly string[]> {
  await client.query('begin')
  const { rows } = await client.query<{ id: string }>(
    `select id from live_deliveries order by id limit ${count} for update skip locked`,
  )
  return rows.map(({ id }) => bytesToId(idPrefixes.delivery, Buffer.from(id.replaceAll('-', ''), 'hex')))
}

test('of 200 deliveries in flight only the 50 whose rows are locked for longer than a lease may come twice', async () => {
  const { open, connect } = aStore()
  const receiver = await aReceiver()
  // It hands nothing off, so that everything is claimed.
  const publisher = await open({ dispatch: false })
  await publisher.endpoints.create({ url: receiver.url, topics: ['*'], maxInFlight: 250 })
  const hooks = await open({ maxInFlight: 512 })
  const { ended, unrecorded } = listen(hooks)
  const publishMany = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => publisher.publish({ topic: 'a', payload: { n } })))
  // An endpoint that has never answered gets few requests at a time.
  await publishMany(1)
  await until('the endpoint has answered', () => ended.size === 1)
  receiver.withhold()
  await publishMany(200)
  await until('all are in flight', () => receiver.waiting() === 200)
  const locker = await connect()
  const locked = new Set(await lockRows(locker, { count: 50 }))
  const lockedAt = performance.now()
  receiver.answerAll()
  await until('the others are recorded', () => ended.size === 151)
  await until('their leases are over', () => performance.now() - lockedAt > leaseMs + 2000)
  await locker.query('rollback')
  await until('the locked are recorded as well', () => ended.size === 201)
  const twice = unrecorded(receiver.requests)
  process.stdout.write(`locks: ${locked.size} rows for ${leaseMs + 2000} ms, ${twice.length} came twice\n`)
  expect(locked.size).toBe(50)
  expect(twice.filter((id) => !locked.has(id))).toEqual([])
}, 180_000)

test('under constant publishing with rows locked at random nothing is lost, and only what was locked may come twice', async () => {
  const random = seededRandom(seed)
  const { open, connect } = aStore()
  const receiver = await aReceiver(() => random() < 0.2)
  const publisher = await open({ dispatch: false })
  const retryPolicy = { max_attempts: 50, delays: ['200ms'], jitter: 'none' } as const
  await publisher.endpoints.create({ url: receiver.url, topics: ['*'], maxInFlight: 100, retryPolicy })
  const hooks = await open({ breakerThreshold: 0 })
  const { ended, unrecorded } = listen(hooks)
  const endsAt = performance.now() + leaseMs + 15_000
  const locked = new Set<string>()
  let locks = 0
  const lockAgainAndAgain = async (longestMs: number) => {
    const client = await connect()
    while (performance.now() < endsAt) {
      for (const id of await lockRows(client, { count: 1 + Math.floor(random() * 20) })) locked.add(id)
      locks++
      await pause(50 + random() * longestMs)
      await client.query('rollback')
    }
  }
  const deliveries: string[] = []
  const publishAll = async (hooks: Outhook) => {
    while (performance.now() < endsAt) {
      const { deliveryIds } = await hooks.publish({ topic: 'a', payload: { n: deliveries.length } })
      deliveries.push(...deliveryIds)
      await pause(40)
    }
  }
  // One of the lockers for longer than leases last.
  const lockers = [500, 500, 3000].map(lockAgainAndAgain)
  await Promise.all([...lockers, lockAgainAndAgain(leaseMs + 8000), publishAll(publisher), publishAll(hooks)])
  await until('everything is delivered', () => deliveries.every((id) => ended.has(id)))
  const twice = unrecorded(receiver.requests)
  const counts = { seed, deliveries: deliveries.length, locks, locked: locked.size, twice: twice.length }
  process.stdout.write(`chaos of locks: ${JSON.stringify(counts)}\n`)
  expect(twice.filter((id) => !locked.has(id))).toEqual([])
  expect(locked.size).toBeGreaterThan(20)
}, 240_000)
