/** Rows of docs/compatibility.md on PostgreSQL, each with several processes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { leaseLength } from '../../src/delivery/lease.ts'
import { Outhook } from '../../src/index.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'
import { type Answer, ask, call, deliveriesOf, forEachOf, isDrained, until } from './api-calls.ts'
import { aNode, type ClusterNode, masterKey } from './cluster-node.ts'
import { forkChild } from './fork-child.ts'
import { type DatabaseView, openDatabaseView } from './leases-in-postgres.ts'
import { startLedger } from './ledger-receiver.ts'
import { buildThisVersion } from './two-versions.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
const isBorrowed = Boolean(process.env.OUTHOOK_TEST_POSTGRES_URL)
const totalTimeoutMs = 2000
const leaseMs = leaseLength(totalTimeoutMs)
const directory = mkdtempSync(join(tmpdir(), 'outhook-rows-'))
let server: PostgresServer
let entry: string
beforeAll(async () => {
  const [started, build] = await Promise.all([newest.start(), buildThisVersion(directory)])
  server = started
  entry = build.entry
})
afterAll(async () => {
  await server?.stop()
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
})

interface Cluster {
  readonly nodes: readonly [ClusterNode, ClusterNode, ...ClusterNode[]]
  readonly view: DatabaseView
}

let schemas = 0

function aSchema(): string {
  const schema = `outhook_rows_${process.pid}_${++schemas}`
  const view = openDatabaseView(server.url)
  onTestFinished(async () => void (await view.sql(`drop schema if exists ${schema} cascade`)))
  return schema
}

interface ClusterOptions {
  /** So many start at once, the others when the test says so. Default: all. */
  readonly started?: number
  /** By way of which the first reaches the database. */
  readonly proxy?: TcpProxy
  /** Of an attempt. Default: 2 s, which makes leases as short as they get. */
  readonly timeout?: string
  /** Default: it does all. */
  readonly roleOfFirst?: 'api'
}

/** So many nodes on a schema of their own. */
async function aCluster(count: number, options: ClusterOptions = {}): Promise<Cluster> {
  const { started = count, proxy, timeout = `${totalTimeoutMs}`, roleOfFirst = 'all' } = options
  const schema = aSchema()
  const timeouts = ['--connect-timeout', '1s', '--headers-timeout', timeout, '--total-timeout', timeout]
  const nodes = Array.from({ length: count }, (_, no) =>
    aNode(`node ${no + 1}`, {
      store: `${no === 0 && proxy ? proxy.through(server.url) : server.url}?schema=${schema}`,
      flags: [...timeouts, '--role', no === 0 ? roleOfFirst : 'all'],
      entry,
      env: { NODE_COMPILE_CACHE: join(directory, 'compiled') },
    }),
  )
  await Promise.all(nodes.slice(0, started).map((node) => node.start()))
  return { nodes: nodes as unknown as Cluster['nodes'], view: openDatabaseView(server.url, schema) }
}

function publishTo(node: ClusterNode, key: string, payload: unknown = { no: 1 }): Promise<Answer> {
  const body = { topic: 'rows.test', payload }
  return call(node.url, '/v1/events', { body, headers: { 'idempotency-key': key } })
}

async function anEndpoint(
  url: string,
  receiverUrl: string,
  settings: Readonly<Record<string, unknown>> = {},
) {
  const body = { url: `${receiverUrl}/hook`, topics: ['rows.*'], ...settings }
  return ask(url, '/v1/endpoints', { body })
}

/** Whoever holds leases and slots does not know it: for the store they are over. */
async function endLeases(view: DatabaseView): Promise<void> {
  await view.sql('update handoffs set until = 0')
  await view.sql('update nodes set until = 0')
}

const limit = { timeout: 300_000 }

test('S1.8 fifty posts of one key to three nodes make one event and forty-nine replays', limit, async () => {
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const { nodes, view } = await aCluster(3)
  const { url } = nodes[1]
  await anEndpoint(url, ledger.url)
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, no) => publishTo(nodes[no % 3] as ClusterNode, 'the-same')),
  )
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 202))
  expect(new Set(answers.map((answer) => answer.json.event_id)).size).toBe(1)
  expect(answers.filter((answer) => answer.headers.get('idempotent-replay') === 'true')).toHaveLength(49)
  await until('it is delivered', () => isDrained(url))
  expect(ledger.requests).toBe(1)
  expect(await view.sql('select count(*)::integer from events')).toEqual([{ count: 1 }])
})

test(
  'S3.2 what is published on two nodes under one idempotency key is one event and is sent once',
  limit,
  async () => {
    const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
    const { nodes } = await aCluster(2)
    const { url } = nodes[1]
    await anEndpoint(url, ledger.url)
    const first = await publishTo(nodes[0], 'run-7:node-3')
    const again = await publishTo(nodes[1], 'run-7:node-3')
    expect([first.status, again.status]).toEqual([202, 202])
    expect(again.json).toEqual(first.json)
    expect((await publishTo(nodes[1], 'run-7:node-3', { no: 2 })).status).toBe(409)
    await until('it is delivered', () => isDrained(url))
    expect(await deliveriesOf(url, first.json.event_id)).toMatchObject([
      { state: 'succeeded', attempt_count: 1 },
    ])
    expect(ledger.requests).toBe(1)
  },
)

test(
  'S3.1 S4.15 what a node acknowledged and did not send before its kill is sent by another',
  limit,
  async () => {
    const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
    const { nodes } = await aCluster(2, { started: 1, roleOfFirst: 'api' })
    const [first, other] = nodes
    await anEndpoint(first.url, ledger.url)
    const { event_id: eventId } = (await publishTo(first, 'before-the-kill')).json
    expect(await deliveriesOf(first.url, eventId)).toMatchObject([{ state: 'pending', attempt_count: 0 }])
    await first.kill()
    expect(ledger.requests).toBe(0)
    await other.start()
    await until('it is delivered', () => isDrained(other.url))
    expect(await deliveriesOf(other.url, eventId)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
    expect([...ledger.entries.values()]).toMatchObject([{ eventId, requests: 1 }])
  },
)

test('S3.3 of twenty workers in four processes one gets the due delivery', limit, async () => {
  const schema = aSchema()
  const hooks = await Outhook.open({
    ...{ store: `${server.url}?schema=${schema}`, masterKey, dispatch: false },
    ...{ allowHttp: true, allowNetworks: ['127.0.0.0/8'] },
  })
  onTestFinished(() => hooks.close())
  await hooks.endpoints.upsert({ uid: 'one', url: 'http://127.0.0.1:9/', topics: ['*'], maxInFlight: 1000 })
  const processes = await Promise.all(
    Array.from({ length: 4 }, () => forkChild('claimers-child.ts', [server.url, schema])),
  )
  for (let no = 0; no < 20; no++) {
    const { deliveryIds } = await hooks.publish({ topic: 'rows.test', payload: { no } })
    const claimed: string[] = []
    const claimTogether = () => Promise.all(processes.map((each) => each.ask('claim') as Promise<string[]>))
    // Those who come second pass over what the first is looking at, so that all may come away with nothing.
    await until('it is claimed', async () => claimed.push(...(await claimTogether()).flat()) > 0)
    expect([...claimed, ...(await claimTogether()).flat()]).toEqual(deliveryIds)
  }
})

test(
  'S1.39 the rate of an endpoint holds for three nodes together, and waiting costs no attempt',
  limit,
  async () => {
    const [perSecond, burst, count] = [20, 40, 200]
    const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
    const { nodes } = await aCluster(3)
    const { url } = nodes[1]
    await anEndpoint(url, ledger.url, { rate_limit_rps: perSecond })
    const answers = await Promise.all(
      Array.from({ length: count }, (_, no) => publishTo(nodes[no % 3] as ClusterNode, `rate-${no}`)),
    )
    await until('all are delivered', () => isDrained(url))
    await forEachOf(answers, 8, async ({ json }) => {
      expect(await deliveriesOf(url, json.event_id)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
    })
    expect(ledger.requests).toBe(count)
    const arrivals = Array.from(ledger.entries.values(), ({ arrivedAt }) => arrivedAt[0] as number).sort(
      (a, b) => a - b,
    )
    // A token is taken where the request starts; on the way some may gather for up to a second.
    const gatheredMs = 1000
    for (const [no, from] of arrivals.entries()) {
      const allowed = (at: number) => burst + (perSecond * (at - from + gatheredMs)) / 1000
      const tooMany = arrivals.slice(no).findIndex((at, after) => after + 1 > allowed(at))
      expect(tooMany, `requests after ${no}, beyond the rate`).toBe(-1)
    }
  },
)

test(
  'S1.41 the late outcome of a frozen node, whose lease another took over, changes nothing',
  limit,
  async () => {
    const [late, right] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    // The first answer would disable the endpoint.
    const ledger = await startLedger((_path, requestNo) =>
      requestNo === 1 ? { status: 410, afterMs: late.promise } : { status: 200, afterMs: right.promise },
    )
    const { nodes, view } = await aCluster(2, { started: 1, timeout: '20s' })
    const [frozen, other] = nodes
    const endpoint = await anEndpoint(frozen.url, ledger.url)
    const { event_id: eventId } = (await publishTo(frozen, 'late')).json
    await ledger.untilOpen(1)
    frozen.freeze()
    await endLeases(view)
    await other.start()
    await until('the other node attempts it', () => ledger.requests === 2)
    late.resolve()
    frozen.thaw()
    await until(
      'its outcome is dropped',
      async () => (await frozen.metric('outhook_stale_outcomes_total')) === 1,
    )
    expect(await deliveriesOf(other.url, eventId)).toMatchObject([{ state: 'in_flight', attempts: [] }])
    right.resolve()
    await until('it is delivered', () => isDrained(other.url))
    const [delivery] = await deliveriesOf(other.url, eventId)
    expect(delivery).toMatchObject({ state: 'succeeded', attempt_count: 1 })
    expect(delivery?.attempts).toMatchObject([{ status: 'success', http_status: 200, claim_version: 2 }])
    expect(await ask(other.url, `/v1/endpoints/${endpoint.id}`)).toMatchObject({ disabled_reason: null })
    expect(ledger.requests).toBe(2)
  },
)

test.skipIf(isBorrowed)(
  'S1.42 while the database is down every node answers 503, and what it said no to is not there',
  limit,
  async () => {
    const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
    const { nodes, view } = await aCluster(2)
    const { url } = nodes[1]
    await anEndpoint(url, ledger.url)
    await publishTo(nodes[0], 'before')
    await until('it is delivered', () => isDrained(url))
    await server.crash()
    const publishAll = () =>
      Promise.all(Array.from({ length: 10 }, (_, no) => publishTo(nodes[no % 2] as ClusterNode, `key-${no}`)))
    expect((await publishAll()).map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 503))
    await server.restart()
    expect(await view.sql('select count(*)::integer from events')).toEqual([{ count: 1 }])
    for (const node of nodes)
      await until(
        `${node.name} takes events again`,
        async () => (await publishTo(node, 'after')).status === 202,
      )
    expect((await publishAll()).map((answer) => answer.status)).toEqual(Array.from({ length: 10 }, () => 202))
    await until('they are delivered', () => isDrained(url))
    expect(ledger.requests).toBe(12)
  },
)

test(
  'S1.44 S3.9 350 due deliveries and the leases of a node that was killed are all completed by the others',
  limit,
  async () => {
    let isSlow = true
    const ledger = await startLedger(() => ({ status: 200, afterMs: isSlow ? 1000 : 0 }))
    const { nodes, view } = await aCluster(3)
    const { url } = nodes[1]
    await anEndpoint(url, ledger.url, { max_in_flight: 30 })
    const events = Array.from({ length: 350 }, (_, no) => ({ topic: 'rows.test', payload: { no } }))
    const { items } = await ask(nodes[0].url, '/v1/events/batch', { body: { events } })
    await until('the node is at work', async () => (await nodes[0].metric('outhook_in_flight')) >= 4)
    await nodes[0].kill()
    const leased = await view.leases()
    const heard = ledger.requests
    isSlow = false
    const killedAt = performance.now()
    await until('all are delivered', () => isDrained(url), leaseMs + 5000)
    const tookMs = Math.round(performance.now() - killedAt)
    process.stdout.write(
      `rows: ${leased.size} leases at the kill, ${heard} requests before it, done ${tookMs} ms after\n`,
    )
    expect(leased.size).toBeGreaterThan(0)
    await forEachOf(items as { readonly event_id: string }[], 8, async ({ event_id: id }) => {
      expect(await deliveriesOf(url, id)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
    })
    const leasedIds = new Set([...leased].map((lease) => lease.slice(0, lease.indexOf('.'))))
    expect(ledger.entries.size).toBe(350)
    for (const { deliveryId, requests } of ledger.entries.values()) {
      expect(requests, deliveryId).toBeLessThanOrEqual(leasedIds.has(deliveryId) ? 2 : 1)
    }
  },
)

test(
  'S3.8 what a node delivered and cannot record is sent again by another under the same id',
  limit,
  async () => {
    const proxy = await startTcpProxy(server.url)
    const arrived = Promise.withResolvers<void>()
    const isCut = Promise.withResolvers<void>()
    const ledger = await startLedger(() => {
      arrived.resolve()
      return { status: 200, afterMs: isCut.promise }
    })
    const { nodes, view } = await aCluster(2, { started: 1, proxy })
    const [first, other] = nodes
    await anEndpoint(first.url, ledger.url)
    const { event_id: eventId, delivery_ids: ids } = (await publishTo(first, 'unrecorded')).json
    await arrived.promise
    proxy.hold('everything')
    isCut.resolve()
    await until('the first is answered', () => ledger.entries.get(ids[0])?.accepted === 1)
    await endLeases(view)
    await other.start()
    await until('the other node delivers it', () => isDrained(other.url))
    proxy.hold('nothing')
    const dropped = () => first.metric('outhook_stale_outcomes_total')
    await until('the outcome of the first is dropped', async () => (await dropped()) === 1)
    expect(await deliveriesOf(other.url, eventId)).toMatchObject([
      { id: ids[0], state: 'succeeded', attempt_count: 1 },
    ])
    expect([...ledger.entries.values()]).toMatchObject([
      { deliveryId: ids[0], eventId, requests: 2, accepted: 2 },
    ])
  },
)

test(
  'S3.22 a store that fails while the secret is read costs no attempt, and the delivery is made later',
  limit,
  async () => {
    const ledger = await startLedger((_path, requestNo) => ({
      status: requestNo === 1 ? 500 : 200,
      afterMs: 0,
    }))
    const { nodes, view } = await aCluster(2)
    const { url } = nodes[1]
    const retryPolicy = { max_attempts: 2, delays: ['1s'], jitter: 'none' }
    await anEndpoint(url, ledger.url, { retry_policy: retryPolicy })
    const { event_id: eventId } = (await publishTo(nodes[0], 'secret')).json
    await until(
      'the first attempt fails',
      async () => (await deliveriesOf(url, eventId))[0]?.attempt_count === 1,
    )
    // A new version of the routing, so that no node uses what it has read before.
    await view.sql('alter table endpoint_secrets rename to out_of_reach')
    await view.sql('update tenants set routing_version = routing_version + 1')
    const failed = () => nodes.some((node) => node.output.includes('deliveries could not be claimed'))
    await until('a node cannot read the secret', failed)
    await view.sql('alter table out_of_reach rename to endpoint_secrets')
    await until('it is delivered', () => isDrained(url))
    const [delivery] = await deliveriesOf(url, eventId)
    expect(delivery).toMatchObject({ state: 'succeeded', attempt_count: 2 })
    expect(delivery?.attempts.map((attempt) => attempt.http_status)).toEqual([500, 200])
    expect(ledger.requests).toBe(2)
  },
)
