/** Several processes on one PostgreSQL: nodes that start together, roles, and `--processes`. */
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, call, deliveriesOf, forEachOf, isDrained, until } from './api-calls.ts'
import { startLedger } from './ledger-receiver.ts'
import {
  adminToken,
  type ServerSetup,
  type StartingServer,
  spawnServer,
  startServer,
} from './server-process.ts'

const masterKey = 'ab'.repeat(32)
const otherKey = 'cd'.repeat(32)

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

interface TestStore {
  readonly setup: (flags?: readonly string[], env?: Readonly<Record<string, string>>) => ServerSetup
  sql<Row extends object>(text: string): Promise<readonly Row[]>
}

let schemas = 0
/** A schema of the test's own, empty. */
async function aStore(): Promise<TestStore> {
  const schema = `outhook_processes_${process.pid}_${++schemas}`
  const client = new pg.Client({ connectionString: postgres.url })
  client.on('error', () => {})
  await client.connect()
  await client.query(`set search_path to ${schema}`)
  onTestFinished(async () => {
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  const store = ['--store', `${postgres.url}?schema=${schema}`, '--master-key', masterKey]
  return {
    setup: (flags = [], env = {}) => ({ database: 'not used', flags: [...store, ...flags], env }),
    sql: async <Row extends object>(statement: string) => (await client.query<Row>(statement)).rows,
  }
}

async function aGroup(setup: ServerSetup): Promise<StartingServer & { readonly url: string }> {
  const group = spawnServer(setup)
  await group.printed('all workers are up')
  return { ...group, url: await group.listening }
}

interface LogLine {
  readonly message: string
  readonly worker?: number
  readonly pid?: number
  readonly signal?: string | null
}

function logOf({ output }: StartingServer, message: string): readonly LogLine[] {
  const lines = output().split('\n')
  return lines
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as LogLine)
    .filter((line) => line.message === message)
}

async function anEndpoint(url: string, receiver: string, settings: Readonly<Record<string, unknown>> = {}) {
  return ask(url, '/v1/endpoints', { body: { url: `${receiver}/hook`, topics: ['*'], ...settings } })
}

/** On a connection of its own, which any of the processes may get. Null: no answer. */
async function publishOnce(url: string, no: number): Promise<string | null> {
  const sent = httpRequest(`${url}/v1/events`, {
    method: 'POST',
    agent: false,
    headers: { authorization: `Bearer ${adminToken}` },
  })
  sent.end(JSON.stringify({ topic: 'group.test', payload: { no } }))
  try {
    const [response] = await once(sent, 'response')
    const body = await text(response)
    return response.statusCode === 202 ? JSON.parse(body).event_id : null
  } catch {
    return null
  }
}

async function publishMany(url: string, count: number): Promise<readonly string[]> {
  const ids: string[] = []
  await forEachOf(Array.from({ length: count }).keys(), 8, async (no) => {
    const id = await publishOnce(url, no)
    if (id !== null) ids.push(id)
  })
  return ids
}

async function readMetric(url: string, name: string, timeoutMs = patienceMs): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(timeoutMs) })).text()
  const line = metrics.split('\n').find((each) => each.startsWith(`${name} `))
  if (line === undefined) throw new Error(`/metrics does not tell ${name}`)
  return Number(line.slice(name.length + 1))
}

const acceptedEvents = 'outhook_ingest_events_total{result="accepted"}'

test('nodes that start together on an empty database make one schema and one admin token, and share keys', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const nodes = Array.from({ length: 4 }, () => spawnServer(store.setup([], { OUTHOOK_ADMIN_TOKEN: '' })))
  const urls = await Promise.all(nodes.map((node) => node.listening))
  await Promise.all(urls.map((url) => until('it is ready', async () => (await fetch(`${url}/readyz`)).ok)))
  const tokens = nodes.flatMap(({ output }) => output().match(/hkadm_[0-9a-f]{48}/g) ?? [])
  expect(tokens).toHaveLength(1)
  const [token = ''] = tokens
  const { key } = await ask(urls[0] ?? '', '/v1/keys', { token, body: { name: 'shared' } })
  for (const url of urls) {
    await ask(url, '/v1/events', { token: key, body: { topic: 'shared.key', payload: {} } })
  }
  expect(await readMetric(urls[3] ?? '', acceptedEvents)).toBe(1)
  for (const node of nodes) node.signal('SIGTERM')
  expect(await Promise.all(nodes.map((node) => node.ended))).toEqual(
    nodes.map(() => ({ code: 0, signal: null })),
  )
})

test('an API node stores and delivers nothing; a dispatcher delivers and serves only its own state', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const api = await startServer(store.setup(['--role', 'api']))
  await anEndpoint(api.url, ledger.url)
  const eventIds = await publishMany(api.url, 10)
  expect(eventIds).toHaveLength(10)
  for (const id of eventIds) {
    expect(await deliveriesOf(api.url, id)).toMatchObject([{ state: 'pending', attempt_count: 0 }])
  }
  expect(await store.sql('select 1 from live_deliveries where claim_version > 0')).toEqual([])

  const dispatcher = await startServer(store.setup(['--role', 'dispatcher'], { OUTHOOK_ADMIN_TOKEN: '' }))
  await until('all is delivered', () => isDrained(api.url))
  expect(ledger.requests).toBe(10)
  expect(dispatcher.output()).not.toContain('hkadm_')
  for (const path of ['/healthz', '/readyz', '/metrics']) {
    expect((await fetch(dispatcher.url + path)).status, path).toBe(200)
  }
  expect(await readMetric(dispatcher.url, 'outhook_attempt_duration_seconds_count')).toBe(10)
  expect(await readMetric(api.url, 'outhook_attempt_duration_seconds_count')).toBe(0)
  for (const path of ['/v1/deliveries', '/v1/whoami', '/docs', '/openapi.json']) {
    const refused = await call(dispatcher.url, path)
    expect(refused.status, path).toBe(404)
    expect(refused.json.detail).toContain('ask one whose --role is api or all')
  }
  expect((await call(dispatcher.url, '/v1/events', { body: { topic: 'a', payload: 1 } })).status).toBe(404)
})

test('a node with another master key refuses to start and names both', { timeout: 300_000 }, async () => {
  const store = await aStore()
  const first = await startServer(store.setup())
  for (const flags of [[], ['--processes', '2']]) {
    const second = spawnServer(store.setup(['--master-key', otherKey, ...flags]))
    expect(await second.ended).toEqual({ code: 2, signal: null })
    const [stored] = await store.sql<{ value: string }>(
      `select value from meta where name = 'master_key_check'`,
    )
    const said = /sealed under master key ([0-9a-f]{8}), and this process was given ([0-9a-f]{8})/g
    const [once, ...again] = [...second.output().matchAll(said)]
    expect(once?.[1]).toBe(stored?.value.split('.')[0])
    expect(once?.[2]).not.toBe(once?.[1])
    expect(again).toEqual([])
  }
  expect((await fetch(`${first.url}/readyz`)).ok).toBe(true)
})

test('without a master key a node does not start, and says how to make one', {
  timeout: 300_000,
}, async () => {
  const { flags = [] } = (await aStore()).setup()
  const node = spawnServer({ database: 'not used', flags: flags.slice(0, 2) })
  expect(await node.ended).toEqual({ code: 2, signal: null })
  expect(node.output()).toContain('make one with "openssl rand -hex 32" and give it as OUTHOOK_MASTER_KEY')
})

test('a schema that this Outhook is too old for is refused; one that is only newer is not', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const first = await startServer(store.setup())
  await store.sql(`insert into schema_migrations (version, name, oldest_compatible) values (98, 'newer', 1)`)
  const beside = await startServer(store.setup())
  expect((await fetch(`${beside.url}/readyz`)).ok).toBe(true)
  await store.sql(
    `insert into schema_migrations (version, name, oldest_compatible) values (99, 'breaking', 99)`,
  )
  const refused = spawnServer(store.setup())
  expect(await refused.ended).toEqual({ code: 1, signal: null })
  expect(refused.output()).toMatch(
    /schema 99, which needs an Outhook that knows schema 99; this one knows \d+; run a newer Outhook/,
  )
  expect((await fetch(`${first.url}/readyz`)).ok).toBe(true)
})

test('--processes shares one port, adds the metrics up, and its log says which worker', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const group = await aGroup(store.setup(['--processes', '3', '--log-level', 'debug']))
  expect(new Set(logOf(group, 'listening').map(({ worker }) => worker))).toEqual(new Set([1, 2, 3]))
  await anEndpoint(group.url, ledger.url)
  const eventIds = await publishMany(group.url, 90)
  expect(eventIds).toHaveLength(90)
  await until('all is delivered', () => isDrained(group.url))
  await until('every attempt is logged', () => logOf(group, 'attempt').length === 90)
  expect(new Set(logOf(group, 'attempt').map(({ worker }) => worker))).toEqual(new Set([1, 2, 3]))
  expect(await readMetric(group.url, acceptedEvents)).toBe(90)
  expect(await readMetric(group.url, 'outhook_attempt_duration_seconds_count')).toBe(90)
  expect(await readMetric(group.url, 'outhook_processes')).toBe(3)
  expect(await readMetric(group.url, 'outhook_deliveries{state="succeeded"}')).toBe(90)
  group.signal('SIGINT')
  expect(await group.ended).toEqual({ code: 0, signal: null })
})

test('a worker that is killed is replaced, nothing is lost, and counters do not fall', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const ledger = await startLedger(() => ({ status: 200, afterMs: 100 }))
  const timeouts = ['--total-timeout', '1s', '--headers-timeout', '1s', '--connect-timeout', '500ms']
  const group = await aGroup(store.setup(['--processes', '2', ...timeouts]))
  await anEndpoint(group.url, ledger.url, { max_in_flight: 8 })
  const publishing = publishMany(group.url, 400)
  await ledger.untilOpen(8)
  const before = await readMetric(group.url, acceptedEvents)
  const [victim] = logOf(group, 'worker started')
  process.kill(victim?.pid ?? -1, 'SIGKILL')
  await group.printed('a worker ended')
  expect(logOf(group, 'a worker ended')).toMatchObject([{ worker: 1, pid: victim?.pid, signal: 'SIGKILL' }])
  expect(await readMetric(group.url, acceptedEvents)).toBeGreaterThanOrEqual(before)
  const eventIds = await publishing
  await until('another has its place', () => logOf(group, 'listening').some(({ worker }) => worker === 3))
  await until('all is delivered', () => isDrained(group.url), 60_000)
  const heard = new Set(
    [...ledger.entries.values()].filter(({ accepted }) => accepted > 0).map((one) => one.eventId),
  )
  expect(eventIds.filter((id) => !heard.has(id))).toEqual([])
  expect(await readMetric(group.url, 'outhook_processes')).toBe(2)
  process.stdout.write(`worker killed: ${eventIds.length} of 400 acknowledged, ${ledger.requests} requests\n`)
  group.signal('SIGTERM')
  expect(await group.ended).toEqual({ code: 0, signal: null })
})

test('SIGTERM drains every worker: what is in flight ends, the rest is given back, and the exit code is 0', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const ledger = await startLedger(() => ({ status: 200, afterMs: 1000 }))
  const group = await aGroup(store.setup(['--processes', '2']))
  await anEndpoint(group.url, ledger.url, { max_in_flight: 3 })
  const eventIds = await publishMany(group.url, 20)
  await until('there is work in flight and work that waits', () => ledger.open >= 3)
  group.signal('SIGTERM')
  await group.printed('stopping')
  expect(await group.ended).toEqual({ code: 0, signal: null })
  const heard = [...ledger.entries.values()]
  expect(
    heard.filter((entry) => entry.accepted !== entry.requests),
    'cut off',
  ).toEqual([])
  expect(
    await store.sql(
      `select state from delivery_counts where state = 'in_flight' group by 1 having sum(delta) <> 0`,
    ),
  ).toEqual([])
  expect(
    logOf(group, 'stopped')
      .map(({ worker }) => worker)
      .toSorted(),
  ).toEqual([1, 2])

  const next = await startServer(store.setup())
  await until('the rest is delivered', () => isDrained(next.url))
  expect(ledger.requests, 'requests, none of them twice').toBe(eventIds.length)
})

test('a worker that does not end in time is ended, and the exit code says so', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const group = await aGroup(store.setup(['--processes', '2', '--drain-deadline', '0']))
  const [frozen] = logOf(group, 'worker started')
  const pid = frozen?.pid ?? -1
  onTestFinished(() => void (isAlive(pid) && process.kill(pid, 'SIGKILL')))
  process.kill(pid, 'SIGSTOP')
  // The other answers for both meanwhile, but to a connection that went to this one.
  await until('the other answers', async () => {
    return (await readMetric(group.url, 'outhook_processes', 3000).catch(() => null)) === 1
  })
  group.signal('SIGTERM')
  expect(await group.ended).toEqual({ code: 1, signal: null })
  expect(group.output()).toContain('worker 1 ended with SIGKILL while the group stopped')
})

test('a group whose own process is killed leaves no worker behind', { timeout: 300_000 }, async () => {
  const store = await aStore()
  const group = await aGroup(store.setup(['--processes', '2']))
  const pids = logOf(group, 'worker started').map(({ pid = -1 }) => pid)
  group.signal('SIGKILL')
  await until('the workers have ended', () => pids.every((pid) => !isAlive(pid)))
})

test('what keeps the workers from starting is said once, and ends the group with its exit code', {
  timeout: 300_000,
}, async () => {
  const store = await aStore()
  const holder = createServer().listen(0, '127.0.0.1')
  await once(holder, 'listening')
  onTestFinished(() => void holder.close())
  const { port } = holder.address() as { readonly port: number }
  const group = spawnServer(store.setup(['--processes', '3', '--port', String(port)]))
  expect(await group.ended).toEqual({ code: 2, signal: null })
  expect(group.output().match(/is taken: another process is listening there/g)).toHaveLength(1)
  expect(group.output()).toContain('worker 1 ended with 2 before all were up')
})

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
