/** What the use cases around endpoints promise beyond the store. */
import { expect, test } from 'vitest'
import { OuthookError } from '../../src/core/errors.ts'
import type { Store } from '../../src/store/port.ts'
import { anApp, anEndpointAt, aReceiver, publish, tenant } from '../delivery/an-app.ts'

test('a change whose outcome is unknown is taken up all the same', async () => {
  const app = await anApp({
    wrapStore: (store: Store) => {
      const { updateEndpoint } = store
      store.updateEndpoint = async (...args) => {
        await updateEndpoint.apply(store, args)
        throw new OuthookError('store_unavailable', 'it happened, and nobody knows')
      }
      return store
    },
  })
  const receiver = await aReceiver()
  const { endpoint } = await anEndpointAt(app.engine, `${receiver.url}/old`)
  await publish(app.engine)
  await app.attempted(1)
  const changed = app.engine.endpoints.update(tenant, endpoint.id, { url: `${receiver.url}/new` })
  await expect(changed).rejects.toMatchObject({ code: 'store_unavailable' })
  await publish(app.engine)
  await app.attempted(2)
  expect(receiver.received.map(({ path }) => path)).toEqual(['/old', '/new'])
})

test('upsert with topics replaces the patterns of its own subscription and touches no other', async () => {
  const { engine } = await anApp({ dispatch: false })
  const given = { uid: 'billing', url: 'http://127.0.0.1:9/' }
  const { endpoint } = await engine.endpoints.upsert(tenant, { ...given, topics: ['orders.*'] })
  await engine.subscriptions.create(tenant, { endpointId: endpoint.id, topicPatterns: ['invoices.*'] })
  await engine.endpoints.upsert(tenant, { ...given, topics: ['users.*'] })
  expect((await engine.endpoints.upsert(tenant, given)).endpoint.topics).toEqual(['users.*'])
  const { items } = await engine.subscriptions.list(tenant)
  expect(items.map(({ topicPatterns }) => topicPatterns.join()).sort()).toEqual(['invoices.*', 'users.*'])
})

test('a rate that is no number in its range is refused by name', async () => {
  const { engine } = await anApp({ dispatch: false })
  const given = { url: 'http://127.0.0.1:9/' }
  for (const rate of [0, -1, 0.009, 1e7, Number.NaN, Number.POSITIVE_INFINITY, '5', {}, true]) {
    const rateLimitRps = rate as number
    const refused = { code: 'unprocessable', message: expect.stringContaining('rate_limit_rps') }
    await expect(engine.endpoints.create(tenant, { ...given, rateLimitRps })).rejects.toMatchObject(refused)
  }
  const { endpoint } = await engine.endpoints.create(tenant, { ...given, rateLimitRps: 1 })
  await expect(engine.endpoints.update(tenant, endpoint.id, { rateLimitRps: 0 })).rejects.toMatchObject({
    code: 'unprocessable',
  })
  expect(await engine.endpoints.get(tenant, endpoint.id)).toMatchObject({ rateLimitRps: 1 })
})

test('upsert with the newest secret keeps it, with another rotates to it', async () => {
  const { engine } = await anApp({ dispatch: false })
  const secretOf = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString('base64')}`
  const given = { uid: 'billing', url: 'http://127.0.0.1:9/' }
  expect((await engine.endpoints.upsert(tenant, { ...given, secret: secretOf(1) })).secret).toBe(secretOf(1))
  expect(await engine.endpoints.upsert(tenant, { ...given, secret: secretOf(1) })).toMatchObject({
    created: false,
  })
  expect(await engine.endpoints.upsert(tenant, { ...given, secret: secretOf(2) })).toMatchObject({
    secret: null,
  })
})

test('twenty upserts of one uid at the same time make one endpoint', async () => {
  const { engine } = await anApp({ dispatch: false })
  const given = { uid: 'billing', url: 'http://127.0.0.1:9/', topics: ['*'] }
  const results = await Promise.all(Array.from({ length: 20 }, () => engine.endpoints.upsert(tenant, given)))
  expect(results.filter(({ created }) => created)).toHaveLength(1)
  expect((await engine.endpoints.list(tenant)).items).toHaveLength(1)
  expect((await publish(engine)).deliveryIds).toHaveLength(1)
})

test('a uid that is taken is a conflict', async () => {
  const { engine } = await anApp({ dispatch: false })
  await anEndpointAt(engine, 'http://127.0.0.1:9/', { uid: 'billing' })
  await expect(anEndpointAt(engine, 'http://127.0.0.1:9/', { uid: 'billing' })).rejects.toMatchObject({
    code: 'conflict',
  })
})

test.each(['create', 'upsert', 'update'] as const)(
  '%s names a member that it does not know',
  async (method) => {
    const { engine } = await anApp({ dispatch: false })
    const { endpoint } = await anEndpointAt(engine, 'http://127.0.0.1:9/', { uid: 'billing' })
    const given = { url: 'http://127.0.0.1:9/new', uid: 'billing', topic: ['*'] } as const
    const refused = {
      create: () => engine.endpoints.create(tenant, given),
      upsert: () => engine.endpoints.upsert(tenant, given),
      update: () => engine.endpoints.update(tenant, endpoint.id, given),
    }[method]()
    await expect(refused).rejects.toMatchObject({
      code: 'unprocessable',
      message: expect.stringMatching(/^"topic" is not a member .*topics/),
    })
    expect(await engine.endpoints.get(tenant, endpoint.id)).toEqual(endpoint)
  },
)

test('update refuses a secret and says how to change it', async () => {
  const { engine } = await anApp({ dispatch: false })
  const { endpoint, secret } = await anEndpointAt(engine, 'http://127.0.0.1:9/')
  const change = { description: 'new', secret }
  await expect(engine.endpoints.update(tenant, endpoint.id, change)).rejects.toMatchObject({
    code: 'unprocessable',
    message: expect.stringContaining('rotateSecret'),
  })
})

test.each(['create', 'upsert', 'update'] as const)('%s of nothing is a typed error', async (method) => {
  const { endpoints } = (await anApp({ dispatch: false })).engine
  const nothing = undefined as never
  const refused =
    method === 'update' ? endpoints.update(tenant, 'ep_x', nothing) : endpoints[method](tenant, nothing)
  await expect(refused).rejects.toMatchObject({ code: 'unprocessable' })
})

test.each([
  ['a url without a host', { url: 'http://' }, 'url_rejected'],
  ['a url of another scheme', { url: 'ftp://127.0.0.1/' }, 'url_rejected'],
  ['no patterns', { topics: [] }, 'unprocessable'],
  ['a header that looks like a secret', { headers: { Authorization: 'Bearer x' } }, 'unprocessable'],
  ['a header of ours', { headers: { 'webhook-id': 'x' } }, 'unprocessable'],
  ['schemes that exclude each other', { signingSchemes: ['none', 'standard'] as const }, 'unprocessable'],
  ['no requests at a time', { maxInFlight: 0 }, 'unprocessable'],
  ['a secret that is none', { secret: 'secret' }, 'unprocessable'],
  ['a policy that nobody knows', { retryPolicy: 'often' }, 'unprocessable'],
])('create refuses %s', async (_, given, code) => {
  const { engine } = await anApp({ dispatch: false })
  await expect(anEndpointAt(engine, 'http://127.0.0.1:9/', given)).rejects.toMatchObject({ code })
  expect((await engine.endpoints.list(tenant)).items).toEqual([])
})

test('a subscription to an endpoint that is not there says so', async () => {
  const { engine } = await anApp({ dispatch: false })
  const { endpoint } = await anEndpointAt(engine, 'http://127.0.0.1:9/')
  await engine.endpoints.delete(tenant, endpoint.id)
  const created = engine.subscriptions.create(tenant, { endpointId: endpoint.id, topicPatterns: ['*'] })
  await expect(created).rejects.toMatchObject({ code: 'endpoint_not_available' })
})
