/** Every route that changes something leaves one line that says who, and none of them says a secret. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { routeAccess } from '../../../src/api/route-access.ts'
import { defaultTenantId } from '../../../src/core/model.ts'
import { startReceiver } from '../../../src/testing/receiver.ts'
import type { Answer, CallOptions, TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import type { OpenServer } from '../hookrail-rows.ts'
import { aName } from './scene.ts'
import { loopback } from './sending-scene.ts'

/** Recognised wherever they come up. */
const planted = {
  secret: `whsec_${Buffer.from('planted-endpoint-secret-0123').toString('base64')}`,
  rotated: `whsec_${Buffer.from('planted-rotated-secret-01234').toString('base64')}`,
  password: 'planted-basic-password',
  newPassword: 'planted-new-basic-password',
  query: 'planted-query-token',
} as const

interface Scene {
  readonly server: TestServer
  readonly receiver: string
  /** Secret texts that were given out meanwhile. */
  readonly given: string[]
  make(path: string, body?: object): Promise<Answer['json']>
}

interface Change {
  readonly path: string
  readonly body?: object
  readonly action: string
  /** Default: the id in the path, or in the answer. */
  readonly object?: string | null
}

type Prepare = (scene: Scene) => Promise<Change> | Change

const anEndpoint = async ({ make }: Scene, given: object = {}): Promise<string> =>
  (await make('/v1/endpoints', { url: 'https://127.0.0.1/hook', topics: [aName('topic')], ...given })).id

/** A delivery that waits for a disabled endpoint. */
async function aWaiting(scene: Scene, topic = aName('waiting')) {
  const id = await anEndpoint(scene, { topics: [topic] })
  await scene.server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } })
  const event = await scene.make('/v1/events', { topic, payload: 1 })
  return { eventId: event.id as string, deliveryId: event.delivery_ids[0] as string }
}

async function aDeadLetter(scene: Scene, ordered = false) {
  const topic = aName('dead')
  const url = `${scene.receiver}/status/422`
  const endpointId = await anEndpoint(scene, { url, topics: ordered ? [aName('other')] : [topic] })
  if (ordered) {
    await scene.make('/v1/subscriptions', { endpoint_id: endpointId, topic_patterns: [topic], ordered })
  }
  const event = await scene.make('/v1/events', { topic, payload: 1, ordering_key: 'k' })
  await scene.server.engine.events.wait(defaultTenantId, event.id)
  return { eventId: event.id as string, deliveryId: event.delivery_ids[0] as string }
}

const ofEndpoint =
  (suffix: string, action: string, body?: object, given?: object): Prepare =>
  async (scene) => ({
    path: `/v1/endpoints/${await anEndpoint(scene, given)}${suffix}`,
    action,
    ...(body !== undefined && { body }),
  })

/** One that has something to do for longer than the test looks at it. */
async function aJob(scene: Scene): Promise<string> {
  const topic = aName('waiting')
  await aWaiting(scene, topic)
  for (let count = 0; count < 20; count++) await scene.make('/v1/events', { topic, payload: count })
  return (await scene.make('/v1/deliveries/cancel', { topic, rate: 1 })).id
}

/** Of an endpoint, the path of its one secret. */
async function aSecret(scene: Scene, suffix: string): Promise<Change> {
  const id = await anEndpoint(scene)
  // Else its only secret is the primary one already.
  await scene.make(`/v1/endpoints/${id}/rotate-secret`, {})
  const secrets = await scene.server.call('GET', `/v1/endpoints/${id}/secrets`)
  const path = `/v1/endpoints/${id}/secrets/${secrets.json.items[0].id}/${suffix}`
  return {
    path,
    action: suffix === 'reveal' ? 'endpoint.secret_revealed' : 'endpoint.secret_made_primary',
    object: id,
  }
}

const aCredential = (scene: Scene) =>
  scene.make('/v1/credentials', {
    name: aName('credential'),
    kind: 'basic',
    username: 'ada',
    password: planted.password,
  })

const pathTo = async (scene: Scene, collection: string, body: object): Promise<string> => {
  const { id } = await scene.make(collection, body)
  return `${collection}/${id}`
}
const aKey = (scene: Scene) => pathTo(scene, '/v1/keys', { name: 'shop' })
const aTenant = (scene: Scene) => pathTo(scene, '/v1/tenants', { uid: aName('tenant') })
const aType = async (scene: Scene) => {
  const { name } = await scene.make('/v1/event-types', { name: aName('type') })
  return { path: `/v1/event-types/${name}`, object: name as string }
}
const aSubscription = async (scene: Scene) =>
  pathTo(scene, '/v1/subscriptions', { endpoint_id: await anEndpoint(scene), topic_patterns: ['a'] })

const changes: Readonly<Record<string, Prepare>> = {
  'POST /v1/endpoints': () => ({
    path: '/v1/endpoints',
    body: { url: `https://127.0.0.1/hook?token=${planted.query}`, secret: planted.secret, topics: ['a'] },
    action: 'endpoint.created',
  }),
  'PATCH /v1/endpoints/:id': ofEndpoint('', 'endpoint.updated', {
    url: `https://127.0.0.1/other?token=${planted.query}`,
  }),
  'DELETE /v1/endpoints/:id': ofEndpoint('', 'endpoint.deleted'),
  'POST /v1/endpoints/:id/rotate-secret': ofEndpoint('/rotate-secret', 'endpoint.secret_rotated', {
    secret: planted.rotated,
  }),
  'POST /v1/endpoints/:id/secrets/:secret_id/primary': (scene) => aSecret(scene, 'primary'),
  'POST /v1/endpoints/:id/secrets/:secret_id/reveal': (scene) => aSecret(scene, 'reveal'),
  'POST /v1/endpoints/:id/backfill': async (scene) => ({
    ...(await ofEndpoint('/backfill', 'job.begun', { since: '2026-01-01T00:00:00Z' })(scene)),
    object: null,
  }),
  'POST /v1/endpoints/:id/pause': ofEndpoint('/pause', 'endpoint.paused', { reason: 'repair' }),
  'POST /v1/endpoints/:id/resume': async (scene) => {
    const id = await anEndpoint(scene)
    await scene.make(`/v1/endpoints/${id}/pause`, {})
    return { path: `/v1/endpoints/${id}/resume`, action: 'endpoint.resumed' }
  },
  'POST /v1/endpoints/:id/enable': async (scene) => {
    const id = await anEndpoint(scene)
    await scene.server.call('PATCH', `/v1/endpoints/${id}`, { body: { enabled: false } })
    return { path: `/v1/endpoints/${id}/enable`, action: 'endpoint.enabled' }
  },
  'POST /v1/credentials': () => ({
    path: '/v1/credentials',
    body: { name: aName('c'), kind: 'basic', username: 'ada', password: planted.password },
    action: 'credential.created',
  }),
  'PATCH /v1/credentials/:id': async (scene) => ({
    path: `/v1/credentials/${(await aCredential(scene)).id}`,
    body: { password: planted.newPassword },
    action: 'credential.updated',
  }),
  'DELETE /v1/credentials/:id': async (scene) => ({
    path: `/v1/credentials/${(await aCredential(scene)).id}`,
    action: 'credential.deleted',
  }),
  'POST /v1/subscriptions': async (scene) => ({
    path: '/v1/subscriptions',
    body: { endpoint_id: await anEndpoint(scene), topic_patterns: ['a'] },
    action: 'subscription.created',
  }),
  'PATCH /v1/subscriptions/:id': async (scene) => ({
    path: await aSubscription(scene),
    body: { active: false },
    action: 'subscription.updated',
  }),
  'DELETE /v1/subscriptions/:id': async (scene) => ({
    path: await aSubscription(scene),
    action: 'subscription.deleted',
  }),
  'POST /v1/event-types': () => {
    const name = aName('type')
    return { path: '/v1/event-types', body: { name }, action: 'event_type.created', object: name }
  },
  'POST /v1/event-types/import': () => ({
    path: '/v1/event-types/import',
    body: { document: { openapi: '3.1.0', webhooks: { [aName('imported')]: { post: {} } } } },
    action: 'event_type.imported',
    object: null,
  }),
  'PATCH /v1/event-types/:name': async (scene) => ({
    ...(await aType(scene)),
    body: { description: 'new' },
    action: 'event_type.updated',
  }),
  'DELETE /v1/event-types/:name': async (scene) => ({
    ...(await aType(scene)),
    action: 'event_type.deleted',
  }),
  'POST /v1/deliveries/:id/resend': async (scene) => ({
    path: `/v1/deliveries/${(await aDeadLetter(scene)).deliveryId}/resend`,
    action: 'delivery.resent',
  }),
  'POST /v1/deliveries/:id/cancel': async (scene) => ({
    path: `/v1/deliveries/${(await aWaiting(scene)).deliveryId}/cancel`,
    action: 'delivery.cancelled',
  }),
  'POST /v1/deliveries/:id/skip': async (scene) => ({
    path: `/v1/deliveries/${(await aDeadLetter(scene, true)).deliveryId}/skip`,
    action: 'delivery.skipped',
  }),
  'POST /v1/deliveries/cancel': () => ({
    path: '/v1/deliveries/cancel',
    body: { topic: 'nothing' },
    action: 'job.begun',
  }),
  'DELETE /v1/events/:id/payload': async (scene) => ({
    path: `/v1/events/${(await aDeadLetter(scene)).eventId}/payload`,
    action: 'event.payload_expunged',
  }),
  'POST /v1/dlq/:delivery_id/replay': async (scene) => ({
    path: `/v1/dlq/${(await aDeadLetter(scene)).deliveryId}/replay`,
    action: 'delivery.replayed',
  }),
  'POST /v1/dlq/replay': () => ({ path: '/v1/dlq/replay', body: { topic: 'nothing' }, action: 'job.begun' }),
  'POST /v1/jobs/:id/cancel': async (scene) => ({
    path: `/v1/jobs/${await aJob(scene)}/cancel`,
    action: 'job.cancelled',
  }),
  'POST /v1/jobs/:id/pause': async (scene) => ({
    path: `/v1/jobs/${await aJob(scene)}/pause`,
    action: 'job.paused',
  }),
  'POST /v1/jobs/:id/resume': async (scene) => {
    const id = await aJob(scene)
    await scene.make(`/v1/jobs/${id}/pause`)
    return { path: `/v1/jobs/${id}/resume`, action: 'job.resumed' }
  },
  'POST /v1/tenants': () => ({
    path: '/v1/tenants',
    body: { uid: aName('tenant') },
    action: 'tenant.created',
  }),
  'PATCH /v1/tenants/:id': async (scene) => ({
    path: await aTenant(scene),
    body: { settings: { max_endpoints: 2 } },
    action: 'tenant.updated',
  }),
  'DELETE /v1/tenants/:id': async (scene) => ({ path: await aTenant(scene), action: 'tenant.deleted' }),
  'POST /v1/tenants/:id/portal-links': async (scene) => ({
    path: `${await aTenant(scene)}/portal-links`,
    body: { label: 'Ada' },
    action: 'portal_link.created',
    object: null,
  }),
  'DELETE /v1/tenants/:id/portal-links/:link_id': async (scene) => {
    const links = `${await aTenant(scene)}/portal-links`
    const { id } = await scene.make(links)
    return { path: `${links}/${id}`, action: 'portal_link.revoked', object: id }
  },
  'POST /v1/keys': () => ({ path: '/v1/keys', body: { name: 'shop' }, action: 'key.created' }),
  'PATCH /v1/keys/:id': async (scene) => ({
    path: await aKey(scene),
    body: { name: 'other' },
    action: 'key.updated',
  }),
  'DELETE /v1/keys/:id': async (scene) => ({ path: await aKey(scene), action: 'key.revoked' }),
  'POST /v1/keys/:id/rotate': async (scene) => ({
    path: `${await aKey(scene)}/rotate`,
    body: {},
    action: 'key.rotated',
  }),
  'POST /v1/admin-tokens': () => ({
    path: '/v1/admin-tokens',
    body: { role: 'viewer', label: 'wall' },
    action: 'admin_token.created',
  }),
  'DELETE /v1/admin-tokens/:id': async (scene) => ({
    path: await pathTo(scene, '/v1/admin-tokens', { role: 'viewer', label: 'wall' }),
    action: 'admin_token.revoked',
  }),
}

/** What changes nothing that is set up. */
const without: Readonly<Record<string, string>> = {
  'PUT /v1/sign-in': 'who is signed in is no setting, and each change says by which token it was made',
  'PUT /v1/sign-in/code': 'likewise',
  'DELETE /v1/sign-in': 'likewise',
  'POST /v1/events': 'an event is what it is about, and is listed',
  'POST /v1/events/batch': 'likewise',
  'POST /v1/deliveries': 'likewise',
  'POST /v1/endpoints/:id/test': 'its answer is shown and nothing is kept',
  'POST /v1/subscriptions/preview': 'it changes nothing',
  'POST /v1/master-key/rotate': 'needs a server with two keys: a test of its own',
}

export function describeAudit(newStore: () => OpenServer): void {
  describe('the audit log', () => {
    let scene: Scene
    let admin: { readonly id: string; readonly token: string }
    const closing: (() => Promise<void>)[] = []
    beforeAll(async () => {
      const receiver = await startReceiver()
      closing.push(() => receiver.close())
      const closeWith = (close: () => Promise<void>): void => void closing.push(close)
      const server = await newStore()({
        dispatch: true,
        closeWith,
        config: { ...loopback, publicUrl: 'https://hooks.example.com' },
      })
      const given: string[] = []
      const make: Scene['make'] = async (path, body) => {
        const answer = await call('POST', path, body === undefined ? {} : { body })
        expect([path, answer.text, answer.status < 300]).toEqual([path, answer.text, true])
        return answer.json
      }
      const call = async (method: string, path: string, options: CallOptions = {}) => {
        const headers = { 'content-type': 'application/json' }
        const answer = await server.call(method, path, { headers, ...options })
        for (const name of ['secret', 'token', 'key']) {
          const text = answer.json?.[name]
          if (typeof text === 'string') given.push(text)
        }
        return answer
      }
      scene = { server: { ...server, call }, receiver: receiver.url, given, make }
      admin = await make('/v1/admin-tokens', { role: 'admin', label: 'Ada' })
    })
    afterAll(() => Promise.all(closing.map((close) => close())))

    const lines = async (query = '', token?: string): Promise<Answer['json'][]> => {
      const answer = await scene.server.call(
        'GET',
        `/v1/audit?limit=200${query}`,
        token === undefined ? {} : { token },
      )
      expect([answer.text, answer.status]).toEqual([answer.text, 200])
      return answer.json.items
    }
    const ofAdmin = () => lines(`&actor_id=${admin.id}`)

    test('is told of by each route that changes something, or the list says why not', () => {
      const changing = Object.keys(routeAccess).filter((route) => !route.startsWith('GET '))
      expect([...Object.keys(changes), ...Object.keys(without)].sort()).toEqual(changing.sort())
    })

    test.each(Object.entries(changes))('has one line of %s, with who and what', async (route, prepare) => {
      const { path, body, action, object } = await prepare(scene)
      const before = await ofAdmin()
      const [method = ''] = route.split(' ')
      const answer = await scene.server.call(method, path, {
        token: admin.token,
        ...(body !== undefined && { body }),
      })
      expect([answer.text, answer.status < 300]).toEqual([answer.text, true])
      const [line, ...others] = (await ofAdmin()).slice(0, -before.length || undefined)
      expect(others).toEqual([])
      expect(line).toMatchObject({ actor: { kind: 'admin_token', id: admin.id }, action })
      if (object !== undefined) return void (object !== null && expect(line.object.id).toBe(object))
      expect(line.object.id).toBe(/[a-z]+_[0-9a-z]{26}/.exec(path)?.[0] ?? answer.json.id)
    })

    test('has no line of what was refused', async () => {
      const before = await ofAdmin()
      const asAdmin = (method: string, path: string, body?: object) =>
        scene.server.call(method, path, { token: admin.token, ...(body !== undefined && { body }) })
      const { id } = await aCredential(scene)
      await anEndpoint(scene, { credential_id: id })
      expect((await asAdmin('DELETE', `/v1/credentials/${id}`)).status).toBe(409)
      expect((await asAdmin('POST', '/v1/endpoints', { url: 'ftp://a' })).status).toBe(422)
      expect((await asAdmin('DELETE', '/v1/endpoints/ep_01h455vb4pex5vsknk084sn02q')).status).toBe(404)
      expect(await ofAdmin()).toEqual(before)
    })

    test('has one line of a request that is sent twice with its idempotency key', async () => {
      const before = await ofAdmin()
      const headers = { 'idempotency-key': aName('key'), 'content-type': 'application/json' }
      const body = { url: 'https://127.0.0.1/keyed', secret: planted.secret }
      for (let count = 0; count < 2; count++) {
        const made = await scene.server.call('POST', '/v1/endpoints', { token: admin.token, headers, body })
        expect(made.status).toBe(201)
      }
      expect(await ofAdmin()).toHaveLength(before.length + 1)
    })

    test('names browsers by the token that they were signed in with, links, and the token of the configuration', async () => {
      const { server, make } = scene
      const signedIn = await server.call('PUT', '/v1/sign-in', { token: admin.token })
      const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
      const id = await anEndpoint(scene)
      expect((await lines(`&object_id=${id}`))[0].actor).toEqual({ kind: 'admin_token', id: null })
      const headers = { cookie, 'x-csrf-token': signedIn.json.csrf_token }
      const body = { description: 'from the dashboard' }
      await server.call('PATCH', `/v1/endpoints/${id}`, { token: null, headers, body })
      expect((await lines(`&object_id=${id}`))[0]).toMatchObject({
        actor: { kind: 'sign_in', id: admin.id },
        before: { description: '' },
        after: body,
      })
      const link = await make(`/v1/tenants/${defaultTenantId}/portal-links`, {
        abilities: ['manage_endpoints'],
      })
      await server.call('PATCH', `/v1/endpoints/${id}`, { token: link.token, body: { description: 'own' } })
      expect((await lines(`&object_id=${id}`))[0].actor).toEqual({ kind: 'portal_link', id: link.id })
    })

    test('shows a token of one tenant that tenant’s lines, and no other tenant', async () => {
      const tenant = await scene.make('/v1/tenants', { uid: aName('own') })
      const own = await scene.make('/v1/admin-tokens', { role: 'admin', label: 'own', tenant_id: tenant.id })
      const shown = await lines('', own.token)
      expect(shown.map(({ action }) => action)).toEqual(['admin_token.created', 'tenant.created'])
      expect(await lines(`&tenant=${tenant.id}`)).toEqual(shown)
      expectProblem(await scene.server.call('GET', '/v1/audit?tenant=default', { token: own.token }), {
        status: 404,
        title: 'tenant not found',
      })
      expect(new Set((await lines()).map(({ tenant_id }) => tenant_id)).size).toBeGreaterThan(2)
    })

    test('goes by pages whose cursors are good for the same filters alone', async () => {
      const list = (query: string) => scene.server.call('GET', `/v1/audit?${query}`)
      const first = (await list('action=endpoint.*&limit=2')).json
      const cursor = encodeURIComponent(first.next_cursor)
      const second = (await list(`action=endpoint.*&limit=2&cursor=${cursor}`)).json
      const [whole] = [(await list('action=endpoint.*&limit=4')).json]
      expect([...first.items, ...second.items]).toEqual(whole.items)
      expectProblem(await list(`action=key.*&limit=2&cursor=${cursor}`), { status: 400, code: 'bad_cursor' })
      for (const query of [
        'action=nonsense',
        'actor_kind=nobody',
        'since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z',
      ])
        expectProblem(await list(query), { status: 400 })
    })

    test('says no secret anywhere', async () => {
      const all: string[] = []
      let cursor = ''
      do {
        const page = await scene.server.call(
          'GET',
          `/v1/audit?limit=200&cursor=${encodeURIComponent(cursor)}`,
        )
        all.push(page.text)
        cursor = page.json.next_cursor
      } while (cursor !== '')
      const text = all.join('\n')
      expect(text).toContain('"username":"ada"')
      expect(scene.given.length).toBeGreaterThan(10)
      for (const secret of [...Object.values(planted), ...scene.given]) {
        expect([secret, text.includes(secret)]).toEqual([secret, false])
        const bare = secret.replace(/^[a-z]+_/, '')
        expect([bare, text.includes(bare)]).toEqual([bare, false])
      }
    })
  })

  test('the audit log says who exchanged the master key, by fingerprints', async () => {
    const open = newStore()
    const [oldKey, newKey] = ['ab'.repeat(32), 'cd'.repeat(32)]
    const before = await open({ config: { masterKey: oldKey } })
    await before.call('POST', '/v1/keys', { body: { name: 'shop' } })
    await before.close()
    const server = await open({ config: { masterKey: newKey, masterKeyOld: oldKey } })
    const { json } = await server.call('POST', '/v1/master-key/rotate', { body: {} })
    const [line, ...others] = (await server.call('GET', '/v1/audit?action=master_key.*')).json.items
    expect(others).toEqual([])
    expect(line).toMatchObject({
      actor: { kind: 'admin_token', id: null },
      tenant_id: null,
      object: { kind: 'master_key', id: null },
      after: { fingerprint: json.fingerprint },
    })
    expect(line.before.fingerprint).not.toBe(json.fingerprint)
  })
}
