/** What a start finds of a process that was killed, and what a copy of the live database is worth. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { openApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load-config.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import type { Store } from '../../src/store/port.ts'
import { ask, deliveriesOf, forEachOf, isDrained, until } from './api-calls.ts'
import { readLeases } from './leases-on-disk.ts'
import type { Ledger } from './ledger.ts'
import { startLedger } from './ledger-receiver.ts'
import { aDirectory, adminToken, startServer } from './server-process.ts'

const backlog = 350
const commandLine = resolve(import.meta.dirname, '../../src/cli/main.ts')

async function anEndpoint(url: string, receiver: string, settings: Readonly<Record<string, unknown>> = {}) {
  const body = { url: `${receiver}/hook`, topics: ['*'], ...settings }
  return ask(url, '/v1/endpoints', { body })
}

async function publishMany(url: string, count: number): Promise<readonly string[]> {
  const events = Array.from({ length: count }, (_, no) => ({ topic: 'recovery.test', payload: { no } }))
  const { items } = await ask(url, '/v1/events/batch', { body: { events } })
  return items.map((item: { readonly event_id: string }) => item.event_id)
}

async function checkAllSucceeded(url: string, eventIds: readonly string[]): Promise<void> {
  await forEachOf(eventIds, 8, async (id) => {
    expect(await deliveriesOf(url, id)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
  })
}

test(`S1.44 S3.9 a start after a kill takes back the leases and finishes ${backlog} due deliveries`, {
  timeout: 300_000,
}, async () => {
  const database = join(aDirectory(), 'recovery.db')
  let healthy = false
  const ledger = await startLedger(() => ({ status: 200, afterMs: healthy ? 0 : 8000 }))
  const server = await startServer({ database })
  await anEndpoint(server.url, ledger.url, { max_in_flight: 100 })
  const eventIds = await publishMany(server.url, backlog)
  await ledger.untilOpen(4)
  server.signal('SIGKILL')
  await server.ended
  const leased = readLeases(database)
  expect(leased.size).toBeGreaterThan(0)

  healthy = true
  const next = await startServer({ database })
  const startedAt = performance.now()
  await until('all are delivered', () => isDrained(next.url))
  const tookMs = Math.round(performance.now() - startedAt)
  process.stdout.write(
    `recovery: ${leased.size} leases of ${backlog} due deliveries, all done ${tookMs} ms after\n`,
  )
  // A lease lasts 30 s and more: taken back at the start, none is waited for.
  expect(tookMs).toBeLessThan(25_000)
  await checkAllSucceeded(next.url, eventIds)
  expect(ledger.entries.size).toBe(backlog)
  for (const { deliveryId, requests } of ledger.entries.values()) {
    expect(requests, deliveryId).toBeLessThanOrEqual(leased.has(deliveryId) ? 2 : 1)
  }
})

test('S3.1 an event that was acknowledged and not yet sent when the process died is sent by the next', {
  timeout: 300_000,
}, async () => {
  const database = join(aDirectory(), 'before-send.db')
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  // This life publishes through the engine and dispatches nothing; then its process is gone without a goodbye.
  const publisher = spawn(process.execPath, ['--input-type=module', '-e', publishAndHang], {
    env: {
      PATH: process.env.PATH,
      NODE_NO_WARNINGS: '1',
      DATABASE: database,
      RECEIVER: ledger.url,
      ROOT: root,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void publisher.kill('SIGKILL'))
  const [acknowledged] = (await once(publisher.stdout, 'data')) as [Buffer]
  publisher.kill('SIGKILL')
  await once(publisher, 'close')
  expect(ledger.requests).toBe(0)

  const next = await startServer({ database })
  await until('it is delivered', () => isDrained(next.url))
  const eventId = acknowledged.toString().trim()
  expect(await deliveriesOf(next.url, eventId)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
  expect([...ledger.entries.values()]).toMatchObject([{ eventId, requests: 1 }])
})

const root = resolve(import.meta.dirname, '../..')
const publishAndHang = `
  const { Outhook } = await import(process.env.ROOT + '/src/index.ts')
  const hooks = await Outhook.open({
    store: 'sqlite:' + process.env.DATABASE, dispatch: false, allowHttp: true, allowNetworks: ['127.0.0.0/8'],
  })
  await hooks.endpoints.upsert({ uid: 'a', url: process.env.RECEIVER + '/hook', topics: ['*'] })
  const event = await hooks.publish({ topic: 'recovery.test', payload: { no: 1 } })
  process.stdout.write(event.id + '\\n')
  setInterval(() => {}, 1000)
`

test('S3.8 what was delivered and could not be recorded is sent again under the same id, and does not count', {
  timeout: 300_000,
}, async () => {
  const database = join(aDirectory(), 'unrecorded.db')
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const failing = await openInProcess(database, (store) => ({
    ...store,
    recordOutcomes: () => Promise.reject(new Error('the disk is gone')),
  }))
  const { endpoints, publisher } = failing.engine
  await endpoints.create(defaultTenantId, { url: `${ledger.url}/hook`, topics: ['*'] })
  const { eventId } = await publisher.publish({
    tenantId: defaultTenantId,
    topic: 'recovery.test',
    payload: Buffer.from('{"no":1}'),
    metadata: null,
    traceContext: null,
    orderingKey: null,
    idempotency: null,
    producerKeyId: null,
  })
  await until('it is heard', () => ledger.requests === 1)
  await failing.close()

  const next = await startServer({ database })
  await until('it is delivered', () => isDrained(next.url))
  expect(await deliveriesOf(next.url, eventId)).toMatchObject([{ state: 'succeeded', attempt_count: 1 }])
  expect([...ledger.entries.values()]).toMatchObject([{ eventId, requests: 2, accepted: 2 }])
})

async function openInProcess(database: string, wrapStore: (store: Store) => Store) {
  const options = {
    store: `sqlite:${database}`,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
    drainDeadline: 100,
  }
  const app = await openApp({
    config: loadConfig({ options }),
    logger: silentLogger,
    dispatch: true,
    onMasterKeyCreated: () => {},
    wrapStore,
  })
  onTestFinished(() => app.close())
  return app
}

test('a copy made while the server works opens as a store of its own, with deliveries that agree', {
  timeout: 300_000,
}, async () => {
  const directory = aDirectory()
  const database = join(directory, 'live.db')
  const copy = join(directory, 'copy.db')
  const copied = Promise.withResolvers<void>()
  // Some are delivered before the copy is made, and the rest wait until it is.
  const ledger: Ledger = await startLedger(() => ({
    status: 200,
    afterMs: ledger.requests <= 20 ? 0 : copied.promise,
  }))
  const server = await startServer({ database })
  await anEndpoint(server.url, ledger.url, { max_in_flight: 2 })
  const before = await publishMany(server.url, 200)
  await until('some are delivered and some wait', () => ledger.requests > 20)
  const backup = spawn(process.execPath, [commandLine, 'backup', copy, '--store', `sqlite:${database}`], {
    env: { PATH: process.env.PATH, NODE_NO_WARNINGS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [printed, problems, [code]] = await Promise.all([
    text(backup.stdout),
    text(backup.stderr),
    once(backup, 'close'),
  ])
  copied.resolve()
  expect({ code, problems }).toEqual({ code: 0, problems: '' })
  expect(printed).toContain(copy)
  await until('the original is done', () => isDrained(server.url))
  await checkAllSucceeded(server.url, before)
  server.signal('SIGTERM')
  await server.ended

  // The key file belongs to the copy as it does to the original.
  const requests = ledger.requests
  const flags = ['--master-key', readFileSync(`${database}.key`, 'utf8').trim()]
  const restored = await startServer({ database: copy, flags })
  await until('the copy is done', () => isDrained(restored.url))
  await checkAllSucceeded(restored.url, before)
  const again = ledger.requests - requests
  process.stdout.write(`recovery: the copy still had ${again} of ${before.length} deliveries to make\n`)
  expect(again, 'deliveries that waited when the copy was made').toBeGreaterThan(0)
  expect(again).toBeLessThan(before.length)
})

test('S1.35 no secret and no key stands in clear in any file of the store', {
  timeout: 300_000,
}, async () => {
  const database = join(aDirectory(), 'secrets.db')
  const ledger = await startLedger(() => ({ status: 200, afterMs: 0 }))
  const server = await startServer({ database })
  const endpoint = await anEndpoint(server.url, ledger.url)
  const rotated = await ask(server.url, `/v1/endpoints/${endpoint.id}/rotate-secret`, { body: {} })
  const producer = await ask(server.url, '/v1/keys', { body: { name: 'producer' } })
  const admin = await ask(server.url, '/v1/keys', { body: { name: 'admin', kind: 'admin' } })
  const canary = 'the-payload-is-found-so-this-search-works'
  await ask(server.url, '/v1/events', { body: { topic: 'a.b', payload: { canary } }, token: producer.key })
  await until('it is delivered', () => isDrained(server.url))
  // Killed: the write-ahead log stays, and is searched as well.
  server.signal('SIGKILL')
  await server.ended
  const files = readdirSync(dirname(database)).map((name) => join(dirname(database), name))
  expect(files).toEqual(expect.arrayContaining([database, `${database}-wal`, `${database}.key`]))
  const content = Buffer.concat(files.map((file) => readFileSync(file)))

  expect(content.includes(canary), 'the search').toBe(true)
  const secrets = {
    endpoint: endpoint.secret,
    rotated: rotated.secret,
    producer: producer.key,
    admin: admin.key,
  }
  for (const [name, secret] of Object.entries({ ...secrets, adminToken })) {
    expect(secret, name).toEqual(expect.stringMatching(/.{16}/))
    for (const form of spellingsOf(String(secret)))
      expect(content.includes(form), `${name} as ${form}`).toBe(false)
  }
})

/** As text, without its prefix, and the bytes that it stands for. */
function spellingsOf(secret: string): readonly (string | Buffer)[] {
  const bare = secret.replace(/^[a-z]+_/, '')
  return [secret, bare, Buffer.from(bare, 'base64'), Buffer.from(bare, 'base64').toString('hex')]
}
