/** Several programs on one PostgreSQL. */
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook, type PublishInput } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { aTracer } from '../observability/a-tracer.ts'
import { patienceMs } from '../patience.ts'
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
  const schema = `outhook_library_${process.pid}_${++schemas}`
  onTestFinished(async () => {
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  return `${server.url}?schema=${schema}`
}

const masterKey = 'ab'.repeat(32)

async function open(store: string, options: Partial<OpenOptions> = {}): Promise<Outhook> {
  const hooks = await Outhook.open({
    store,
    masterKey,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    ...options,
  })
  onTestFinished(() => hooks.close())
  return hooks
}

test('what one program publishes another delivers, each event once', async () => {
  const receiver = await aReceiver()
  const store = aStore()
  const [publisher] = await Promise.all([open(store, { dispatch: false }), open(store), open(store)])
  await publisher.endpoints.upsert({ uid: 'billing', url: `${receiver.url}/hook`, topics: ['orders.*'] })
  const published = await Promise.all(
    Array.from({ length: 100 }, (_, n) => publisher.publish({ topic: 'orders.created', payload: { n } })),
  )
  await receiver.waitFor(100, patienceMs)
  await Promise.all(published.map((event) => publisher.events.wait(event.id, { timeoutMs: patienceMs })))
  const received = receiver.received.map((request) => request.eventId)
  expect(received.toSorted()).toEqual(published.map((event) => event.id).toSorted())
})

test('a tenant publishes through all programs together as fast as its rate, and is told how long to wait', async () => {
  const store = aStore()
  const programs = await Promise.all([open(store, { dispatch: false }), open(store, { dispatch: false })])
  const [first] = programs as [Outhook, Outhook]
  const ingestRate = 20
  await first.tenants.create({ uid: 'acme', settings: { ingestRate } })
  const events = Array.from({ length: 4 * ingestRate }, (_, n) => ({ topic: 'a', payload: { n } }))
  const startedAt = performance.now()
  const results = await Promise.all(programs.map((program) => program.tenant('acme').publishMany(events)))
  const seconds = (performance.now() - startedAt) / 1000
  const taken = results.map((all) => all.filter(({ status }) => status === 'published').length)
  const together = taken.reduce((sum, count) => sum + count)
  // Two seconds' worth at once and what comes meanwhile, but for the twentieth of a second that each may hold.
  expect(together).toBeLessThanOrEqual(2 * ingestRate + Math.ceil(seconds * ingestRate))
  expect(together).toBeGreaterThanOrEqual(2 * ingestRate - 2)
  for (const all of results) {
    const refused = all.flatMap((each) => (each.status === 'failed' ? [each.error] : []))
    expect(refused[0]).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 })
  }
  for (const program of programs) {
    const isTaken = () =>
      program
        .tenant('acme')
        .publish({ topic: 'a', payload: 1 })
        .then(
          () => true,
          () => false,
        )
    await expect.poll(isTaken, { timeout: patienceMs }).toBe(true)
  }
})

test('an endpoint that one program changes is used as it is now by the others', async () => {
  const [before, after] = [await aReceiver(), await aReceiver()]
  const store = aStore()
  const owner = await open(store, { dispatch: false })
  await open(store)
  const endpoint = { uid: 'billing', topics: ['*'] }
  await owner.endpoints.upsert({ ...endpoint, url: `${before.url}/hook` })
  await owner.publish({ topic: 'a', payload: 1 })
  await before.waitFor(1, patienceMs)
  await owner.endpoints.upsert({ ...endpoint, url: `${after.url}/hook` })
  await owner.publish({ topic: 'a', payload: 2 })
  await after.waitFor(1, patienceMs)
  expect(before.received).toHaveLength(1)
})

test('without a master key nothing starts, and the error says how to make one', async () => {
  await expect(Outhook.open({ store: aStore() })).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('OUTHOOK_MASTER_KEY'),
  })
})

test('another master key than the first one is refused, with both fingerprints', async () => {
  const store = aStore()
  await open(store, { dispatch: false })
  await expect(Outhook.open({ store, masterKey: 'cd'.repeat(32) })).rejects.toMatchObject({
    code: 'wrong_master_key',
  })
})

test('an event that one process publishes in a trace is attempted in it by another, in a transaction too', async () => {
  const tracer = aTracer({ registered: false })
  onTestFinished(() => tracer.close())
  const receiver = await aReceiver()
  const store = aStore()
  const tracerProvider = tracer.provider
  const publisher = await open(store, { dispatch: false, tracerProvider })
  await open(store, { tracerProvider })
  await publisher.endpoints.create({ url: `${receiver.url}/succeed`, topics: ['*'] })
  const traces = ['4b', '5c'].map((byte) => byte.repeat(16))
  const [plain, within] = traces.map((id) => ({
    topic: 'a',
    payload: 1,
    traceparent: `00-${id}-00f067aa0ba902b7-01`,
    tracestate: 'shop="a"',
  }))
  await publisher.publish(plain as PublishInput<Record<string, unknown>>)
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query('begin')
  await publisher.publish(within as PublishInput<Record<string, unknown>>, { client })
  await client.query('commit')
  const attempts = await tracer.ended('outhook.attempt', 2)
  const published = tracer.spans('outhook.publish')
  const ofTrace = (spans: readonly ReadableSpan[]) =>
    traces.map((id) => spans.find((span) => span.spanContext().traceId === id))
  expect(ofTrace(attempts).map((span) => span?.links[0]?.context.spanId)).toEqual(
    ofTrace(published).map((span) => span?.spanContext().spanId),
  )
  expect(ofTrace(published).map((span) => span?.parentSpanContext?.spanId)).toEqual(
    Array(2).fill('00f067aa0ba902b7'),
  )
  for (const { headers } of await receiver.waitFor(2, patienceMs)) {
    expect(traces.map((id) => `00-${id}-`)).toContain(String(headers.traceparent).slice(0, 36))
    expect(headers.tracestate).toBe('shop="a"')
  }
  await tracer.ended('outhook.claim', 2)
})
