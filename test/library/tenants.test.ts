import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { Outhook } from '../../src/index.ts'
import { type Receiver, startReceiver } from '../../src/testing/receiver.ts'
import { patienceMs } from '../patience.ts'

let hooks: Outhook
let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
  hooks = await Outhook.open({ store: 'memory:', allowHttp: true, allowNetworks: ['127.0.0.0/8'] })
})
afterAll(async () => {
  await hooks.close()
  await receiver.close()
})

let made = 0
async function aTenant() {
  const uid = `tenant-${++made}`
  const { tenant } = await hooks.tenants.upsert({ uid })
  const scope = hooks.tenant(uid)
  const { endpoint } = await scope.endpoints.create({ url: `${receiver.url}/${uid}`, topics: ['*'] })
  return { uid, id: tenant.id, hooks: scope, endpointId: endpoint.id }
}

describe('hooks.tenants', () => {
  test('creates, upserts, changes, finds and lists tenants, with their settings', async () => {
    const created = await hooks.tenants.create({
      uid: 'acme',
      name: 'Acme Inc.',
      metadata: { plan: 'pro' },
      settings: { retainPayloads: '7d', ingestRate: 5 },
    })
    expect(created).toMatchObject({
      uid: 'acme',
      name: 'Acme Inc.',
      metadata: { plan: 'pro' },
      settings: {
        retainPayloads: 7 * 86_400_000,
        retainEvents: null,
        ingestRate: 5,
        maxEndpoints: null,
        weight: 1,
      },
      state: 'active',
    })
    const upserted = await hooks.tenants.upsert({
      uid: 'acme',
      settings: { ingestRate: null, maxEndpoints: 3, weight: 2 },
    })
    expect(upserted).toMatchObject({
      created: false,
      tenant: {
        id: created.id,
        name: 'Acme Inc.',
        settings: { ingestRate: null, maxEndpoints: 3, weight: 2 },
      },
    })
    expect(await hooks.tenants.get(created.id)).toEqual(upserted.tenant)
    expect(await hooks.tenants.getByUid('acme')).toEqual(upserted.tenant)
    const renamed = await hooks.tenants.update(created.id, { name: 'Acme' })
    expect((await hooks.tenants.list()).items).toContainEqual(renamed)
    await expect(hooks.tenants.create({ uid: 'acme' })).rejects.toMatchObject({ code: 'conflict' })
    await expect(hooks.tenants.getByUid('nobody')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('names members as programs do when it refuses', async () => {
    const refused = (settings: object) =>
      expect(hooks.tenants.create({ settings })).rejects.toMatchObject({ code: 'unprocessable' })
    await refused({ retain: '1d' })
    await expect(hooks.tenants.create({ settings: { maxEndpoints: -1 } })).rejects.toThrow(
      'settings.maxEndpoints must be a whole number from 0 to',
    )
    const misspelled = { nome: 'x' } as object
    await expect(hooks.tenants.create(misspelled)).rejects.toThrow('"nome" is not a member of a tenant')
  })
})

test('S4.5 authorized domains of a tenant hold for its endpoints and its sends, and for nobody else', async () => {
  const { id } = await hooks.tenants.create({ settings: { authorizedDomains: ['Shop.localhost'] } })
  expect((await hooks.tenants.get(id)).settings.authorizedDomains).toEqual(['shop.localhost'])
  const tenant = hooks.tenant(id)
  const refused = { code: 'url_rejected', message: expect.stringMatching(/^Domain not authorized: evilshop/) }
  const url = 'http://evilshop.localhost/'
  await expect(tenant.endpoints.create({ url })).rejects.toMatchObject(refused)
  await expect(tenant.send({ url, payload: 1 })).rejects.toMatchObject(refused)
  expect((await tenant.endpoints.create({ url: 'http://a.shop.localhost/' })).endpoint.url).toContain(
    'a.shop',
  )
  expect((await hooks.endpoints.create({ url })).endpoint.url).toBe(url)
  await hooks.tenants.update(id, { settings: { authorizedDomains: null } })
  expect((await tenant.endpoints.create({ url })).endpoint.url).toBe(url)
  await expect(hooks.tenants.create({ settings: { authorizedDomains: ['*.a.test'] } })).rejects.toThrow(
    'settings.authorizedDomains[0] must be a host',
  )
})

describe('hooks.tenant(name)', () => {
  test('publishes to the endpoints of that tenant alone, whether it is named by uid or id', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    const event = { topic: 'orders.created', payload: { n: 1 } }
    const byUid = await one.hooks.publish(event)
    const [byId] = await hooks.tenant(one.id).publishMany([event])
    expect(byId).toMatchObject({ status: 'published' })
    expect((await hooks.publish(event)).deliveryIds).toEqual([])
    expect(await one.hooks.events.wait(byUid.id)).toMatchObject({ tenantId: one.id })
    if (byId?.status === 'published') await one.hooks.events.wait(byId.id)
    const paths = receiver.received.map(({ path }) => path)
    expect(paths.filter((path) => path === `/${one.uid}`)).toHaveLength(2)
    expect(paths).not.toContain(`/${two.uid}`)
  })

  test('sees what is its own, and nothing of another, by list and by id', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    const { id, deliveryIds } = await one.hooks.publish({ topic: 'a', payload: 1 })
    await one.hooks.events.wait(id)
    const [deliveryId = ''] = deliveryIds
    expect((await one.hooks.endpoints.list()).items.map((endpoint) => endpoint.id)).toEqual([one.endpointId])
    expect((await one.hooks.deliveries.get(deliveryId)).eventId).toBe(id)
    for (const other of [two.hooks, hooks]) {
      expect((await other.events.list()).items.map((event) => event.id)).not.toContain(id)
      expect((await other.deliveries.list()).items).toEqual([])
      for (const call of [
        () => other.events.get(id),
        () => other.events.payload(id),
        () => other.deliveries.get(deliveryId),
        () => other.deadLetters.replay(deliveryId),
        () => other.endpoints.get(one.endpointId),
        () => other.endpoints.update(one.endpointId, { enabled: false }),
        () => other.endpoints.rotateSecret(one.endpointId),
        () => other.endpoints.delete(one.endpointId),
      ]) {
        await expect(call()).rejects.toMatchObject({ code: 'not_found' })
      }
      const taken = { endpointId: one.endpointId, topicPatterns: ['*'] }
      await expect(other.subscriptions.create(taken)).rejects.toMatchObject({
        code: 'endpoint_not_available',
      })
    }
    expect(await one.hooks.endpoints.get(one.endpointId)).toMatchObject({ state: 'active' })
  })

  test('an idempotency key of one tenant is none of another', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    const event = { topic: 'a', payload: 1, idempotencyKey: 'same' }
    const first = await one.hooks.publish(event)
    expect(await two.hooks.publish(event)).toMatchObject({ replayed: false })
    expect(await one.hooks.publish(event)).toMatchObject({ replayed: true, id: first.id })
  })

  test('a tenant that is not there is an error of each call, and nothing is published', async () => {
    const { hooks: known } = await aTenant()
    for (const name of ['nobody', 'ten_01h455vb4pex5vsknk084sn02q']) {
      const scope = hooks.tenant(name)
      const missing = { code: 'not_found', message: expect.stringContaining(name) }
      await expect(scope.publish({ topic: 'a', payload: 1 })).rejects.toMatchObject(missing)
      await expect(scope.publishMany([{ topic: 'a', payload: 1 }])).rejects.toMatchObject(missing)
      await expect(scope.endpoints.list()).rejects.toMatchObject(missing)
    }
    for (const name of ['', undefined, 5, '\0']) {
      await expect(hooks.tenant(name as string).events.list()).rejects.toMatchObject({
        code: 'invalid_request',
      })
    }
    expect((await known.events.list()).items).toEqual([])
    expect((await hooks.tenant('default').events.list()).items).toEqual((await hooks.events.list()).items)
  })

  test('a uid that moves to another tenant names that one from then on', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    await one.hooks.publish({ topic: 'a', payload: 1 })
    await hooks.tenants.update(one.id, { uid: `${one.uid}-old` })
    await expect(one.hooks.publish({ topic: 'a', payload: 1 })).rejects.toMatchObject({ code: 'not_found' })
    await hooks.tenants.update(two.id, { uid: one.uid })
    const { id } = await one.hooks.publish({ topic: 'a', payload: 1 })
    expect((await hooks.tenant(two.id).events.get(id)).tenantId).toBe(two.id)
  })
})

test('a deleted tenant is delivered nothing more, takes nothing more, and is gone in the end', async () => {
  const { id, uid, hooks: scope } = await aTenant()
  const { endpoint } = await scope.endpoints.create({ url: `${receiver.url}/${uid}-waits`, topics: ['wait'] })
  await scope.endpoints.update(endpoint.id, { enabled: false })
  await scope.publish({ topic: 'wait', payload: 1 })
  expect(await hooks.tenants.delete(id)).toMatchObject({ id, state: 'deleting' })
  await expect(scope.publish({ topic: 'a', payload: 1 })).rejects.toMatchObject({ code: 'not_found' })
  await expect(scope.endpoints.list()).rejects.toMatchObject({ code: 'not_found' })
  await expect
    .poll(() => hooks.tenants.get(id).catch(({ code }) => code), { timeout: patienceMs })
    .toBe('not_found')
  expect(receiver.received.map(({ path }) => path)).not.toContain(`/${uid}-waits`)
})

test('a link to the portal is made for a tenant by its uid, listed, and revoked', async () => {
  const hooks = await Outhook.open({ store: 'memory:', publicUrl: 'https://hooks.example/below/' })
  onTestFinished(() => hooks.close())
  await hooks.tenants.upsert({ uid: 'acme' })
  const made = await hooks.portalLink({ tenantId: 'acme', abilities: ['resend'], expiresIn: '8h' })
  expect(made.url).toBe(`https://hooks.example/below/portal/#${made.token}`)
  expect(made.link).toMatchObject({ abilities: ['view', 'resend'], label: null, revokedAt: null })
  expect(made.link.expiresAt - made.link.createdAt).toBe(8 * 3_600_000)
  const { portalLinks } = hooks.tenant('acme')
  expect((await portalLinks.list()).items).toEqual([made.link])
  await portalLinks.revoke(made.link.id)
  expect((await portalLinks.list()).items[0]?.revokedAt).toBeGreaterThan(0)
  const elsewhere = await hooks.portalLink({ tenantId: 'acme', publicUrl: 'http://127.0.0.1:8080' })
  expect(elsewhere.url).toContain('http://127.0.0.1:8080/portal/#hkprt_')
})

test.each([
  [{ tenantId: 'nobody' }, 'not_found', 'nobody'],
  [{ tenantId: 'acme', expiresIn: '8d' }, 'unprocessable', 'expiresIn'],
  [{ tenantId: 'acme', abilities: ['all'] }, 'unprocessable', 'abilities'],
  [{ tenantId: 'acme', expires: '1h' }, 'unprocessable', 'expires'],
  [{ tenantId: 'acme', publicUrl: 'javascript:alert(1)' }, 'invalid_config', 'publicUrl'],
  [{ abilities: ['view'] }, 'invalid_request', 'tenantId'],
])('a link to the portal of %j is refused', async (given, code, member) => {
  const hooks = await Outhook.open({ store: 'memory:' })
  onTestFinished(() => hooks.close())
  await hooks.tenants.upsert({ uid: 'acme' })
  const input = { publicUrl: 'https://hooks.example', ...given } as Parameters<Outhook['portalLink']>[0]
  await expect(hooks.portalLink(input)).rejects.toMatchObject({
    code,
    message: expect.stringContaining(member),
  })
})
