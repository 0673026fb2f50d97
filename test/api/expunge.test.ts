import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { runToEnd } from '../cli/run-cli.ts'
import { aDirectory, aReceiver } from '../delivery/an-app.ts'
import { adminToken, aServer } from './a-server.ts'
import { describeExpunging, secretPart } from './expunge-rule.ts'

describeExpunging(() => {
  const store = `sqlite:${join(aDirectory(), 'outhook.db')}`
  return (options) => aServer({ ...options, config: { store, ...options?.config } })
})

test('an expunged payload stands nowhere in the files of SQLite once the server has stopped, a large one neither', async () => {
  const folder = aDirectory()
  const receiver = await aReceiver()
  const config = {
    store: `sqlite:${join(folder, 'outhook.db')}`,
    allowHttp: true,
    allowNetworks: ['127.0.0.0/8'],
  }
  const server = await aServer({ dispatch: true, config })
  await server.call('POST', '/v1/endpoints', { body: { url: receiver.url, topics: ['*'] } })
  const payloads = [{ name: secretPart }, { name: `${secretPart} `.repeat(5000) }]
  const ids: string[] = []
  for (const payload of payloads) {
    const { id } = (await server.call('POST', '/v1/events', { body: { topic: 'a', payload } })).json
    await server.engine.events.wait(defaultTenantId, id)
    ids.push(id)
  }
  const isThere = () =>
    readdirSync(folder).some((file) => readFileSync(join(folder, file)).includes(secretPart))
  expect(isThere()).toBe(true)
  for (const id of ids) {
    expect((await server.call('DELETE', `/v1/events/${id}/payload`)).status).toBe(200)
  }
  await server.close()
  expect(isThere()).toBe(false)
})

test('outhook events expunge does it from the command line', async () => {
  const server = await aServer()
  const { id } = (await server.call('POST', '/v1/events', { body: { topic: 'a', payload: 1 } })).json
  const run = (...args: string[]) => runToEnd([...args, '--url', server.url, '--token', adminToken])
  const { code, out } = await run('events', 'expunge', id, '--json')
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({ event_id: id, expunged_at: expect.any(String), cancelled: 0 })
  expect((await run('events', 'expunge', id, '--cancel')).code).toBe(0)
  const shown = await run('events', 'payload', id)
  expect([shown.code, shown.err]).toEqual([1, expect.stringContaining('was expunged on demand at')])
})
