/**
 * Ordered subscriptions while processes die: rows S1.36 and the promise of docs/guides/ordering.md, counted at the
 * receiver. Every kill finds requests open at its victim, so each leaves a head behind whose outcome nobody has recorded.
 */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type OrderedReceiver, outOfOrder, startOrderedReceiver } from '../ordered-receiver.ts'
import { startPostgres } from '../servers/postgres.ts'
import { ask, call, isDrained, pause, until } from './api-calls.ts'
import { aNode, type ClusterNode } from './cluster-node.ts'
import { aDirectory } from './server-process.ts'

const keys = ['key-a', 'key-b', 'key-c']
/** Publishers are so far ahead of the receiver at most, so that events are published all the time. */
const lead = 40
const flags = [
  ...['--connect-timeout', '500ms', '--headers-timeout', '2s', '--total-timeout', '2s'],
  ...['--breaker-threshold', '0', '--disable-after', '0'],
]

async function aReceiver(): Promise<OrderedReceiver> {
  const receiver = await startOrderedReceiver()
  onTestFinished(() => receiver.close())
  // Some are refused at first: a head that waits for its next attempt holds up its key too.
  for (const key of keys)
    receiver.answer(key, (no, requestNo) => (no % 17 === 0 && requestNo === 1 ? 503 : 200))
  return receiver
}

async function subscribe(url: string, receiver: OrderedReceiver): Promise<void> {
  const endpoint = await ask(url, '/v1/endpoints', { body: { url: receiver.url } })
  const retryPolicy = { max_attempts: 50, delays: ['20ms'], jitter: 'none' }
  const members = { topic_patterns: ['ordered'], ordered: true, retry_policy: retryPolicy }
  await ask(url, '/v1/subscriptions', { body: { endpoint_id: endpoint.id, ...members } })
}

/** Per key one event after the other, each until it is acknowledged, by whichever node is up. */
async function publishAll(
  nodes: readonly ClusterNode[],
  receiver: OrderedReceiver,
  count: number,
): Promise<void> {
  const publishOne = async (key: string, no: number) => {
    for (let tries = 0; ; tries++) {
      const { url } = nodes[(no + tries) % nodes.length] as ClusterNode
      const body = {
        topic: 'ordered',
        payload: { key, no },
        ordering_key: key,
        idempotency_key: `${key}-${no}`,
      }
      const answer = await call(url, '/v1/events', { body, timeoutMs: 3000 }).catch(() => null)
      if (answer?.status === 202) return
      await pause(50)
    }
  }
  await Promise.all(
    keys.map(async (key) => {
      for (let no = 1; no <= count; no++) {
        await until(`${key} is not too far behind`, () => receiver.accepted(key).length > no - lead, 240_000)
        await publishOne(key, no)
      }
    }),
  )
}

/** What was killed, and how often. */
type Kills = Map<ClusterNode, number>

/**
 * `kill -9` of a node while requests of it are open, of several at work the one that was killed the least; again until
 * one hit something. In turn: it starts again only when another one has taken over, or chance would decide whether all
 * kills are one node's.
 */
async function killAtWork({ victims: nodes, receiver, inTurn = false }: Run, kills: Kills): Promise<void> {
  for (let hit = false; !hit; ) {
    const before = receiver.cut
    const letGo = receiver.hold()
    const atWork = await findAtWork(nodes)
    const [victim] = atWork.toSorted((a, b) => (kills.get(a) ?? 0) - (kills.get(b) ?? 0))
    await victim?.kill()
    letGo()
    await until('they end with their sender', () => receiver.cut > before, 1000).catch(() => {})
    hit = receiver.cut > before
    if (victim !== undefined && hit) kills.set(victim, (kills.get(victim) ?? 0) + 1)
    if (hit && inTurn) {
      const letGoAgain = receiver.hold()
      await findAtWork(nodes.filter((node) => node !== victim))
      letGoAgain()
    }
    await victim?.start()
  }
}

/** Waits until some have requests open. */
async function findAtWork(nodes: readonly ClusterNode[]): Promise<readonly ClusterNode[]> {
  let atWork: readonly ClusterNode[] = []
  await until('a node has requests open', async () => {
    atWork = (await Promise.all(nodes.map(async (node) => ((await hasOpen(node)) ? [node] : [])))).flat()
    return atWork.length > 0
  })
  return atWork
}

async function hasOpen(node: ClusterNode): Promise<boolean> {
  return node.isUp && (await node.metric('outhook_in_flight').catch(() => 0)) > 0
}

function checkOrder(receiver: OrderedReceiver, count: number): void {
  for (const key of keys) {
    expect(outOfOrder(receiver.arrivals, key), key).toEqual([])
    const first = new Set(receiver.arrivals.filter((one) => one.key === key).map(({ no }) => no))
    expect([...first], key).toEqual(Array.from({ length: count }, (_, index) => index + 1))
    const firstAccepted = new Set(receiver.accepted(key))
    expect([...firstAccepted], key).toEqual([...first])
  }
}

const limit = { timeout: 300_000 }

interface Run {
  readonly nodes: readonly ClusterNode[]
  /** Those that are killed. */
  readonly victims: readonly ClusterNode[]
  readonly receiver: OrderedReceiver
  /** Events of each key. */
  readonly count: number
  /** So many kills, spread over the events. */
  readonly kills: number
  readonly inTurn?: boolean
}

async function runThrough(run: Run): Promise<Kills> {
  const { nodes, receiver, count, kills } = run
  const [first] = nodes as [ClusterNode]
  const killed: Kills = new Map()
  await subscribe(first.url, receiver)
  const published = publishAll(nodes, receiver, count)
  for (let no = 1; no <= kills; no++) {
    const arrived = (no * keys.length * count) / (kills + 1)
    await until(`${arrived} have come`, () => receiver.arrivals.length >= arrived, 120_000)
    await killAtWork(run, killed)
  }
  await published
  await until('all are delivered', () => isDrained(first.url), 120_000)
  checkOrder(receiver, count)
  const { arrivals, cut } = receiver
  process.stdout.write(`ordering: ${arrivals.length} requests, of which ${cut} ended with their sender\n`)
  return killed
}

test(
  '3 keys of 200 events each arrive in order, without gaps, over kill -9 of the one process on SQLite',
  limit,
  async () => {
    const receiver = await aReceiver()
    const node = aNode('the server', { store: join(aDirectory(), 'ordered.db'), flags })
    await node.start()
    const killed = await runThrough({ nodes: [node], victims: [node], receiver, count: 200, kills: 4 })
    expect([...killed.values()]).toEqual([4])
  },
)

test.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)(
  '3 keys of 200 events each arrive in order, without gaps, over kill -9 of two nodes on PostgreSQL in turn',
  limit,
  async () => {
    const { receiver, nodes } = await aCluster([[], []])
    const killed = await runThrough({
      nodes,
      victims: nodes,
      receiver,
      count: 200,
      kills: 3,
      inTurn: true,
    })
    expect(killed.size).toBe(2)
  },
)

test.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)(
  'S1.36 3 keys of 30 events each arrive strictly increasing while workers are killed',
  limit,
  async () => {
    const worker = ['--role', 'dispatcher']
    const { receiver, nodes } = await aCluster([['--role', 'api'], worker, worker])
    const [api, ...workers] = nodes as [ClusterNode, ...ClusterNode[]]
    const run = { nodes: [api], victims: workers, receiver, count: 30, kills: 2 }
    expect((await runThrough(run)).size).toBeGreaterThan(0)
  },
)

async function aCluster(roles: readonly (readonly string[])[]) {
  const receiver = await aReceiver()
  const server = await startPostgres('18')
  onTestFinished(() => server.stop())
  const nodes = roles.map((role, no) =>
    aNode(`node ${no + 1}`, { store: server.url, flags: [...flags, ...role] }),
  )
  await Promise.all(nodes.map((node) => node.start()))
  return { receiver, nodes }
}
