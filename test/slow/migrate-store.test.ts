/**
 * A store that real publishing, delivering and failing filled, and whose server was killed amid its work, moves to
 * PostgreSQL by a command that is killed again and again; then a server there goes on with everything.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import pg from 'pg'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, call, until } from './api-calls.ts'
import { aDirectory, spawnServer, startServer } from './server-process.ts'

const [oldest] = testedServers()
if (oldest === undefined) throw new Error('no server to test on')
let postgres: PostgresServer
beforeAll(async () => {
  postgres = await oldest.start()
})
afterAll(() => postgres?.stop())

const entry = resolve(import.meta.dirname, '../../src/cli/main.ts')
const kills = 5
const flags = ['--breaker-threshold', '0', '--disable-after', '0']
/** What a parser and a serialiser would not bring back. */
const exactPayload = '{"no" :1,  "big":90071992547409931234.10,"twice":1,"twice":2,"text":"\\u00e9é\\/"}'

test('a store moves to PostgreSQL through kills of the copy, and a server there goes on with everything', {
  timeout: 300_000,
}, async () => {
  const database = join(aDirectory(), 'hooks.db')
  const store = aStore()
  const receiver = await startReceiver()
  const before = await fillStore(database, receiver)
  const requestsBefore = receiver.requests.length

  const steps = await killCopies(database, store)
  expect(steps).toHaveLength(kills)
  const half = spawnServer({ database, flags: ['--store', store, '--master-key', 'a'.repeat(64), ...flags] })
  expect((await half.ended).code).not.toBe(0)
  expect(half.output()).toMatch(/copy into this database is not finished.*migrate-store/)

  const copied = await runCopy(database, store)
  expect(copied).toMatchObject({ code: 0, result: { agree: true, finished_before: false } })
  const { counts, written } = copied.result
  const rows = counts.filter(({ table }) => table !== 'delivery_counts').map(({ target }) => target)
  expect(written).toBeLessThan(rows.reduce((sum, count) => sum + count))
  const live = stateOf(counts, 'live_deliveries')
  expect(live.retry_scheduled).toBe(1)
  // Parked, waiting, and the one whose request was open: its lease ended with the server that held it.
  expect(live.pending).toBe(2 + before.waiting.length)
  expect(live.in_flight).toBeUndefined()
  expect(stateOf(counts, 'deliveries')).toMatchObject({ dead_lettered: 1 })
  expect(await runCopy(database, store)).toMatchObject({ code: 0, result: { finished_before: true } })
  expect(receiver.requests).toHaveLength(requestsBefore)

  receiver.isUp = true
  const masterKey = readFileSync(`${database}.key`, 'utf8').trim()
  const server = await startServer({
    database,
    flags: ['--store', store, '--master-key', masterKey, ...flags],
  })
  await checkGoesOn(server.url, receiver, before)
  server.signal('SIGTERM')
  expect(await server.ended).toEqual({ code: 0, signal: null })
})

interface Filled {
  readonly producerKey: string
  /** Of the endpoint at /ok. */
  readonly secret: string
  readonly exact: string
  readonly dead: string
  readonly hanging: string
  readonly later: string
  readonly parked: string
  readonly disabled: string
  /** Waits behind the request that hangs. */
  readonly waiting: readonly string[]
}

/** The server is killed while one request is open. */
async function fillStore(database: string, receiver: Receiver): Promise<Filled> {
  const server = await startServer({ database, flags })
  const { url } = server
  const endpoint = (path: string, settings: object = {}) =>
    ask(url, '/v1/endpoints', { body: { url: receiver.url + path, topics: [path.slice(1)], ...settings } })
  const ok = await endpoint('/ok')
  const retryPolicy = { max_attempts: 3, delays: ['3s'], jitter: 'none' }
  await endpoint('/refuse', { retry_policy: retryPolicy })
  await endpoint('/later', { retry_policy: retryPolicy })
  await endpoint('/hang', { max_in_flight: 1 })
  const disabled = await endpoint('/parked')
  await ask(url, `/v1/endpoints/${disabled.id}`, { method: 'PATCH', body: { enabled: false } })
  const { key: producerKey } = await ask(url, '/v1/keys', { body: { name: 'shop' } })
  for (let batch = 0; batch < 6; batch++) {
    const events = Array.from({ length: 1000 }, (_, no) => ({ topic: 'ok', payload: { batch, no } }))
    await ask(url, '/v1/events/batch', { token: producerKey, body: { events } })
  }
  const publish = async (topic: string, payload = '{}', headers: Record<string, string> = {}) => {
    const body = `{"topic":"${topic}","payload":${payload}}`
    return (await ask(url, '/v1/events', { token: producerKey, body, headers })).delivery_ids[0] as string
  }
  const exact = await publish('ok', exactPayload, { 'idempotency-key': 'order-1' })
  const dead = await publish('refuse', exactPayload)
  const parked = await publish('parked', exactPayload)
  await until('the easy ones are delivered', () => receiver.requestsOf('/ok').length === 6001, 60_000)
  await until('one is given up', async () => (await ask(url, '/v1/dlq')).items.length === 1)
  const later = await publish('later', exactPayload)
  await until('a retry is planned', async () => (await stateAt(url, later)) === 'retry_scheduled')
  const hanging = await publish('hang', exactPayload)
  await until('a request is open', () => receiver.requestsOf('/hang').length === 1)
  const waiting = [await publish('hang'), await publish('hang')]
  server.signal('SIGKILL')
  await server.ended
  return {
    producerKey,
    secret: ok.secret,
    exact,
    dead,
    hanging,
    later,
    parked,
    disabled: disabled.id,
    waiting,
  }
}

async function stateAt(url: string, deliveryId: string): Promise<string> {
  return (await ask(url, `/v1/deliveries/${deliveryId}`)).state
}

/** Kills the copy whenever it has got further, and says where it was each time. */
async function killCopies(database: string, store: string): Promise<readonly string[]> {
  const killed: string[] = []
  while (killed.length < kills) {
    const child = spawnCopy(database, store)
    let said = ''
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk))
    const start = await readPosition(store)
    await until('the copy gets further', async () => {
      // The database was still at the last batch of the copy that was killed.
      if (child.exitCode === 1 && said.includes('has moved the copy on meanwhile; run it again')) return true
      if (child.exitCode !== null) throw new Error(`the copy ended with ${child.exitCode}: ${said}`)
      const now = await readPosition(store)
      return now !== null && now !== start
    })
    if (child.exitCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
    const reached = await readPosition(store)
    if (reached === null) throw new Error('the copy was over before it could be killed; copy more')
    killed.push(reached)
  }
  return killed
}

/** Where the copy has got to; null: it has not begun, or has ended. */
async function readPosition(store: string): Promise<string | null> {
  const schema = new URL(store).searchParams.get('schema')
  const found = await sql(`select to_regclass('${schema}.meta') is not null as there`)
  if (found[0]?.there !== true) return null
  const rows = await sql(`select value from ${schema}.meta where name = 'unfinished_copy'`)
  return (rows[0]?.value as string | undefined) ?? null
}

async function checkGoesOn(url: string, receiver: Receiver, before: Filled): Promise<void> {
  const isDelivered = (id: string) => async () => (await stateAt(url, id)) === 'succeeded'
  for (const id of [before.hanging, ...before.waiting, before.later]) {
    await until(`${id} is delivered`, isDelivered(id), 60_000)
  }
  // The one whose server was killed amid its request counts a lost claim, and no attempt.
  expect(await ask(url, `/v1/deliveries/${before.hanging}`)).toMatchObject({ attempt_count: 1 })
  expect(await ask(url, `/v1/deliveries/${before.later}`)).toMatchObject({ attempt_count: 2 })
  expect(await ask(url, `/v1/deliveries/${before.exact}`)).toMatchObject({
    state: 'succeeded',
    attempt_count: 1,
  })

  expect(await stateAt(url, before.parked)).toBe('pending')
  await ask(url, `/v1/endpoints/${before.disabled}`, { method: 'PATCH', body: { enabled: true } })
  await until('what was parked is delivered', isDelivered(before.parked))

  await ask(url, `/v1/dlq/${before.dead}/replay`, { method: 'POST' })
  await until('the dead letter is delivered', isDelivered(before.dead))
  for (const path of ['/hang', '/later', '/parked', '/refuse']) {
    expect(
      receiver.requestsOf(path).map(({ body }) => body.toString()),
      path,
    ).toContain(exactPayload)
  }

  const replayed = await call(url, '/v1/events', {
    token: before.producerKey,
    body: `{"topic":"ok","payload":${exactPayload}}`,
    headers: { 'idempotency-key': 'order-1' },
  })
  expect(replayed.json.delivery_ids).toEqual([before.exact])
  expect(replayed.headers.get('idempotent-replay')).toBe('true')

  const body = '{"topic":"ok","payload":"signed"}'
  const { delivery_ids: fresh } = await ask(url, '/v1/events', { token: before.producerKey, body })
  await until('a new event is delivered', isDelivered(fresh[0]))
  const signed = receiver.requestsOf('/ok').at(-1)
  new Webhook(before.secret).verify(signed?.body ?? '', signed?.headers as Record<string, string>)
  // Nothing that had been delivered before was sent again.
  expect(receiver.requestsOf('/ok')).toHaveLength(6002)
}

interface ReceivedAt {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

interface Receiver {
  readonly url: string
  readonly requests: readonly ReceivedAt[]
  requestsOf(path: string): readonly ReceivedAt[]
  /** From then on everything is answered with 200. */
  isUp: boolean
}

async function startReceiver(): Promise<Receiver> {
  const requests: ReceivedAt[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const { url: path = '', headers } = request
    requests.push({ path, headers, body: Buffer.concat(chunks) })
    if (path === '/hang' && !receiver.isUp) return
    const status = receiver.isUp || path === '/ok' ? 200 : path === '/refuse' ? 400 : 503
    response.writeHead(status).end()
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    requestsOf: (path) => requests.filter((request) => request.path === path),
    isUp: false,
  }
  return receiver
}

let schemas = 0
function aStore(): string {
  const schema = `outhook_moved_${process.pid}_${++schemas}`
  onTestFinished(async () => {
    await sql(`drop schema if exists ${schema} cascade`)
  })
  return `${postgres.url}?schema=${schema}`
}

async function sql(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

function spawnCopy(database: string, store: string): ChildProcess {
  const args = [entry, 'migrate-store', '--from', `sqlite:${database}`, '--to', store, '--json']
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

interface Count {
  readonly table: string
  readonly state: string | null
  readonly source: number
  readonly target: number
}

async function runCopy(database: string, store: string) {
  const child = spawnCopy(database, store)
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  const [code] = await once(child, 'close')
  if (out === '') throw new Error(`the copy ended with ${code}: ${err}`)
  const result = JSON.parse(out) as {
    readonly agree: boolean
    readonly written: number
    readonly finished_before: boolean
    readonly counts: readonly Count[]
  }
  return { code: code as number, result }
}

function stateOf(counts: readonly Count[], table: string): Readonly<Record<string, number>> {
  const rows = counts.filter((count) => count.table === table)
  return Object.fromEntries(rows.map(({ state, target }) => [state, target]))
}
