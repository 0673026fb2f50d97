/** Receivers that take a few requests a second, sent to by several nodes on one PostgreSQL. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, forEachOf, isDrained, until } from './api-calls.ts'
import { aNode, type ClusterNode } from './cluster-node.ts'
import { aDirectory } from './server-process.ts'
import { aThrottlingReceiver, type ThrottlingCounts, type ThrottlingSetup } from './throttling-receiver.ts'

const events = 200
const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

let schemas = 0

/** The first takes events and sends none; the others start when the test says so. */
async function someNodes(count: number) {
  const store = `${server.url}?schema=outhook_throttling_${process.pid}_${++schemas}`
  const env = { NODE_COMPILE_CACHE: join(aDirectory(), 'compiled') }
  const ingest = aNode('ingest', { store, env, flags: ['--role', 'api'] })
  await ingest.start()
  const nodes = Array.from({ length: count }, (_, no) => aNode(`node ${no + 1}`, { store, env }))
  return { ingest, nodes }
}

const retryPolicy = {
  max_attempts: 5,
  delays: ['1s', '2s', '4s', '8s'],
  jitter: 'none',
  retry_on: ['429', '503'],
}

/** An endpoint at a receiver of its own, with a topic of its own. */
async function aStorm(url: string, setup: ThrottlingSetup & { readonly rateLimitRps?: number }) {
  const receiver = await aThrottlingReceiver(setup)
  const topic = `storm.of${new URL(receiver.url).port}`
  const { rateLimitRps = null } = setup
  const body = { url: receiver.url, topics: [topic], retry_policy: retryPolicy, rate_limit_rps: rateLimitRps }
  await ask(url, '/v1/endpoints', { body })
  return { topic, counts: receiver.counts }
}

async function publishAll(node: ClusterNode, topic: string): Promise<void> {
  await forEachOf(Array(events).keys(), 5, async (no) => {
    await ask(node.url, '/v1/events', { body: { topic, payload: { no } } })
  })
}

async function untilDelivered(node: ClusterNode): Promise<void> {
  await until('every delivery comes to its end', () => isDrained(node.url).catch(() => false), 120_000)
}

function expectGentle(name: string, counts: ThrottlingCounts, withinMs = 60_000): void {
  process.stdout.write(`${name}: ${JSON.stringify(counts)}\n`)
  expect.soft(counts.taken, name).toBe(events)
  expect.soft(counts.refused, name).toBeLessThanOrEqual(60)
  expect.soft(counts.tookMs, name).toBeLessThanOrEqual(withinMs)
}

test('a receiver that takes five a second gets 200 waiting events from three nodes, with few refusals and no dead letter', async () => {
  const { ingest, nodes } = await someNodes(3)
  // Beside each other, as they are many.
  const storms = {
    '429 for seconds': await aStorm(ingest.url, { perSecond: 5, retryAfter: { seconds: 2 } }),
    '503 for seconds': await aStorm(ingest.url, { perSecond: 5, status: 503, retryAfter: { seconds: 2 } }),
    '429 until a date': await aStorm(ingest.url, { perSecond: 5, retryAfter: { dateInSeconds: 3 } }),
    'beside its own rate': await aStorm(ingest.url, {
      perSecond: 5,
      retryAfter: { seconds: 2 },
      rateLimitRps: 8,
    }),
  }
  for (const { topic } of Object.values(storms)) await publishAll(ingest, topic)
  await Promise.all(nodes.map((node) => node.start()))
  await untilDelivered(ingest)
  const { 'beside its own rate': rated, '429 until a date': dated, ...plain } = storms
  for (const [name, { counts }] of Object.entries(plain)) expectGentle(name, counts)
  // A date is a whole second, and three of them are longer than the two that the others ask for.
  expectGentle('429 until a date', dated.counts, 70_000)
  // A token of its rate that a refused request has spent is gone.
  expectGentle('beside its own rate', rated.counts, 75_000)
  expect((await ask(ingest.url, '/v1/deliveries?state=dead_lettered')).items).toEqual([])
}, 240_000)

test('a node that joins the storm and two that die in it cost a few refusals and no event', async () => {
  const { ingest, nodes } = await someNodes(4)
  const [first, , third, joining] = nodes as [ClusterNode, ClusterNode, ClusterNode, ClusterNode]
  const { topic, counts } = await aStorm(ingest.url, { perSecond: 5, retryAfter: { seconds: 2 } })
  await publishAll(ingest, topic)
  await Promise.all(nodes.slice(0, 3).map((node) => node.start()))
  await until('it is under way', () => counts.taken >= 40)
  await joining.start()
  await until('it goes on', () => counts.taken >= 80)
  await third.kill()
  // Whichever of them kept the pace: another takes it over.
  await until('it goes on', () => counts.taken >= 120)
  await first.kill()
  await untilDelivered(ingest)
  process.stdout.write(`nodes that join and die: ${JSON.stringify(counts)}\n`)
  expect(counts.taken).toBe(events)
  expect(counts.refused).toBeLessThanOrEqual(60)
  expect((await ask(ingest.url, '/v1/deliveries?state=dead_lettered')).items).toEqual([])
}, 300_000)
