/** Direct sends survive the death of the process that accepted them, on both stores. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { ask, until } from './api-calls.ts'
import { startLedger } from './ledger-receiver.ts'
import { aDirectory, startServer } from './server-process.ts'

const newest = testedServers().at(-1)
let postgres: PostgresServer
beforeAll(async () => {
  if (newest === undefined) throw new Error('no server to test on')
  postgres = await newest.start()
})
afterAll(() => postgres?.stop())

const root = resolve(import.meta.dirname, '../..')
const env = { OUTHOOK_MASTER_KEY: 'ab'.repeat(32) }
/** Accepts, dispatches nothing, and waits to be killed. */
const sendAndHang = `
  const { Outhook } = await import(process.env.ROOT + '/src/index.ts')
  const hooks = await Outhook.open({
    store: process.env.STORE, dispatch: false, allowHttp: true, allowNetworks: ['127.0.0.0/8'],
  })
  const { endpoint } = await hooks.endpoints.upsert({ uid: 'a', url: process.env.RECEIVER + '/hook', topics: ['x'] })
  const places = [{ url: process.env.RECEIVER + '/direct' }, { endpointId: endpoint.id }]
  const sent = await Promise.all(places.map((place) => hooks.send({ ...place, method: 'PUT', payload: { no: 1 } })))
  process.stdout.write(sent.map(({ deliveryId }) => deliveryId).join(' ') + '\\n')
  setInterval(() => {}, 1000)
`

describe.each<[string, () => string]>([
  ['SQLite', () => join(aDirectory(), 'sends.db')],
  ['PostgreSQL', () => `${postgres.url}?schema=outhook_kill_${process.pid}_${++schemas}`],
])('on %s', (_name, aStore) => {
  const startOn = (database: string) =>
    startServer({
      database,
      env,
      flags: [...['connect', 'headers', 'total'].flatMap((name) => [`--${name}-timeout`, '2s'])],
    })

  test('S3.1 a send that was acknowledged and not yet attempted when its process was killed is delivered by the next', {
    timeout: 120_000,
  }, async () => {
    const database = aStore()
    const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
    const store = database.startsWith('postgres://') ? database : `sqlite:${database}`
    const sender = spawn(process.execPath, ['--input-type=module', '-e', sendAndHang], {
      env: {
        ...env,
        PATH: process.env.PATH,
        NODE_NO_WARNINGS: '1',
        STORE: store,
        RECEIVER: ledger.url,
        ROOT: root,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void sender.kill('SIGKILL'))
    const [acknowledged] = (await once(sender.stdout, 'data')) as [Buffer]
    sender.kill('SIGKILL')
    await once(sender, 'close')
    expect(ledger.requests).toBe(0)
    const ids = acknowledged.toString().trim().split(' ')
    const next = await startOn(database)
    for (const id of ids) await until(`${id} is delivered`, () => hasSucceeded(next.url, id))
    expect(
      [...ledger.entries.values()].map(({ deliveryId, requests }) => [deliveryId, requests]).toSorted(),
    ).toEqual(ids.map((id) => [id, 1]).toSorted())
  })

  test('a send whose process was killed in the middle of its attempt is sent again under the same id, and only it', {
    timeout: 120_000,
  }, async () => {
    const database = aStore()
    let healthy = false
    const ledger = await startLedger(() => ({ status: 200, afterMs: healthy ? 0 : 60_000 }))
    const server = await startOn(database)
    const body = { url: `${ledger.url}/direct`, payload: { no: 1 }, idempotency_key: 'run-7' }
    const sent = await ask(server.url, '/v1/deliveries', { body })
    await ledger.untilOpen(1)
    server.signal('SIGKILL')
    await server.ended
    healthy = true
    const next = await startOn(database)
    await until('it is delivered', () => hasSucceeded(next.url, sent.id))
    expect(await ask(next.url, '/v1/deliveries', { body })).toEqual(sent)
    expect([...ledger.entries.values()]).toMatchObject([
      { deliveryId: sent.id, eventId: sent.event_id, requests: 2 },
    ])
  })
})

let schemas = 0

async function hasSucceeded(url: string, id: string): Promise<boolean> {
  return (await ask(url, `/v1/deliveries/${id}`)).state === 'succeeded'
}
