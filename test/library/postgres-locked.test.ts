/** Rows that another connection has locked on PostgreSQL, as receivers see it. */
import pg from 'pg'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { bytesToId, idPrefixes } from '../../src/core/ids.ts'
import { Outhook } from '../../src/index.ts'
import { anHttpServer } from '../delivery/an-app.ts'
import { patienceMs } from '../patience.ts'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let server: PostgresServer
beforeAll(async () => {
  server = await newest.start()
})
afterAll(() => server?.stop())

const schema = `outhook_locked_${process.pid}`

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  return client
}

/** Answers at once, but between `withhold` and `answerAll`. */
async function aReceiver() {
  const requests: string[] = []
  let withheld: (() => void)[] | null = null
  const url = await anHttpServer((request, response) => {
    requests.push(String(request.headers['outhook-delivery-id']))
    const answer = (): void => void response.writeHead(204).end()
    request.resume().on('end', () => {
      if (withheld === null) answer()
      else withheld.push(answer)
    })
  })
  const answerAll = (): void => {
    for (const answer of withheld ?? []) answer()
    withheld = null
  }
  const withhold = (): void => {
    withheld = []
  }
  return { url, requests, withhold, answerAll, waiting: () => withheld?.length ?? 0 }
}

test('50 locked rows of 200 delay their own outcomes alone, and no request is sent twice', async () => {
  const receiver = await aReceiver()
  onTestFinished(async () => {
    const client = await connect()
    await client.query(`drop schema if exists ${schema} cascade`)
    await client.end()
  })
  const hooks = await Outhook.open({
    store: `${server.url}?schema=${schema}`,
    masterKey: 'ab'.repeat(32),
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    maxInFlight: 512,
  })
  onTestFinished(() => hooks.close())
  const recorded = new Set<string>()
  hooks.on('attempt', ({ deliveryId }) => recorded.add(deliveryId))
  const { endpoint } = await hooks.endpoints.create({ url: receiver.url, topics: ['*'], maxInFlight: 250 })
  const publishMany = (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => hooks.publish({ topic: 'a', payload: { n } })))
  const areRecorded = (count: number) => expect.poll(() => recorded.size, { timeout: patienceMs }).toBe(count)
  // An endpoint that has never answered gets few requests at a time.
  await publishMany(1)
  await areRecorded(1)
  receiver.withhold()
  // What is handed off has no row that could be locked: these wait for their endpoint, and are claimed.
  await hooks.endpoints.update(endpoint.id, { enabled: false })
  await publishMany(200)
  await hooks.endpoints.update(endpoint.id, { enabled: true })
  await expect.poll(receiver.waiting, { timeout: patienceMs }).toBe(200)

  const locker = await connect()
  onTestFinished(() => locker.end())
  await locker.query('begin')
  const { rows } = await locker.query<{ id: string }>(
    `select id from ${schema}.live_deliveries order by id limit 50 for update`,
  )
  const locked = rows.map(({ id }) =>
    bytesToId(idPrefixes.delivery, Buffer.from(id.replaceAll('-', ''), 'hex')),
  )
  receiver.answerAll()
  await areRecorded(151)
  // What is published meanwhile arrives and is recorded too.
  await publishMany(20)
  await areRecorded(171)
  expect(locked.filter((id) => recorded.has(id))).toEqual([])

  await locker.query('rollback')
  await areRecorded(221)
  expect(receiver.requests).toHaveLength(221)
  expect(new Set(receiver.requests).size).toBe(221)
}, 90_000)
