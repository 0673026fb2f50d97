/** Tenants over HTTP, and that what is of one tenant does not exist for another: on every route of the server. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RouteAccess, routeAccess } from '../../src/api/route-access.ts'
import { defaultTenantId } from '../../src/core/model.ts'
import { patienceMs } from '../patience.ts'
import { type Answer, aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const config = { allowNetworks: ['127.0.0.0/8'] }
const closing: (() => Promise<void>)[] = []
let server: TestServer
beforeAll(async () => {
  server = await aServer({ config, closeWith: (close) => void closing.push(close) })
})
afterAll(() => Promise.all(closing.map((close) => close())))

const post = (path: string, body: unknown, token?: string): Promise<Answer> =>
  server.call('POST', path, { body, ...(token !== undefined && { token }) })

let made = 0
/** A tenant with one of everything, its producer key and an admin token that is bound to it. */
async function aTenant() {
  const uid = `tenant-${++made}`
  const { id } = (await post('/v1/tenants', { uid })).json
  const at = (path: string) => `${path}?tenant=${uid}`
  const url = 'https://127.0.0.1/hook'
  const endpoint = (await post(at('/v1/endpoints'), { url, topics: ['a'] })).json
  const subscription = (
    await post(at('/v1/subscriptions'), { endpoint_id: endpoint.id, topic_patterns: ['b'] })
  ).json
  const key = (await post(at('/v1/keys'), { name: 'of a tenant' })).json
  const event = (await post('/v1/events', { topic: 'a', payload: 1 }, key.key)).json
  const job = (await post(at('/v1/dlq/replay'), { all: true })).json
  const secret = (await server.call('GET', at(`/v1/endpoints/${endpoint.id}/secrets`))).json.items[0]
  const credential = (
    await post(at('/v1/credentials'), { name: 'of a tenant', kind: 'bearer', token: 'a-token-of-its-own' })
  ).json
  const link = (await post(`/v1/tenants/${id}/portal-links`, {})).json
  const eventType = (await post(at('/v1/event-types'), { name: `of.${uid}` })).json
  const bound = await server.engine.adminTokens.create(id, { role: 'admin', label: 'bound' })
  return {
    id: id as string,
    uid,
    producer: key.key as string,
    admin: bound.token,
    ids: {
      endpoints: endpoint.id,
      subscriptions: subscription.id,
      events: event.id,
      deliveries: event.delivery_ids[0],
      dlq: event.delivery_ids[0],
      keys: key.id,
      jobs: job.id,
      secrets: secret.id,
      credentials: credential.id,
      'admin-tokens': bound.key.id,
      'portal-links': link.id,
      tenants: id,
      'event-types': eventType.name,
    } as Readonly<Record<string, string>>,
  }
}

type TenantScene = Awaited<ReturnType<typeof aTenant>>

const guarded = Object.entries(routeAccess)
  .filter((row): row is [string, RouteAccess] => row[1] !== 'open')
  .map(([route, access]) => {
    const [method = '', url = ''] = route.split(' ')
    return { route, method, url, access, resource: url.split('/')[2] ?? '' }
  })
const withId = guarded.filter(({ url }) => url.includes(':'))
/** Of no tenant: there is one master key and one system, and a browser is signed in with a token, whatever that is bound to. */
const ofNoTenant = ['tenants', 'master-key', 'sign-in', 'system']
const scoped = guarded.filter(({ resource }) => !ofNoTenant.includes(resource))

/** The path with the id of the tenant's object. A route of a new kind of object has to name one in `aTenant`. */
function pathTo({ url, resource }: (typeof guarded)[number], ids: TenantScene['ids']): string {
  const id = ids[resource]
  if (id === undefined) throw new Error(`${url}: give aTenant an object of ${resource}`)
  return url
    .replace(/:(?!secret_id)\w+/, id)
    .replace(':secret_id', ids.secrets ?? '')
    .replace(':link_id', ids['portal-links'] ?? '')
}

const unknownIds = {
  endpoints: 'ep_01h455vb4pex5vsknk084sn02q',
  subscriptions: 'sub_01h455vb4pex5vsknk084sn02q',
  events: 'evt_01h455vb4pex5vsknk084sn02q',
  deliveries: 'dlv_01h455vb4pex5vsknk084sn02q',
  dlq: 'dlv_01h455vb4pex5vsknk084sn02q',
  keys: 'key_01h455vb4pex5vsknk084sn02q',
  jobs: 'job_01h455vb4pex5vsknk084sn02q',
  secrets: 'sec_01h455vb4pex5vsknk084sn02q',
  credentials: 'crd_01h455vb4pex5vsknk084sn02q',
  'admin-tokens': 'adm_01h455vb4pex5vsknk084sn02q',
  'portal-links': 'plk_01h455vb4pex5vsknk084sn02q',
  tenants: 'ten_01h455vb4pex5vsknk084sn02q',
  'event-types': 'of.nobody',
}

describe('ids of another tenant', () => {
  let own: TenantScene
  let other: TenantScene
  beforeAll(async () => {
    own = await aTenant()
    other = await aTenant()
  })
  const send = (row: (typeof guarded)[number], path: string, token: string) =>
    server.call(row.method, path, { token, body: bodyOf(row) })

  test.each(withId)('are as unknown to a bound admin token as ids of nobody: $route', async (row) => {
    const foreign = await send(row, pathTo(row, other.ids), own.admin)
    expectProblem(foreign, { status: 404 })
    expect(foreign.json).toEqual((await send(row, pathTo(row, unknownIds), own.admin)).json)
  })

  const forProducers = withId.filter(({ access }) => access.producer !== undefined)
  test.each(forProducers)('are as unknown to a producer key: $route', async (row) => {
    const foreign = await send(row, pathTo(row, other.ids), own.producer)
    expectProblem(foreign, { status: 404 })
    expect(foreign.json).toEqual((await send(row, pathTo(row, unknownIds), own.producer)).json)
    expect((await send(row, pathTo(row, own.ids), own.producer)).status).toBe(200)
  })

  test.each(withId.filter(({ resource }) => resource !== 'tenants'))(
    'are unknown to whoever names one tenant and the id of another: $route',
    async (row) => {
      const path = pathTo(row, other.ids)
      expectProblem(await server.call(row.method, `${path}?tenant=${own.uid}`, { body: bodyOf(row) }), {
        status: 404,
      })
    },
  )

  test.each(scoped)(
    'a bound token cannot name another tenant, nor anybody one that is not: $route',
    async (row) => {
      const path = row.url.includes(':') ? pathTo(row, own.ids) : row.url
      for (const name of [other.uid, other.id, 'default', defaultTenantId, 'nobody']) {
        const answer = await server.call(row.method, `${path}?tenant=${name}`, {
          token: own.admin,
          body: bodyOf(row),
        })
        expectProblem(answer, { status: 404, title: 'tenant not found', detail: name })
      }
      for (const name of ['nobody', unknownIds.tenants]) {
        const answer = await server.call(row.method, `${path}?tenant=${name}`, { body: bodyOf(row) })
        expectProblem(answer, { status: 404, title: 'tenant not found', detail: name })
      }
    },
  )

  test('what was refused has changed nothing', async () => {
    for (const name of ['endpoints', 'subscriptions', 'events', 'deliveries']) {
      const { status, json } = await server.call('GET', `/v1/${name}/${other.ids[name]}`)
      expect([name, status, json.deleted_at ?? null]).toEqual([name, 200, null])
    }
    const keys = (await server.call('GET', `/v1/keys?tenant=${other.uid}`)).json.items
    expect(keys.map(({ revoked_at }: { revoked_at: string | null }) => revoked_at)).toEqual([null])
    expect((await server.call('GET', `/v1/events?tenant=${other.uid}`)).json.items).toHaveLength(1)
    expect((await server.call('GET', `/v1/tenants/${other.id}`)).json).toMatchObject({ uid: other.uid })
  })

  /** An event type is known by its name, which says nothing of its tenant. The routes that delete go last, and the endpoint's behind its subscription's. */
  const inOrder = withId
    .filter(({ resource }) => resource !== 'event-types')
    .toSorted((a, b) => orderOf(a) - orderOf(b))
  test.each(inOrder)(
    'an admin token of all tenants, and one of its own, find it by the id: $route',
    async (row) => {
      for (const token of [undefined, own.admin]) {
        if (row.method === 'DELETE' && token !== undefined) continue
        const answer = await server.call(row.method, pathTo(row, own.ids), {
          body: bodyOf(row),
          ...(token !== undefined && { token }),
        })
        expect([row.route, answer.text, answer.status]).not.toEqual([row.route, answer.text, 404])
        expect(answer.status).toBeLessThan(500)
      }
    },
  )
})

/** Of the right form, so that the id is what is looked at. */
function bodyOf({ method, route }: { readonly method: string; readonly route: string }): object | undefined {
  if (method === 'GET') return undefined
  return route.endsWith('/backfill') ? { since: '2026-01-01T00:00:00Z' } : {}
}

function orderOf({ method, resource, url }: (typeof guarded)[number]): number {
  if (method !== 'DELETE') return 0
  if (url.endsWith(':link_id')) return 1
  return resource === 'tenants' ? 3 : resource === 'subscriptions' ? 1 : 2
}

describe('lists and creations', () => {
  test.each(['endpoints', 'subscriptions', 'events', 'deliveries', 'keys'])(
    '/v1/%s is about default, or about the tenant that is named by id or uid',
    async (name) => {
      const [one, two] = [await aTenant(), await aTenant()]
      const idsOf = async (query: string, token?: string) => {
        const { json } = await server.call('GET', `/v1/${name}${query}`, token === undefined ? {} : { token })
        return json.items.map(({ id }: { id: string }) => id)
      }
      expect(await idsOf(`?tenant=${one.uid}`)).toContain(one.ids[name])
      expect(await idsOf(`?tenant=${one.uid}`)).not.toContain(two.ids[name])
      expect(await idsOf(`?tenant=${one.id}`)).toEqual(await idsOf(`?tenant=${one.uid}`))
      expect(await idsOf('', one.admin)).toEqual(await idsOf(`?tenant=${one.uid}`))
      expect(await idsOf('')).toEqual(await idsOf('?tenant=default'))
      expect(await idsOf('')).not.toContain(one.ids[name])
    },
  )

  test('an event that an admin publishes for a tenant goes to its endpoints alone, single or in a batch', async () => {
    const tenant = await aTenant()
    const single = await post(`/v1/events?tenant=${tenant.uid}`, { topic: 'a', payload: 1 })
    const batch = await post(`/v1/events/batch?tenant=${tenant.id}`, { events: [{ topic: 'a', payload: 1 }] })
    for (const { delivery_ids: deliveryIds, event_id: id } of [single.json, batch.json.items[0]]) {
      expect(deliveryIds).toHaveLength(1)
      expect((await server.engine.events.get(tenant.id, id)).tenantId).toBe(tenant.id)
    }
    expect((await post('/v1/events', { topic: 'a', payload: 1 })).json.delivery_ids).toEqual([])
  })

  test('two tenants may use the same uid for an endpoint', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    const body = { uid: 'billing', url: 'https://127.0.0.1/' }
    const first = await post(`/v1/endpoints?tenant=${one.uid}`, body)
    const second = await post(`/v1/endpoints?tenant=${two.uid}`, body)
    expect([first.status, second.status]).toEqual([201, 201])
    const again = await post(`/v1/endpoints?tenant=${two.uid}`, body)
    expect([again.status, again.json.id]).toEqual([200, second.json.id])
  })

  test('a name that is given twice, or is no name, is refused', async () => {
    expectProblem(await server.call('GET', '/v1/endpoints?tenant=a&tenant=b'), {
      status: 400,
      detail: 'once',
    })
    expectProblem(await post('/v1/events?tenant=a&tenant=b', { topic: 'a', payload: 1 }), {
      status: 400,
      detail: 'once',
    })
    for (const name of ['', '%00', 'a%0Ab']) {
      expectProblem(await server.call('GET', `/v1/endpoints?tenant=${name}`), {
        status: 400,
        detail: 'tenant',
      })
    }
    expectProblem(await post('/v1/endpoints?tennant=a', { url: 'https://127.0.0.1/' }), {
      status: 400,
      detail: 'tennant is not known; allowed: tenant',
    })
  })

  test('whoami says whose a token is', async () => {
    const tenant = await aTenant()
    const ask = async (token?: string) =>
      (await server.call('GET', '/v1/whoami', token === undefined ? {} : { token })).json.tenant_id
    expect([await ask(), await ask(tenant.admin), await ask(tenant.producer)]).toEqual([
      null,
      tenant.id,
      tenant.id,
    ])
  })
})

describe('/v1/tenants', () => {
  test('a tenant is created, read, found by its uid, and changed by what is given', async () => {
    const created = await post('/v1/tenants', {
      uid: 'acme',
      name: 'Acme Inc.',
      metadata: { plan: 'pro' },
      settings: { retain_payloads: '7d', ingest_rate: 12.5, retry_policy: 'hookrail' },
    })
    expect(created.status).toBe(201)
    expect(created.json).toEqual({
      id: expect.stringMatching(/^ten_/),
      uid: 'acme',
      name: 'Acme Inc.',
      metadata: { plan: 'pro' },
      settings: {
        retain_payloads: '7d',
        retain_attempts: null,
        retain_events: null,
        retain_dead_letters: null,
        retry_policy: 'hookrail',
        ingest_rate: 12.5,
        max_endpoints: null,
        weight: 1,
        authorized_domains: [],
        breaker_threshold: null,
        breaker_pause: null,
        breaker_max_pause: null,
        disable_after: null,
      },
      state: 'active',
      removed: null,
      removal: null,
      created_at: expect.any(String),
      updated_at: expect.any(String),
      deleted_at: null,
      version: expect.stringMatching(/^t[0-9a-z]+$/),
    })
    const { id } = created.json
    const changed = await server.call('PATCH', `/v1/tenants/${id}`, {
      body: { name: 'Acme', settings: { ingest_rate: null, retain_events: 0, max_endpoints: 5, weight: 3 } },
    })
    expect(changed.json).toMatchObject({
      uid: 'acme',
      name: 'Acme',
      metadata: { plan: 'pro' },
      settings: {
        retain_payloads: '7d',
        retain_events: '0ms',
        ingest_rate: null,
        max_endpoints: 5,
        weight: 3,
      },
    })
    expect((await server.call('GET', `/v1/tenants/${id}`)).json).toEqual(changed.json)
    expect((await server.call('GET', '/v1/tenants?uid=acme')).json).toEqual({
      items: [changed.json],
      next_cursor: '',
    })
    expect((await server.call('GET', '/v1/tenants?uid=nobody')).json.items).toEqual([])
    const upserted = await post('/v1/tenants', { uid: 'acme', metadata: null })
    expect([upserted.status, upserted.json.id, upserted.json.metadata]).toEqual([200, id, {}])
    const page = (await server.call('GET', '/v1/tenants?limit=1')).json
    expect(page.next_cursor).not.toBe('')
  })

  test('the tenant default is there from the beginning and keeps its name', async () => {
    const { json } = await server.call('GET', `/v1/tenants/${defaultTenantId}`)
    expect(json).toMatchObject({ id: defaultTenantId, uid: 'default', name: 'default', state: 'active' })
    expect(Date.parse(json.created_at)).toBeGreaterThan(0)
    expectProblem(await server.call('PATCH', `/v1/tenants/${defaultTenantId}`, { body: { uid: 'other' } }), {
      status: 422,
      detail: 'default',
    })
  })

  test.each([
    [{ uid: '' }, 422, 'uid must be'],
    [{ uid: 'ten_x' }, 422, 'uid must not begin with "ten_"'],
    [{ uid: 'a\nb' }, 400, 'uid'],
    [{ uid: 5 }, 400, 'uid must be'],
    [{ name: 'x'.repeat(201) }, 422, 'name must be text of at most 200'],
    [{ nome: 'x' }, 400, 'nome is not known'],
    [{ metadata: { A: 'x' } }, 400, 'metadata has the name'],
    [{ settings: { retain_payloads: 'soon' } }, 422, 'settings.retain_payloads must be'],
    [{ settings: { retain_events: '3651d' } }, 422, 'settings.retain_events must be'],
    [{ settings: { retry_policy: 'never' } }, 422, 'settings.retry_policy "never" is no profile'],
    [{ settings: { ingest_rate: 0 } }, 422, 'settings.ingest_rate must be'],
    [{ settings: { ingest_rate: '5' } }, 400, 'settings.ingest_rate must be'],
    [{ settings: { max_endpoints: 1.5 } }, 400, 'settings.max_endpoints must be'],
    [{ settings: { max_endpoints: -1 } }, 422, 'settings.max_endpoints must be'],
    [{ settings: { weight: 0 } }, 422, 'settings.weight must be a whole number from 1 to 100'],
    [{ settings: { weight: 101 } }, 422, 'settings.weight must be'],
    [{ settings: { weight: 1.5 } }, 400, 'settings.weight must be'],
    [{ settings: { weight: '2' } }, 400, 'settings.weight must be'],
    [{ settings: { retain: '1d' } }, 400, 'settings.retain is not known'],
    [{ settings: null }, 400, 'settings must be'],
  ])('%j is refused', async (body, status, detail) => {
    expectProblem(await post('/v1/tenants', body), { status, detail })
    const { id } = (await post('/v1/tenants', { uid: 'refused' })).json
    expectProblem(await server.call('PATCH', `/v1/tenants/${id}`, { body }), { status, detail })
  })

  test('a uid that another tenant has is a conflict, and an unknown tenant is not found', async () => {
    const [one, two] = [await aTenant(), await aTenant()]
    const taken = await server.call('PATCH', `/v1/tenants/${two.id}`, { body: { uid: one.uid } })
    expectProblem(taken, { status: 409, detail: one.id })
    expectProblem(await server.call('GET', `/v1/tenants/${unknownIds.tenants}`), { status: 404 })
    expectProblem(await server.call('PATCH', '/v1/tenants/acme', { body: {} }), { status: 404 })
  })

  test('a bound admin token sees its own tenant, and changes none', async () => {
    const [own, other] = [await aTenant(), await aTenant()]
    const call = (method: string, path: string, body?: unknown) =>
      server.call(method, path, { token: own.admin, body })
    expect((await call('GET', '/v1/tenants')).json).toMatchObject({
      items: [{ id: own.id }],
      next_cursor: '',
    })
    expect((await call('GET', `/v1/tenants?uid=${other.uid}`)).json.items).toEqual([])
    expect((await call('GET', `/v1/tenants/${own.id}`)).status).toBe(200)
    const settings = { settings: { ingest_rate: null } }
    expectProblem(await call('PATCH', `/v1/tenants/${own.id}`, settings), {
      status: 403,
      detail: 'all tenants',
    })
    expectProblem(await call('PATCH', `/v1/tenants/${other.id}`, settings), { status: 404 })
    expectProblem(await call('POST', '/v1/tenants', { uid: 'mine' }), { status: 403 })
  })
})

test('a store that is out of reach is never taken for a tenant or an id that is not there', async () => {
  const tenant = await aTenant()
  const apart = await aServer({ config })
  apart.setStoreDown(true)
  for (const path of [
    '/v1/endpoints?tenant=acme',
    `/v1/events/${tenant.ids.events}`,
    '/v1/tenants?uid=acme',
  ]) {
    expectProblem(await apart.call('GET', path), { status: 503 })
  }
  const event = { topic: 'a', payload: 1 }
  expectProblem(await apart.call('POST', '/v1/events?tenant=acme', { body: event }), { status: 503 })
})

describe('settings of a tenant', () => {
  test('a tenant that publishes faster than its ingest rate gets 429 with whole seconds of Retry-After', async () => {
    const tenant = await aTenant()
    await server.call('PATCH', `/v1/tenants/${tenant.id}`, { body: { settings: { ingest_rate: 0.05 } } })
    const event = { topic: 'a', payload: 1 }
    expect((await post('/v1/events', event, tenant.producer)).status).toBe(202)
    const refused = await post('/v1/events', event, tenant.producer)
    expectProblem(refused, { status: 429, code: 'rate_limited', detail: '0.05 events per second' })
    expect(refused.headers.get('retry-after')).toBe('10')
    const batch = await post('/v1/events/batch', { events: [event, event] }, tenant.producer)
    expect(batch.json.items.map(({ status }: { status: number }) => status)).toEqual([429, 429])
    expect((await post('/v1/events', event)).status).toBe(202)
    await server.call('PATCH', `/v1/tenants/${tenant.id}`, { body: { settings: { ingest_rate: null } } })
    expect((await post('/v1/events', event, tenant.producer)).status).toBe(202)
  })

  test('a tenant with as many endpoints as it may have gets no other, and may change those that it has', async () => {
    const tenant = await aTenant()
    await server.call('PATCH', `/v1/tenants/${tenant.id}`, { body: { settings: { max_endpoints: 2 } } })
    const path = `/v1/endpoints?tenant=${tenant.uid}`
    const body = { uid: 'second', url: 'https://127.0.0.1/' }
    expect((await post(path, body)).status).toBe(201)
    for (const uid of [undefined, 'third']) {
      expectProblem(await post(path, { ...body, uid }), {
        status: 409,
        title: 'too many endpoints',
        detail: 'the tenant has 2 endpoints',
      })
    }
    expect((await post(path, body)).status).toBe(200)
    expect((await post('/v1/endpoints', body)).status).toBe(201)
  })
})

describe('DELETE /v1/tenants/{id}', () => {
  test('takes nothing more from then on, cancels what waits, and removes everything in the background', async () => {
    const tenant = await aTenant()
    const remove = () => server.call('DELETE', `/v1/tenants/${tenant.id}`)
    const deleted = await remove()
    expect([deleted.status, deleted.json]).toEqual([
      202,
      expect.objectContaining({ id: tenant.id, state: 'deleting', deleted_at: expect.any(String) }),
    ])
    expect(deleted.json.removed).toEqual({ endpoints: 0, events: 0, deliveries: 0 })
    expect(deleted.json.removal).toEqual({
      phase: 'cancelling',
      started_at: deleted.json.deleted_at,
      left: null,
    })
    expect([401, 404]).toContain(
      (await post('/v1/events', { topic: 'a', payload: 1 }, tenant.producer)).status,
    )
    const forTenant = await post(`/v1/events?tenant=${tenant.id}`, { topic: 'a', payload: 1 })
    expectProblem(forTenant, { status: 404, title: 'tenant not found' })
    expectProblem(await post(`/v1/endpoints?tenant=${tenant.uid}`, { url: 'https://127.0.0.1/' }), {
      status: 404,
    })
    for (const name of ['endpoints', 'events', 'deliveries', 'subscriptions']) {
      expectProblem(await server.call('GET', `/v1/${name}/${tenant.ids[name]}`), { status: 404 })
    }
    expectProblem(await server.call('PATCH', `/v1/tenants/${tenant.id}`, { body: { name: 'x' } }), {
      status: 404,
    })
    expect((await post('/v1/tenants', { uid: tenant.uid })).status).toBe(201)
    expect([202, 404]).toContain((await remove()).status)
    await expect
      .poll(async () => (await server.call('GET', `/v1/tenants/${tenant.id}`)).status, {
        timeout: patienceMs,
      })
      .toBe(404)
    expectProblem(await remove(), { status: 404 })
    const listed = (await server.call('GET', '/v1/tenants?limit=200')).json.items
    expect(listed.map(({ id }: { id: string }) => id)).not.toContain(tenant.id)
  })

  test('the tenant default cannot be deleted, and nobody who is bound to a tenant deletes one', async () => {
    expectProblem(await server.call('DELETE', `/v1/tenants/${defaultTenantId}`), {
      status: 422,
      detail: 'default',
    })
    const [own, other] = [await aTenant(), await aTenant()]
    const remove = (id: string) => server.call('DELETE', `/v1/tenants/${id}`, { token: own.admin })
    expectProblem(await remove(own.id), { status: 403 })
    expectProblem(await remove(other.id), { status: 404 })
    expect((await server.call('GET', `/v1/tenants/${own.id}`)).json.state).toBe('active')
  })
})
