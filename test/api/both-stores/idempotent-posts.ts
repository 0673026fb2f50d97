/** `Idempotency-Key` on every POST. */
import { describe, expect, test } from 'vitest'
import { routeAccess } from '../../../src/api/route-access.ts'
import type { TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import { aName, anEndpointBody, type OpenScene } from './scene.ts'

const json = { 'content-type': 'application/json' }
const endpointOf = async (server: TestServer): Promise<string> =>
  (await server.call('POST', '/v1/endpoints', { body: anEndpointBody })).json.id
const countOf = async (server: TestServer, path: string): Promise<number> => {
  const { items, next_cursor: next } = (await server.call('GET', `${path}?limit=200`)).json
  return items.length + (next === '' ? 0 : 200)
}

interface Post {
  readonly path: string
  readonly body?: object
  readonly headers?: Readonly<Record<string, string>>
}

/** What each POST is that makes something: the list that grows by one, and the member that is shown once. */
const creations: readonly [
  what: string,
  prepare: (server: TestServer) => Promise<Post>,
  list: string | null,
  secret?: string,
][] = [
  ['an endpoint', async () => ({ path: '/v1/endpoints', body: anEndpointBody }), '/v1/endpoints', 'secret'],
  [
    'an endpoint by its uid',
    async () => ({ path: '/v1/endpoints', body: { ...anEndpointBody, uid: aName('uid') } }),
    '/v1/endpoints',
    'secret',
  ],
  [
    'a subscription',
    async (server) => ({
      path: '/v1/subscriptions',
      body: { endpoint_id: await endpointOf(server), topic_patterns: ['a'] },
    }),
    '/v1/subscriptions',
  ],
  ['a tenant', async () => ({ path: '/v1/tenants', body: { name: 'Acme' } }), '/v1/tenants'],
  ['a producer key', async () => ({ path: '/v1/keys', body: { name: 'shop' } }), '/v1/keys', 'key'],
  [
    'an admin token',
    async () => ({ path: '/v1/admin-tokens', body: { role: 'viewer', label: 'wall' }, headers: json }),
    '/v1/admin-tokens',
    'token',
  ],
  ['a job that replays', async () => ({ path: '/v1/dlq/replay', body: { topic: 'nothing' } }), '/v1/jobs'],
  [
    'a job that cancels',
    async () => ({ path: '/v1/deliveries/cancel', body: { topic: 'nothing' } }),
    '/v1/jobs',
  ],
  [
    'a job that fills back',
    async (server) => ({
      path: `/v1/endpoints/${await endpointOf(server)}/backfill`,
      body: { since: '2020-01-01T00:00:00Z' },
    }),
    '/v1/jobs',
  ],
  [
    'a new secret',
    async (server) => ({ path: `/v1/endpoints/${await endpointOf(server)}/rotate-secret`, body: {} }),
    null,
    'secret',
  ],
  [
    'a new text of a key',
    async (server) => {
      const { id } = (await server.call('POST', '/v1/keys', { body: { name: 'shop' } })).json
      return { path: `/v1/keys/${id}/rotate`, body: {} }
    },
    null,
    'key',
  ],
  [
    'a pause',
    async (server) => ({ path: `/v1/endpoints/${await endpointOf(server)}/pause`, body: {} }),
    null,
  ],
]

const { stringify } = JSON

export function describeIdempotentPosts(open: OpenScene): void {
  const send = (server: TestServer, { path, body, headers }: Post, key: string, token?: string) =>
    server.call('POST', path, {
      body,
      headers: { ...headers, 'idempotency-key': key },
      ...(token !== undefined && { token }),
    })

  describe.each(creations)('with an idempotency key %s', (_what, prepare, list, secret) => {
    test('is made once: the same request is answered again on each node, whatever is shown once included', async () => {
      const { one, two } = open()
      const post = await prepare(one)
      const before = list === null ? 0 : await countOf(one, list)
      const key = aName('key')
      const first = await send(one, post, key)
      expect([first.status, first.headers.get('idempotent-replay')]).toEqual([expect.any(Number), null])
      expect(first.status).toBeLessThan(300)
      const again = await send(two, post, key)
      expect([again.status, again.text, again.headers.get('idempotent-replay')]).toEqual([
        first.status,
        first.text,
        'true',
      ])
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'))
      if (secret !== undefined) expect(first.json[secret].length).toBeGreaterThan(20)
      if (list !== null && before < 200) expect(await countOf(one, list)).toBe(before + 1)
    })

    test('is made once by eight requests at one moment, and all get the same answer', async () => {
      const { one, two } = open()
      const post = await prepare(one)
      const key = aName('key')
      const answers = await Promise.all(
        [one, two, one, two, one, two, one, two].map((server) => send(server, post, key)),
      )
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
      expect(answers[0]?.status).toBeLessThan(300)
    })

    test('keeps its key from any other request', async () => {
      const { one, two } = open()
      const post = await prepare(one)
      const key = aName('key')
      expect((await send(one, post, key)).status).toBeLessThan(300)
      const isOfTenant = post.path !== '/v1/tenants'
      const other = isOfTenant
        ? {
            path: '/v1/subscriptions',
            body: { endpoint_id: await endpointOf(one), topic_patterns: ['other'] },
          }
        : { path: '/v1/tenants', body: { name: 'other' } }
      expectProblem(await send(two, other, key), { status: 409, title: 'idempotency conflict' })
    })
  })

  test.each<[string, (id: string) => Post]>([
    [
      'a subscription',
      (id) => ({ path: '/v1/subscriptions', body: { endpoint_id: id, topic_patterns: ['a'] } }),
    ],
    ['a new secret', (id) => ({ path: `/v1/endpoints/${id}/rotate-secret`, body: {} })],
    ['a pause', (id) => ({ path: `/v1/endpoints/${id}/pause`, body: {} })],
    [
      'a job that fills back',
      (id) => ({ path: `/v1/endpoints/${id}/backfill`, body: { since: '2020-01-01T00:00:00Z' } }),
    ],
    ['a direct send', (id) => ({ path: '/v1/deliveries', body: { endpoint_id: id, delay: '1h' } })],
  ])('%s is answered again after its endpoint was deleted, under the same key alone', async (_what, make) => {
    const { one, two } = open()
    const id = await endpointOf(one)
    const post = make(id)
    const key = aName('key')
    const first = await send(one, post, key)
    expect(first.status).toBeLessThan(300)
    expect((await one.call('DELETE', `/v1/endpoints/${id}`)).status).toBe(204)
    const again = await send(two, post, key)
    expect([again.status, again.text, again.headers.get('idempotent-replay')]).toEqual([
      first.status,
      first.text,
      'true',
    ])
    const refused = await send(two, post, aName('key'))
    expect([404, 409, 422]).toContain(refused.status)
  })

  test('the same key with another body is a 409, and one of another caller or tenant is another key', async () => {
    const { one, two } = open()
    const key = aName('key')
    const post = { path: '/v1/keys', body: { name: 'shop' } }
    const first = await send(one, post, key)
    const conflict = { status: 409, title: 'idempotency conflict', detail: 'used for another request' }
    expectProblem(await send(two, { ...post, body: { name: 'other' } }, key), conflict)
    const { token } = (
      await one.call('POST', '/v1/admin-tokens', { body: { role: 'admin', label: 'b' }, headers: json })
    ).json
    const uid = aName('tenant')
    await one.call('POST', '/v1/tenants', { body: { uid } })
    const others = [
      await send(two, post, key, token),
      await send(two, { ...post, path: `/v1/keys?tenant=${uid}` }, key),
    ]
    expect(new Set([first, ...others].map(({ json: { id } }) => id)).size).toBe(3)
    for (const answer of others) expect(answer.headers.get('idempotent-replay')).toBeNull()
  })

  test('members in another order are the same request, and what was refused leaves the key free', async () => {
    const { one, two } = open()
    const key = aName('key')
    expectProblem(await send(one, { path: '/v1/keys', body: { name: '', scopes: ['a'] } }, key), {
      status: 422,
    })
    expectProblem(
      await send(one, { path: '/v1/keys', body: { name: 'a', expires_at: '2000-01-01T00:00:00Z' } }, key),
      {
        status: 422,
      },
    )
    const first = await send(one, { path: '/v1/keys', body: { name: 'shop', scopes: ['a'] } }, key)
    const again = await send(two, { path: '/v1/keys', body: { scopes: ['a'], name: 'shop' } }, key)
    expect([first.status, again.text]).toEqual([201, first.text])
  })

  test('a key that is empty, too long or given twice is a 400', async () => {
    const { one } = open()
    const post = { path: '/v1/keys', body: { name: 'shop' } }
    for (const key of ['', 'x'.repeat(256)]) expectProblem(await send(one, post, key), { status: 400 })
    const lines = ['a', 'b'].map((key) => `Idempotency-Key: ${key}\r\n`).join('')
    const body = stringify(post.body)
    const raw = await one.raw(
      `POST /v1/keys HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer test-admin-token\r\n${lines}Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    )
    expect(raw).toContain('given more than once')
  })

  test('a process that dies between writing and answering made it once: the call gives the same when it comes again', async () => {
    const { one, two } = open()
    const key = aName('key')
    const owner = [null, 'test']
    const seen: unknown[] = []
    const call = async (server: TestServer) => {
      const { idempotentRequests, apiKeys, tenants } = server.engine
      const tenantId = await tenants.resolve('default')
      return idempotentRequests.run({ owner, key, content: 'the same' }, async (answered) => {
        seen.push(answered.kind === 'run' && answered.isAgain)
        // Its answer is never kept, as where the process is killed.
        return apiKeys.create(tenantId, { name: 'killed' })
      })
    }
    const first = await call(one)
    const again = await call(two)
    expect(again).toEqual(first)
    expect(seen).toEqual([false, true])
    const listed = (await one.call('GET', '/v1/keys?limit=200')).json.items
    expect(listed.filter(({ name }: { name: string }) => name === 'killed')).toHaveLength(1)
    const body = { topic: 'a', payload: 1 }
    expect((await one.call('POST', '/v1/events', { body, token: again.token })).status).toBe(202)
  })

  const url = 'https://127.0.0.1/'
  const ofEngine: readonly [
    what: string,
    run: (server: TestServer, tenantId: string, id: string) => Promise<unknown>,
    again: 'same' | 'gone',
  ][] = [
    [
      'a new secret',
      ({ engine }, tenantId, id) => engine.endpointSecrets.rotateSecret(tenantId, id, {}),
      'gone',
    ],
    ['a pause', ({ engine }, tenantId, id) => engine.endpointPauses.pause(tenantId, id), 'gone'],
    [
      'a subscription',
      ({ engine }, tenantId, endpointId) =>
        engine.subscriptions.create(tenantId, { endpointId, topicPatterns: ['late'] }),
      'same',
    ],
  ]
  test.each(ofEngine)(
    '%s whose process died before it answered, and whose endpoint was deleted then, is answered as before or says what happened',
    async (_what, run, kind) => {
      const { one, two } = open()
      const tenantId = await one.engine.tenants.resolve('default')
      const { endpoint } = await one.engine.endpoints.create(tenantId, { url })
      const identity = { owner: [null, 'test'], key: aName('key'), content: 'the same' }
      // Its answer is never kept, as where the process is killed.
      const call = (server: TestServer) =>
        server.engine.idempotentRequests.run(identity, () => run(server, tenantId, endpoint.id))
      const first = await call(one)
      await one.engine.endpoints.delete(tenantId, endpoint.id)
      if (kind === 'same') {
        expect(await call(two)).toEqual(first)
        return
      }
      await expect(call(two)).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('this request was carried out before, its answer was lost'),
      })
    },
  )

  test('an endpoint whose maker died before it answered is answered with its secret, though it was deleted since', async () => {
    const { one, two } = open()
    const tenantId = await one.engine.tenants.resolve('default')
    const identity = { owner: [null, 'test'], key: aName('key'), content: 'the same' }
    const call = ({ engine }: TestServer) =>
      engine.idempotentRequests.run(identity, () => engine.endpoints.create(tenantId, { url }))
    const first = await call(one)
    await one.engine.endpoints.delete(tenantId, first.endpoint.id)
    const again = await call(two)
    expect([again.secret, again.endpoint.id]).toEqual([first.secret, first.endpoint.id])
  })

  test('every POST takes a key, and says so in the document', async () => {
    const { one } = open()
    const { paths } = (await one.call('GET', '/openapi.json')).json
    const posts = Object.keys(routeAccess).filter((route) => route.startsWith('POST /v1/'))
    for (const route of posts) {
      const operation = paths[route.slice(5).replace(/:(\w+)/g, '{$1}')].post
      const takes = operation.parameters?.some(({ name }: { name: string }) => name === 'idempotency-key')
      expect([route, takes === true]).toEqual([route, route !== 'POST /v1/events/batch'])
    }
  })
}
