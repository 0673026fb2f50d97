/** The catalogue of event types in a program: its own calls, and each way to publish. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { type LogFields, Outhook, OuthookError, outboxSql, publishInto } from '../../src/index.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { patienceMs } from '../patience.ts'
import { makeProgramDirectory, openProgramFile } from './a-program-file.ts'

const schema = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } }
const directory = makeProgramDirectory()
const path = join(directory.path, 'app.db')
const lines: LogFields[] = []
const log = () => {}
let hooks: Outhook
let app: ReturnType<typeof openProgramFile>
beforeAll(async () => {
  app = openProgramFile(path)
  const logger = { debug: log, info: log, error: log, warn: (fields: LogFields) => void lines.push(fields) }
  hooks = await Outhook.open({ store: 'memory:', outboxes: [`sqlite:${path}`], logger })
})
afterAll(async () => {
  await hooks?.close()
  if (app?.db.isOpen) app.db.close()
  rmSync(directory.path, { recursive: true, force: true })
})

test('a program describes its topics, and what it publishes is checked from then on', async () => {
  const made = await hooks.eventTypes.create({
    name: 'orders.made',
    schema,
    example: { id: 'o_1' },
    mode: 'enforce',
  })
  expect(made).toMatchObject({ name: 'orders.made', tenantId: null, schema, example: { id: 'o_1' } })
  const wrong = hooks.publish({ topic: 'orders.made', payload: { id: 1 } })
  await expect(wrong).rejects.toBeInstanceOf(OuthookError)
  await expect(wrong).rejects.toMatchObject({ code: 'payload_mismatch', status: 422, path: '/id' })
  await expect(wrong).rejects.toThrow('payload.id must be string')
  const right = await hooks.publish({ topic: 'orders.made', payload: { id: 'o_1' } })
  expect(right).toMatchObject({ state: 'fanned_out', warnings: [] })
  const [refused, published] = await hooks.publishMany([
    { topic: 'orders.made', payload: {} },
    { topic: 'orders.made', payload: { id: 'o_2' } },
  ])
  expect(refused).toMatchObject({ status: 'failed', error: { code: 'payload_mismatch', path: '/id' } })
  expect(published?.status).toBe('published')
  await hooks.eventTypes.update('orders.made', { mode: 'warn' })
  const warned = await hooks.publish({ topic: 'orders.made', payload: {} })
  expect(warned.warnings).toEqual([
    { path: '/id', message: 'payload.id is missing, as the schema of the event type "orders.made" says' },
  ])
  expect((await hooks.eventTypes.list()).items.map(({ name }) => name)).toContain('orders.made')
  await hooks.eventTypes.delete('orders.made')
  expect((await hooks.publish({ topic: 'orders.made', payload: {} })).warnings).toEqual([])
})

test('what is wrong is in the log, once a minute for each topic of a tenant', async () => {
  await hooks.eventTypes.create({ name: 'orders.logged', schema, mode: 'warn' })
  for (let count = 0; count < 3; count++) await hooks.publish({ topic: 'orders.logged', payload: {} })
  const told = lines.filter(({ topic }) => topic === 'orders.logged')
  expect(told).toMatchObject([
    { path: '/id', refused: false, problem: expect.stringContaining('payload.id is missing') },
  ])
})

test('a tenant’s own type holds in place of the server’s, for that tenant', async () => {
  await hooks.tenants.create({ uid: 'acme' })
  const acme = hooks.tenant('acme')
  await hooks.eventTypes.create({ name: 'orders.theirs', schema, mode: 'enforce' })
  const { tenantId } = await acme.eventTypes.create({ name: 'orders.theirs', schema: false, mode: 'warn' })
  expect(tenantId).toMatch(/^ten_/)
  const { warnings } = await acme.publish({ topic: 'orders.theirs', payload: {} })
  expect(warnings).toMatchObject([{ path: '' }])
  await expect(hooks.publish({ topic: 'orders.theirs', payload: {} })).rejects.toThrow(/is missing/)
})

test('a row of an outbox whose payload is not as an enforced schema says stays there with the reason', async () => {
  await hooks.eventTypes.create({ name: 'orders.outbox', schema, mode: 'enforce' })
  for (const id of [7, 'o_7']) publishInto(app.db, { topic: 'orders.outbox', payload: { id } })
  const errors = () => app.db.prepare('select error from outhook_outbox').all()
  await expect
    .poll(errors, { timeout: patienceMs })
    .toEqual([{ error: expect.stringContaining('payload_mismatch: payload.id must be string') }])
  expect((await hooks.events.list({ topic: 'orders.outbox' })).items).toHaveLength(1)
  expect(outboxSql()).toContain('outhook_outbox')
})

test('a catalogue is imported from an OpenAPI document', async () => {
  const document = {
    openapi: '3.1.0',
    webhooks: {
      'users.made': {
        post: { summary: 'A user', requestBody: { content: { 'application/json': { schema } } } },
      },
    },
  }
  const report = await hooks.eventTypes.import({ document, mode: 'enforce' })
  expect(report).toMatchObject({ created: 1, items: [{ name: 'users.made', result: 'created' }] })
  expect(await hooks.eventTypes.import({ document })).toMatchObject({ created: 0, unchanged: 1 })
  await expect(hooks.publish({ topic: 'users.made', payload: {} })).rejects.toThrow('payload.id is missing')
  await expect(hooks.eventTypes.import({ document: 1 })).rejects.toMatchObject({ code: 'unprocessable' })
})

test('the client has a call for each route, and keeps the names within schemas', async () => {
  const api = await aServer()
  const client = createClient({ url: api.url, token: adminToken })
  const own = { type: 'object', properties: { first_name: { type: 'string', 'x-my_note': 1 } } }
  const made = await client.eventTypes.create({ name: 'a.b', schema: own, example: { first_name: 'x' } })
  expect(made).toMatchObject({ name: 'a.b', schema: own, example: { first_name: 'x' }, tenantId: null })
  expect(await client.eventTypes.get('a.b')).toEqual(made)
  const changed = await client.eventTypes.update('a.b', { mode: 'enforce' }, { ifMatch: made.version })
  expect(changed.mode).toBe('enforce')
  const wrong = client.send({ topic: 'a.b', payload: { first_name: 1 } })
  await expect(wrong).rejects.toMatchObject({ status: 422, code: 'payload_mismatch' })
  await client.eventTypes.update('a.b', { mode: 'warn' })
  expect((await client.send({ topic: 'a.b', payload: { first_name: 1 } })).warnings).toMatchObject([
    { path: '/first_name' },
  ])
  const names = (await client.eventTypes.list({ deprecated: false })).items.map(({ name }) => name)
  expect(names).toEqual(['a.b'])
  const document = { openapi: '3.1.0', webhooks: { 'a.c': { post: {} } } }
  const report = await client.eventTypes.importMany({ document, dryRun: true })
  expect(report).toMatchObject({ dryRun: true, created: 1 })
  await client.eventTypes.delete('a.b')
  await expect(client.eventTypes.get('a.b')).rejects.toMatchObject({ status: 404 })
})
