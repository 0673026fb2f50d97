/** An endpoint's limits hold for all programs on one PostgreSQL together, as its receiver sees them. */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

let schemas = 0
function aStore(): string {
  const schema = `outhook_limits_${process.pid}_${++schemas}`
  onTestFinished(async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  return `${server.url}?schema=${schema}`
}

async function open(store: string, options: Partial<OpenOptions> = {}): Promise<Outhook> {
  const hooks = await Outhook.open({
    store,
    masterKey: 'ab'.repeat(32),
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
  onTestFinished(() => hooks.close())
  return hooks
}

/** Answers after a while, and counts how many requests are open. */
async function aSlowReceiver(latencyMs: number) {
  const seen = { open: 0, most: 0, arrivals: [] as number[] }
  const waiters = new Set<() => void>()
  const url = await anHttpServer((request, response) => {
    seen.arrivals.push(performance.now())
    seen.open++
    seen.most = Math.max(seen.most, seen.open)
    request.resume().on('end', async () => {
      await delay(latencyMs)
      seen.open--
      response.writeHead(204).end()
      for (const check of waiters) check()
    })
  })
  const waitFor = (count: number) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (seen.arrivals.length >= count && seen.open === 0) resolve()
      }
      waiters.add(check)
      check()
    })
  return { url, seen, waitFor }
}

const publishAll = (programs: readonly Outhook[], count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, n) =>
      (programs[n % programs.length] as Outhook).publish({ topic: 'a', payload: { n } }),
    ),
  )

test('no more requests are open than max_in_flight, from three programs that publish and deliver', async () => {
  const receiver = await aSlowReceiver(60)
  const store = aStore()
  const programs = [await open(store), await open(store), await open(store)]
  const delivered = programs.map((program) => {
    const seen = { count: 0 }
    program.on('attempt', () => seen.count++)
    return seen
  })
  await programs[0]?.endpoints.create({ url: receiver.url, topics: ['*'], maxInFlight: 24 })
  // Whoever came last has a part of it too before long.
  for (let wave = 1; wave <= 3 || delivered.some(({ count }) => count === 0); wave++) {
    await publishAll(programs, 150)
    await receiver.waitFor(150 * wave)
  }
  expect(receiver.seen.most).toBeLessThanOrEqual(24)
  expect(receiver.seen.most).toBeGreaterThan(16)
})

test('a program that is alone again gets all slots of an endpoint', async () => {
  const receiver = await aSlowReceiver(50)
  const store = aStore()
  const [stays, leaves] = [await open(store), await open(store)]
  await stays.endpoints.create({ url: receiver.url, topics: ['*'], maxInFlight: 8 })
  await publishAll([stays, leaves], 40)
  await receiver.waitFor(40)
  expect(receiver.seen.most).toBeLessThanOrEqual(8)
  await leaves.close()
  receiver.seen.most = 0
  await publishAll([stays], 80)
  await receiver.waitFor(120)
  expect(receiver.seen.most).toBe(8)
})

test('S1.39 a rate of 20 holds for 200 events of three programs, and costs no attempt', async () => {
  const receiver = await aSlowReceiver(5)
  const store = aStore()
  const programs = [await open(store), await open(store), await open(store)]
  const attempts: number[] = []
  for (const program of programs) program.on('attempt', ({ attemptNo }) => attempts.push(attemptNo))
  const rps = 20
  await programs[0]?.endpoints.create({ url: receiver.url, topics: ['*'], rateLimitRps: rps })
  for (let wave = 1; wave <= 3; wave++) {
    await publishAll(programs, 10)
    await receiver.waitFor(10 * wave)
  }
  const published = await publishAll(programs, 170)
  // At the moment at which there is a token nobody waits for one.
  await expect
    .poll(() => programs[0]?.deliveries.get(published.at(-1)?.deliveryIds[0] ?? ''), { interval: 10 })
    .toMatchObject({ state: 'pending', reason: 'rate_limited', attemptCount: 0 })
  await receiver.waitFor(200)
  const { arrivals } = receiver.seen
  // A token is spent a moment before its request arrives.
  const onTheWayMs = 500
  for (const [from, start] of arrivals.entries()) {
    for (const [to, end] of arrivals.entries()) {
      if (to < from) continue
      expect(to - from + 1).toBeLessThanOrEqual(2 * rps + ((end - start + onTheWayMs) * rps) / 1000)
    }
  }
  while (attempts.length < 200) await delay(10)
  expect(attempts.every((attemptNo) => attemptNo === 1)).toBe(true)
})
