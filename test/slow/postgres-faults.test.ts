/**
 * Every way in which a database can fail its nodes. Always: nothing is acknowledged that is not stored, publishing is
 * refused at once, everything goes on by itself, and the counts agree at the end.
 */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { aServer } from '../api/a-server.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import { startTraffic, type Traffic } from './database-traffic.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const unavailable = { code: 'store_unavailable' }
const limits = { timeout: 300_000 }

async function onServer(text: string, url = server.url): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  // One of the tests makes read-only the rule.
  await client.query('set default_transaction_read_only = off')
  await client.query(text).finally(() => client.end())
}

/** Those of a superuser too, so that nobody else gets in. */
async function takeAllConnections(): Promise<readonly pg.Client[]> {
  const taken: pg.Client[] = []
  for (;;) {
    const client = new pg.Client({ connectionString: server.url })
    client.on('error', () => {})
    try {
      await client.connect()
      taken.push(client)
    } catch (error) {
      if ((error as { readonly code?: string }).code === '53300') return taken
      throw error
    }
  }
}

const endAll = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'outhook %'`

/** Nothing is acknowledged and no node is ready until `end` is over; afterwards both go on. */
async function expectOutage(traffic: Traffic, end: () => Promise<unknown>): Promise<void> {
  await traffic.refusesAll()
  const before = traffic.acknowledged.size
  for (const node of traffic.nodes) await expect(node.engine.ping()).rejects.toMatchObject(unavailable)
  await traffic.refusesAll()
  expect(traffic.acknowledged.size).toBe(before)
  await end()
  await goesOn(traffic)
}

async function goesOn(traffic: Traffic): Promise<void> {
  await traffic.acknowledges(100)
  await traffic.delivers(100)
  // A question that was asked during the outage still waits for its answer, and whoever asks meanwhile waits for the same.
  for (const node of traffic.nodes) {
    const ready = () => node.engine.ping().then(() => 'ready', String)
    await expect.poll(ready, { timeout: 15_000 }).toBe('ready')
  }
}

it(
  'S1.42 S1.47 over HTTP a database out of reach is 503 at once and not ready, until it is back',
  limits,
  async () => {
    const proxy = await startTcpProxy(server.url)
    const store = `${proxy.through(server.url)}?schema=outhook_http_${process.pid}`
    const { call } = await aServer({ config: { store, masterKey: 'ab'.repeat(32) } })
    const publish = (key: string) =>
      call('POST', '/v1/events', {
        body: { topic: 'orders.created', payload: 1 },
        headers: { 'idempotency-key': key },
      })
    expect((await publish('before')).status).toBe(202)
    proxy.hold('everything')
    expect((await publish('found out')).status).toBe(503)
    const startedAt = performance.now()
    for (let count = 0; count < 50; count++) {
      const answer = await publish(`refused ${count}`)
      expect(answer).toMatchObject({ status: 503, json: { title: 'ingest unavailable' } })
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(answer.text).not.toContain(new URL(store).port)
    }
    const listed = await call('GET', '/v1/events')
    expect(listed).toMatchObject({ status: 503, json: { code: 'store_unavailable' } })
    expect(listed.text).not.toContain(new URL(store).port)
    // They did not wait for the network: that takes 2 s each.
    expect(performance.now() - startedAt).toBeLessThan(90_000)
    expect((await call('GET', '/readyz')).status).toBe(503)
    expect((await call('GET', '/healthz')).status).toBe(200)
    proxy.hold('nothing')
    await expect.poll(async () => (await call('GET', '/readyz')).status).toBe(200)
    expect((await publish('after')).status).toBe(202)
    await onServer(`drop schema outhook_http_${process.pid} cascade`)
  },
)

// A server that was named for the tests is not ours to end.
describe.skipIf(process.env.OUTHOOK_TEST_POSTGRES_URL)('traffic on two nodes survives', () => {
  it('every connection ended, again and again', limits, async () => {
    const traffic = await startTraffic(server)
    for (let round = 0; round < 10; round++) {
      await traffic.acknowledges(50)
      await onServer(endAll)
    }
    await goesOn(traffic)
    await traffic.settle('connections ended 10 times')
  })

  it('a server that is away for ten seconds', limits, async () => {
    const traffic = await startTraffic(server)
    await traffic.acknowledges(100)
    await server.crash()
    await expectOutage(traffic, async () => {
      await new Promise((resolve) => setTimeout(resolve, 10_000))
      await server.restart()
    })
    await traffic.settle('away for 10 s')
  })

  it('a network that swallows every packet', limits, async () => {
    const traffic = await startTraffic(server)
    await traffic.acknowledges(100)
    traffic.proxy.hold('everything')
    await expectOutage(traffic, async () => traffic.proxy.hold('nothing'))
    await traffic.settle('black hole')
  })

  it('a network that swallows the answers only', limits, async () => {
    const traffic = await startTraffic(server)
    await traffic.acknowledges(100)
    traffic.proxy.hold('answers')
    await expectOutage(traffic, async () => traffic.proxy.hold('nothing'))
    await traffic.settle('answers swallowed')
  })

  it('a server that has become read-only', limits, async () => {
    const traffic = await startTraffic(server)
    await traffic.acknowledges(100)
    onTestFinished(() => onServer('alter role postgres reset default_transaction_read_only'))
    await onServer('alter role postgres set default_transaction_read_only = on')
    await onServer(endAll)
    await expectOutage(traffic, () => onServer('alter role postgres reset default_transaction_read_only'))
    await traffic.settle('read-only')
  })

  it('a server whose connections are all taken by others', limits, async () => {
    const traffic = await startTraffic(server)
    await traffic.acknowledges(100)
    // Nobody gets in but the others.
    traffic.proxy.hold('everything')
    traffic.proxy.cut()
    const others = await takeAllConnections()
    traffic.proxy.hold('nothing')
    await expectOutage(traffic, () => Promise.all(others.map((other) => other.end())))
    await traffic.settle('connections exhausted')
  })

  it('a failover from a server that vanished without a word', limits, async () => {
    const primary = await newest.start()
    onTestFinished(() => primary.stop(), 60_000)
    const standby = await primary.startStandby()
    onTestFinished(() => standby.stop(), 60_000)
    await onServer(`alter system set synchronous_standby_names = 'standby'`, primary.url)
    await onServer('select pg_reload_conf()', primary.url)
    let current = primary
    const traffic = await startTraffic(primary, () => current.url)
    await traffic.acknowledges(100)
    traffic.proxy.hold('everything')
    await primary.crash()
    await expectOutage(traffic, async () => {
      await onServer('select pg_promote()', standby.url)
      current = standby
      traffic.proxy.pointTo(standby.url)
      traffic.proxy.cut()
      traffic.proxy.hold('nothing')
    })
    await traffic.settle('failover')
  })
})
