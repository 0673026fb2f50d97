/**
 * Four nodes on one PostgreSQL under constant publishing: killed, frozen, cut off, upgraded one by one, and their
 * database stopped hard. What the receivers heard is held against what publishers were told, event by event.
 *
 * The bound on duplicates: each lease is one claim version of a delivery and at most one request. So a delivery may
 * be heard as often as it has recorded attempts, and once more for each lease that was found without an outcome at
 * some fault and never got one.
 */
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { leaseLength } from '../../src/delivery/lease.ts'
import { startPostgres } from '../servers/postgres.ts'
import { startTcpProxy } from '../servers/tcp-proxy.ts'
import { ask, deliveriesOf, forEachOf, isDrained, type ReadDelivery, until } from './api-calls.ts'
import {
  checkAcknowledged,
  checkDuplicates,
  checkFaults,
  checkOutcomes,
  reportFindings,
} from './chaos-findings.ts'
import { type ChaosReceiver, chaosReceivers, totalTimeoutMs } from './chaos-receivers.ts'
import { type Cluster, createFaults, type Faults } from './cluster-faults.ts'
import { aNode, type ClusterNode } from './cluster-node.ts'
import { type DatabaseView, type LeaseId, openDatabaseView } from './leases-in-postgres.ts'
import { type Acknowledged, type Publishers, startPublishers } from './publishers.ts'
import { startReceiverProcess } from './receiver-process.ts'
import { seededRandom } from './seeded-random.ts'
import { aDirectory } from './server-process.ts'
import { type Build, buildThisVersion, makeNextVersion } from './two-versions.ts'

const kills = Number(process.env.CHAOS_KILLS ?? 20)
const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const databaseDownMs = 10_000
/** Stuck work goes on within one lease and 5 s. */
const limitMs = leaseLength(totalTimeoutMs) + 5000

const timeout = `${totalTimeoutMs}`
const flags = [
  ...['--connect-timeout', '1s', '--headers-timeout', timeout, '--total-timeout', timeout],
  // Otherwise work of a receiver that stalls waits for the end of its pause.
  ...['--breaker-threshold', '0', '--disable-after', '0'],
]

test.skipIf(process.platform === 'win32' || process.env.OUTHOOK_TEST_POSTGRES_URL)(
  `S1.40 S1.41 four nodes on one PostgreSQL lose nothing over ${kills} kills, a freeze, cut networks, hard stops of the database and an upgrade`,
  { timeout: 600_000 },
  async () => {
    const random = seededRandom(seed)
    print(`seed ${seed} (CHAOS_SEED=${seed} repeats it)`)
    const { cluster, builds } = await openCluster(random)
    const { nodes, view, receivers } = cluster
    const oldNode = nodes.at(-1) as ClusterNode
    const url = () => (nodes.find((node) => node.isUp) as ClusterNode).url
    const faults = createFaults(cluster)
    try {
      await Promise.all(nodes.map((node) => node.start()))
      const deserved = await createEndpoints(url(), receivers.url)
      const publishers = await publish(cluster)
      await until('it is under way', async () => (await receivers.count()).requests > 100)

      await upgrade(nodes.slice(0, -1), builds.next)
      await inflictAll(faults, cluster)
      await upgrade([oldNode], builds.next)

      await publishers.stop()
      const drainsFrom = performance.now()
      await until(
        'every delivery comes to its end',
        () => isDrained(url()).catch(() => false),
        limitMs + 60_000,
      )
      print(`drained ${Math.round(performance.now() - drainsFrom)} ms after the last publish`)

      await faults.untilSettled()
      const read = await readAll(url(), publishers.acknowledged)
      const received = await receivers.read()
      const findings = { publishers, read, received, deserved, log: faults, limitMs }
      reportFindings(findings, print)
      checkAcknowledged(findings)
      checkOutcomes(findings)
      checkDuplicates(findings)
      checkFaults(findings)
      for (const { agent } of [builds.this, builds.next])
        expect(received.agents.get(agent)).toBeGreaterThan(50)
      const [schema] = await view.sql('select max(version) as version from schema_migrations')
      expect(schema).toEqual({ version: builds.next.schemaVersion })
      const endings = await Promise.all(nodes.map((node) => node.drain()))
      expect(endings).toEqual(nodes.map(() => ({ code: 0, signal: null })))
    } catch (error) {
      await printEvidence(cluster)
      throw error
    }
  },
)

/** Not all at once, so that each fault finds the nodes at work. */
async function inflictAll(faults: Faults, { nodes }: Cluster): Promise<void> {
  await faults.kill(Math.ceil(kills * 0.2), nodes.at(-1))
  await faults.untilAllUp()
  await faults.stopDatabase(databaseDownMs)
  await Promise.all([
    faults.kill(Math.ceil(kills * 0.4)),
    faults.freeze(nodes[0] as ClusterNode),
    faults.cutNetwork(6000, 'heal').then(() => faults.cutNetwork(3000, 'reset')),
  ])
  await faults.untilAllUp()
  await faults.stopDatabase(databaseDownMs)
  await faults.kill(Math.ceil(kills * 0.4))
  await faults.untilAllUp()
  await faults.stopDatabase(databaseDownMs)
}

async function openCluster(random: () => number) {
  const directory = aDirectory()
  const [server, receivers, thisBuild] = await Promise.all([
    startPostgres('18'),
    startReceiverProcess(seed),
    buildThisVersion(directory),
  ])
  onTestFinished(() => server.stop())
  const builds = { this: thisBuild, next: makeNextVersion(directory) }
  const proxy = await startTcpProxy(server.url)
  const env = { NODE_COMPILE_CACHE: join(directory, 'compiled') }
  const nodes = [server.url, server.url, server.url, proxy.through(server.url)].map((store, no) =>
    aNode(`node ${no + 1}`, { store, flags, env, entry: thisBuild.entry }),
  )
  const view = openDatabaseView(server.url)
  const cluster: Cluster = {
    server,
    view,
    nodes,
    proxy,
    receivers,
    random,
    limitMs,
    onOverdue: (left) => void printOverdue(view, left),
  }
  return { cluster, builds }
}

/** What each endpoint deserves, by its id. */
async function createEndpoints(
  url: string,
  receiverUrl: string,
): Promise<ReadonlyMap<string, ChaosReceiver>> {
  const byId = new Map<string, ChaosReceiver>()
  for (const receiver of chaosReceivers) {
    const { path, topics, maxAttempts } = receiver
    const retryPolicy = { max_attempts: maxAttempts, delays: ['50ms', '150ms', '300ms'], jitter: 'none' }
    const body = { url: receiverUrl + path, topics, retry_policy: retryPolicy, max_in_flight: 1000 }
    byId.set((await ask(url, '/v1/endpoints', { body })).id, receiver)
  }
  return byId
}

/** Publishers know the addresses of all nodes, and keep away for a while from one that did not answer. */
async function publish({ nodes, random }: Cluster): Promise<Publishers> {
  const { key: token } = await ask((nodes[0] as ClusterNode).url, '/v1/keys', { body: { name: 'publisher' } })
  const avoidedUntil = new Map<string, number>()
  const url = (): string => {
    const urls = nodes.map((node) => node.url)
    const fine = urls.filter((each) => (avoidedUntil.get(each) ?? 0) < Date.now())
    const among = fine.length > 0 ? fine : urls
    return among[Math.floor(random() * among.length)] as string
  }
  return startPublishers({
    callers: 4,
    everyMs: () => 80 + random() * 120,
    token,
    url,
    timeoutMs: 3000,
    onUnanswered: (failed) => avoidedUntil.set(failed, Date.now() + 1000),
    topicOf: (no) => (no % 8 === 0 ? 'chaos.rare' : 'chaos.plain'),
  })
}

/** One node after the other ends in order and comes back as another build. */
async function upgrade(nodes: readonly ClusterNode[], build: Build): Promise<void> {
  for (const node of nodes) {
    expect(await node.drain(), `${node.name}\n${node.output.slice(-2000)}`).toEqual({ code: 0, signal: null })
    await node.start(build.entry)
  }
}

type Read = ReadonlyMap<string, readonly ReadDelivery[]>

async function readAll(url: string, acknowledged: ReadonlyMap<string, Acknowledged>): Promise<Read> {
  const read = new Map<string, readonly ReadDelivery[]>()
  await forEachOf(acknowledged.values(), 8, async ({ eventId }) => {
    read.set(eventId, await deliveriesOf(url, eventId))
  })
  return read
}

/** Why nobody has taken them over: printed at once, because later it is gone. */
async function printOverdue(view: DatabaseView, left: ReadonlySet<LeaseId>): Promise<void> {
  const now = '(extract(epoch from clock_timestamp()) * 1000)::bigint'
  const rows = await view.sql(
    `select l.target_id, count(*)::integer, max(${now} - l.due_at) as late_ms, max(l.lost_claims) as lost_claims,
       max(r.next_at) - ${now} as ready_in, max(s.paused_until) - ${now} as paused_for,
       (select count(*)::integer from live_deliveries a where a.target_id = l.target_id and a.due_at <= ${now}) as due,
       (select json_agg(json_build_object('node', left(h.node_id::text, 8), 'slots', h.slots, 'wants', h.wants_until - ${now},
          'alive_for', n.until - ${now})) from endpoint_shares h left join nodes n on n.id = h.node_id
        where h.target_id = l.target_id) as shares
     from live_deliveries l left join ready_endpoints r using (target_id) left join endpoint_state s using (target_id)
     where l.due_at <= ${now} group by l.target_id`,
  )
  const alive = await view.sql(`select left(id::text, 8) as id, until - ${now} as alive_for from nodes`)
  print(`overdue: ${left.size}, such as ${left.values().next().value}; ${JSON.stringify({ rows, alive })}`)
}

/** What is needed to find out why a run failed. */
async function printEvidence({ view, nodes }: Cluster): Promise<void> {
  const tables = {
    live: `select state, reason, target_id, count(*)::integer, max(lost_claims) as lost_claims,
             min(due_at) - (extract(epoch from clock_timestamp()) * 1000)::bigint as first_due_in
           from live_deliveries group by 1, 2, 3 order by 1, 2, 3`,
    ready: 'select * from ready_endpoints',
    health: 'select * from endpoint_state',
    connections: `select application_name, state, wait_event_type, wait_event, count(*)::integer,
                    max(clock_timestamp() - xact_start)::text as open_for
                  from pg_stat_activity where datname is not null group by 1, 2, 3, 4`,
  }
  for (const [name, sql] of Object.entries(tables)) {
    print(`${name}: ${await view.sql(sql).then((rows) => JSON.stringify(rows), String)}`)
  }
  for (const node of nodes) {
    const metrics = await fetch(`${node.url}/metrics`, { signal: AbortSignal.timeout(5000) })
      .then((response) => response.text())
      .catch(String)
    const telling = metrics.match(/^outhook_(?!attempt_duration).* [1-9]\d*$/gm)?.join('; ')
    print(`${node.name}, ${node.isUp ? 'up' : 'down'}: ${telling ?? metrics}`)
    print(`${node.name} printed at last:\n${node.output.split('\n').slice(-20).join('\n')}`)
  }
}

function print(line: string): void {
  process.stdout.write(`cluster: ${line}\n`)
}
