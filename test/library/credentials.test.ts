/** Credentials in a program, and by the client of a server. */
import { expect, onTestFinished, test } from 'vitest'
import { createClient } from '../../src/client/index.ts'
import { Outhook, OuthookError } from '../../src/index.ts'
import { startReceiver } from '../../src/testing/receiver.ts'
import { adminToken, aServer } from '../api/a-server.ts'
import { patienceMs } from '../patience.ts'

test('a program makes a credential, and what its endpoint gets carries it', async () => {
  const receiver = await startReceiver()
  const hooks = await Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
  onTestFinished(async () => {
    await hooks.close()
    await receiver.close()
  })
  const made = await hooks.credentials.create({
    name: 'partner',
    kind: 'api_key',
    apiKey: 'a-key-0123456789abcd',
  })
  expect(made).toMatchObject({ kind: 'api_key', active: true, secretHint: 'abcd', lastUsedAt: null })
  expect(JSON.stringify(made)).not.toContain('a-key')
  const { endpoint } = await hooks.endpoints.create({
    url: `${receiver.url}/`,
    topics: ['*'],
    credentialId: made.id,
  })
  expect(endpoint.credentialId).toBe(made.id)
  await hooks.publish({ topic: 'a', payload: 1 })
  const [first] = await receiver.waitFor(1, patienceMs)
  expect(first?.headers['x-api-key']).toBe('a-key-0123456789abcd')
  await hooks.credentials.update(made.id, { apiKey: 'another-key' })
  await hooks.send({ url: `${receiver.url}/`, payload: 1, credentialId: made.id })
  const [, second] = await receiver.waitFor(2, patienceMs)
  expect(second?.headers['x-api-key']).toBe('another-key')
  const authorizedHosts = ['partner.example']
  expect(await hooks.credentials.update(made.id, { authorizedHosts })).toMatchObject({ authorizedHosts })
  await expect(hooks.send({ url: `${receiver.url}/`, payload: 1, credentialId: made.id })).rejects.toThrow(
    /may not be sent to 127\.0\.0\.1/,
  )
  const none = hooks.credentials.update(made.id, { authorizedHosts: [] })
  await expect(none).rejects.toThrow('authorizedHosts must be a list of 1 to 100 hosts, or null for any')
  expect(await hooks.credentials.getByName('partner')).toMatchObject({ id: made.id, secretHint: null })
  expect((await hooks.credentials.list()).items).toHaveLength(1)
  await expect(hooks.credentials.delete(made.id)).rejects.toThrow(/another credentialId or none/)
  const wrong = hooks.credentials.create({ name: 'x', kind: 'bearer', apiKey: 'k' })
  await expect(wrong).rejects.toThrow('apiKey is no member of the kind bearer; it has ca, token')
  await expect(wrong).rejects.toBeInstanceOf(OuthookError)
})

test('the client has a call for each route', async () => {
  const api = await aServer()
  const client = createClient({ url: api.url, token: adminToken })
  const made = await client.credentials.create({
    name: 'a',
    kind: 'basic',
    username: 'u',
    password: 'p',
    authorizedHosts: ['a.example'],
  })
  expect(made).toMatchObject({
    kind: 'basic',
    username: 'u',
    secretHint: null,
    authorizedHosts: ['a.example'],
  })
  expect(await client.credentials.update(made.id, { active: false })).toMatchObject({ active: false })
  expect(await client.credentials.get(made.id)).toMatchObject({ name: 'a', active: false })
  expect((await client.credentials.list({ name: 'a' })).items).toMatchObject([{ id: made.id }])
  await client.credentials.delete(made.id)
  await expect(client.credentials.get(made.id)).rejects.toMatchObject({ status: 404 })
})
