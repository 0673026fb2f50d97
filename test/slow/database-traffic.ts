/** Nodes that publish and deliver all the time through a network that can be broken, and the count at the end. */
import pg from 'pg'
import { expect, onTestFinished } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import { anApp, anEndpointAt, aReceiver, publish, type TestApp } from '../delivery/an-app.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { startTcpProxy, type TcpProxy } from '../servers/tcp-proxy.ts'

const nodeCount = 2
const publishersPerNode = 3
const restMs = 5
const shortAttempts = { connectTimeout: '1s', headersTimeout: '2s', totalTimeout: '2s' }
/** A lease of such attempts is 17 s, and what it held is found soon after. */
const settleTimeoutMs = 30_000
const leaseTimeoutMs = 60_000

export interface Traffic {
  readonly proxy: TcpProxy
  readonly nodes: readonly TestApp[]
  /** Events that were acknowledged, and calls that were refused, so far. */
  readonly acknowledged: ReadonlySet<string>
  readonly refused: number
  /** The same schema, past the broken network. */
  sql<Row extends object>(text: string): Promise<readonly Row[]>
  /** Resolves when so many more were acknowledged; the test's own time limit is the only one. */
  acknowledges(more: number): Promise<void>
  /** Resolves when the next publish of every publisher was refused. */
  refusesAll(): Promise<void>
  /** Resolves when so many more deliveries have been recorded. */
  delivers(more: number): Promise<void>
  /** Ends publishing, waits for everything, and compares what was acknowledged with what arrived and what is stored. */
  settle(title: string): Promise<void>
}

let schemas = 0

/** `urlNow`: the server that has the data at the end. */
export async function startTraffic(server: PostgresServer, urlNow = () => server.url): Promise<Traffic> {
  const schema = `outhook_traffic_${process.pid}_${++schemas}`
  const proxy = await startTcpProxy(server.url)
  const receiver = await aReceiver({ keepRequests: 1_000_000 })
  const store = `${proxy.through(server.url)}?schema=${schema}`
  const options = { masterKey: 'ab'.repeat(32), ...shortAttempts }
  const nodes: TestApp[] = []
  for (let node = 0; node < nodeCount; node++) nodes.push(await anApp({ store, options }))
  const [first] = nodes
  if (first === undefined) throw new Error('no node')
  // Less than the load would take, so that some of it waits in the store and is claimed.
  await anEndpointAt(first.engine, `${receiver.url}/hook`, { maxInFlight: 2 })
  await anEndpointAt(first.engine, `${receiver.url}/hook`)

  const acknowledged = new Set<string>()
  let refused = 0
  let stopping = false
  const publishAgain = async (node: TestApp): Promise<void> => {
    while (!stopping) {
      try {
        acknowledged.add((await publish(node.engine)).eventId)
      } catch (error) {
        if (!(error instanceof OuthookError) || error.code !== 'store_unavailable') throw error
        refused++
      }
      await new Promise((resolve) => setTimeout(resolve, restMs))
    }
  }
  const publishing = Promise.all(
    nodes.flatMap((node) => Array.from({ length: publishersPerNode }, () => publishAgain(node))),
  )
  publishing.catch(() => {})
  onTestFinished(async () => {
    stopping = true
    await publishing
  })

  async function sql<Row extends object>(text: string): Promise<readonly Row[]> {
    const client = new pg.Client({ connectionString: urlNow() })
    await client.connect()
    try {
      await client.query(`set search_path to ${schema}`)
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end()
    }
  }
  const attempted = (): number => nodes.reduce((sum, node) => sum + node.attempts.length, 0)
  const passes = (value: () => number, more: number): Promise<void> => {
    const wanted = value() + more
    return expect.poll(value).toBeGreaterThanOrEqual(wanted)
  }

  return {
    proxy,
    nodes,
    acknowledged,
    get refused() {
      return refused
    },
    sql,
    acknowledges: (more) => passes(() => acknowledged.size, more),
    refusesAll: () => passes(() => refused, nodeCount * publishersPerNode),
    delivers: (more) => passes(attempted, more),
    async settle(title) {
      stopping = true
      await publishing
      const live = async () =>
        Number((await sql<{ n: string }>('select count(*) n from live_deliveries'))[0]?.n)
      await expect.poll(live, { timeout: settleTimeoutMs, interval: 200 }).toBe(0)
      await checkStore(sql)
      const arrivals = Map.groupBy(receiver.received, (request) => request.deliveryId).size
      const arrived = new Set(receiver.received.map((request) => request.eventId))
      const lost = [...acknowledged].filter((id) => !arrived.has(id))
      process.stdout.write(
        `${title}: ${acknowledged.size} acknowledged, ${refused} refused, ${lost.length} lost, ` +
          `${receiver.received.length - arrivals} duplicates\n`,
      )
      expect(lost).toEqual([])
    },
  }
}

/** Every delivery succeeded, with one attempt counted and one row of it, and the counts are those of the rows. */
async function checkStore(sql: Traffic['sql']): Promise<void> {
  expect(await sql(`select state, attempt_count from deliveries group by 1, 2`)).toEqual([
    { state: 'succeeded', attempt_count: 1 },
  ])
  const perDelivery = await sql(
    `select distinct (count(a.delivery_id) + count(d.started_at))::integer as attempts
     from deliveries d left join attempts a on a.delivery_id = d.id group by d.id`,
  )
  expect(perDelivery).toEqual([{ attempts: 1 }])
  // What was handed off by a commit whose answer was lost has no row until its lease ends, and is counted all the same.
  const differences = () =>
    sql(
      `select state, sum(n)::integer as n from (
         select state, sum(delta) as n from delivery_counts group by state
         union all select state, -count(*) from deliveries group by state) c
       group by state having sum(n) <> 0`,
    )
  await expect.poll(differences, { timeout: leaseTimeoutMs, interval: 200 }).toEqual([])
}
