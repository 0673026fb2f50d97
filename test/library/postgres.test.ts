/** Several programs on one PostgreSQL. */
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, Outhook } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
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
