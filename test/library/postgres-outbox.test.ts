/** The outbox in a program's own SQLite file, relayed into a store on PostgreSQL. */
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { Outhook, publishInto } from '../../src/index.ts'
import { aReceiver } from '../delivery/an-app.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { makeProgramDirectory, openProgramFile } from './a-program-file.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
const directory = makeProgramDirectory()
const schema = `outhook_outbox_${process.pid}`
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(async () => {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  await client.query(`drop schema if exists ${schema} cascade`)
  await client.end()
  await server.stop()
  directory.remove()
})

async function open(path: string): Promise<Outhook> {
  const hooks = await Outhook.open({
    store: `${server.url}?schema=${schema}`,
    masterKey: 'ab'.repeat(32),
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    outboxes: [`sqlite:${path}`],
    logger: { debug() {}, info() {}, warn() {}, error() {} },
  })
  onTestFinished(() => hooks.close())
  return hooks
}

test('two relays of one file make one event of each row, under the row’s id, in the order of each key', async () => {
  const app = openProgramFile(join(directory.path, 'app.db'))
  onTestFinished(() => app.db.close())
  const receiver = await aReceiver()
  const [hooks] = await Promise.all([open(app.path), open(app.path)])
  await hooks.endpoints.create({ url: `${receiver.url}/hook`, topics: ['*'] })
  const ids: string[] = []
  for (let round = 0; round < 6; round++) {
    app.db.exec('begin immediate')
    for (let n = 0; n < 50; n++) {
      const orderingKey = n % 10 === 0 ? { orderingKey: 'k' } : {}
      ids.push(publishInto(app.db, { topic: 'orders.created', payload: { n }, ...orderingKey }))
    }
    app.db.exec('commit')
    await expect.poll(() => receiver.received.length).toBe(ids.length)
  }
  expect(receiver.received.map(({ eventId }) => eventId).toSorted()).toEqual(ids.toSorted())
  await expect.poll(() => app.count()).toBe(0)
  const { items } = await hooks.events.list({}, { limit: 200 })
  const keyed = items.filter(({ orderingKey }) => orderingKey === 'k').toReversed()
  const times = keyed.map(({ createdAt }) => createdAt)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
})

test('a row that comes again when its key is forgotten is known by its event, and another under that id is set aside', async () => {
  const app = openProgramFile(join(directory.path, 'again.db'))
  onTestFinished(() => app.db.close())
  const receiver = await aReceiver()
  const hooks = await open(app.path)
  await hooks.endpoints.create({ url: `${receiver.url}/hook`, topics: ['restored.row'] })
  const row = { topic: 'restored.row', payload: '{"n":1}' }
  const id = app.insert(row)
  await expect.poll(() => receiver.received.length).toBe(1)
  await expect.poll(() => app.count()).toBe(0)
  app.insert({ ...row, id, idempotency_key: 'other' })
  await expect.poll(() => app.count()).toBe(0)
  app.insert({ ...row, id, payload: '{"n":2}', idempotency_key: 'another' })
  app.insert({ ...row, tenant: 'nobody' })
  await expect.poll(() => app.count('error is not null')).toBe(2)
  expect(receiver.received).toHaveLength(1)
})
