/** Producer keys and admin tokens over HTTP. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultTenantId } from '../../src/core/model.ts'
import { createManualClock } from '../../src/testing/manual-clock.ts'
import { type Answer, aServer, type CallOptions, type TestServer } from './a-server.ts'
import { describeKeyRows } from './both-stores/key-rows.ts'
import { expectProblem } from './expect-problem.ts'

const closing: (() => Promise<void>)[] = []
let server: TestServer
beforeAll(async () => {
  server = await aServer({ closeWith: (close) => void closing.push(close) })
})
afterAll(() => Promise.all(closing.map((close) => close())))

describeKeyRows(() => ({ one: server, two: server }))

const post = (path: string, body?: unknown, options: CallOptions = {}): Promise<Answer> =>
  server.call('POST', path, { body, ...options })
const publish = (token: string, topic: string, headers: Record<string, string> = {}) =>
  post('/v1/events', { topic, payload: { n: 1 } }, { token, headers })
const aKey = async (given: object = {}) => (await post('/v1/keys', { name: 'shop', ...given })).json

describe('topic scopes', () => {
  test('an event that was accepted is no replay once its topic is beyond the scopes', async () => {
    const { id, key } = await aKey({ scopes: ['orders.*'] })
    const headers = { 'idempotency-key': 'narrowed' }
    expect((await publish(key, 'orders.a', headers)).status).toBe(202)
    const changed = await server.call('PATCH', `/v1/keys/${id}`, { body: { scopes: ['refunds.*'] } })
    expect(changed.json).toMatchObject({ id, name: 'shop', scopes: ['refunds.*'] })
    expectProblem(await publish(key, 'orders.a', headers), { status: 403, title: 'topic not permitted' })
  })

  test('hold for each event of a batch', async () => {
    const { key } = await aKey({ scopes: ['orders.*'] })
    const events = ['orders.a', 'users.b', 'orders.c'].map((topic) => ({ topic, payload: 1 }))
    const { json } = await post('/v1/events/batch', { events }, { token: key })
    expect(json.items.map(({ status }: { status: number }) => status)).toEqual([202, 403, 202])
    expect(json.items[1]).toMatchObject({ title: 'topic not permitted', code: 'forbidden' })
  })

  test('come after what is wrong with the request, as in the original', async () => {
    const { key } = await aKey({ scopes: ['orders.*'] })
    const send = (body: unknown, headers: Record<string, string> = {}) =>
      post('/v1/events', body, { token: key, headers })
    expectProblem(await send('{'), { status: 400, title: 'invalid body' })
    expectProblem(await send({ topic: 'users.a' }), { status: 400, detail: 'topic and payload are required' })
    expectProblem(await send({ topic: 'users.a', payload: 'x'.repeat(262_145) }), { status: 413 })
    const ordered = { topic: 'users.a', payload: { ordering_key: 'a' } }
    expectProblem(await send(ordered, { 'x-hookrail-ordering-key': 'b' }), {
      status: 400,
      title: 'ordering_key conflict',
    })
    expectProblem(await send(ordered, { 'x-hookrail-ordering-key': 'x'.repeat(257) }), { status: 400 })
  })

  test('are patterns that can match, at least one', async () => {
    for (const scopes of [[], ['ord*'], ['a b'], ['']]) {
      expectProblem(await post('/v1/keys', { name: 'a', scopes }), { status: 422, detail: /^scopes/ })
    }
    expect((await aKey({ scopes: ['a', 'a', 'b.*'] })).scopes).toEqual(['a', 'b.*'])
  })
})

describe('abilities', () => {
  test('a key reads what was published with it, and with the ability read all of its tenant', async () => {
    const [own, other, reader] = [await aKey(), await aKey(), await aKey({ abilities: ['read', 'publish'] })]
    await post('/v1/tenants', { uid: 'elsewhere' })
    const foreign = (await post('/v1/keys?tenant=elsewhere', { name: 'a', abilities: ['read'] })).json
    const { id } = (await publish(own.key, 'orders.a')).json
    const seen = async (token: string) => {
      const paths = [`/v1/events/${id}`, `/v1/events/${id}/payload`]
      return Promise.all(paths.map(async (path) => (await server.call('GET', path, { token })).status))
    }
    expect(await seen(own.key)).toEqual([200, 200])
    expect(await seen(other.key)).toEqual([404, 404])
    expect(await seen(reader.key)).toEqual([200, 200])
    expect(await seen(foreign.key)).toEqual([404, 404])
    const listed = await server.call('GET', '/v1/events', { token: reader.key })
    expect(listed.json.items.map((event: { id: string }) => event.id)).toContain(id)
  })

  test('a key that may only read publishes nothing', async () => {
    const { key } = await aKey({ abilities: ['read'] })
    // The second one comes over a connection on which the key is known.
    for (let times = 0; times < 2; times++) {
      const refused = await publish(key, 'a')
      expectProblem(refused, { status: 403, title: 'insufficient role', detail: 'the ability publish' })
    }
    expectProblem(await post('/v1/keys', { name: 'a', abilities: [] }), { status: 422, detail: /^abilities/ })
  })
})

describe('a key', () => {
  test('is shown once at its creation, with everything that was given', async () => {
    const given = { name: 'shop', scopes: ['a.*'], abilities: ['publish'], rate_limit_rps: 2.5 }
    const made = await post('/v1/keys', { ...given, expires_at: '2099-01-01T00:00:00.000Z' })
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { key, ...shown } = made.json
    expect(key).toMatch(/^hk_[0-9a-f]{48}$/)
    expect(shown).toEqual({
      ...given,
      id: expect.stringMatching(/^key_/),
      tenant_id: defaultTenantId,
      kind: 'producer',
      created_at: expect.any(String),
      expires_at: '2099-01-01T00:00:00.000Z',
      last_used_at: null,
      revoked_at: null,
      version: expect.stringMatching(/^v[\w-]{14}$/),
    })
    expect((await server.call('GET', `/v1/keys/${shown.id}`)).json).toEqual(shown)
    const listed = await server.call('GET', '/v1/keys')
    expect(listed.json.items[0]).toEqual(shown)
    expect(listed.text).not.toContain(key)
  })

  test('loses its limits by null, and keeps what is not named', async () => {
    const { id } = await aKey({ rate_limit_rps: 5, expires_in: '1h', scopes: ['a'] })
    const change = { rate_limit_rps: null, expires_at: null, name: 'other' }
    const { json } = await server.call('PATCH', `/v1/keys/${id}`, { body: change })
    expect(json).toMatchObject({ ...change, scopes: ['a'] })
    expectProblem(await server.call('PATCH', '/v1/keys/key_01h455vb4pex5vsknk084sn02q', { body: {} }), {
      status: 404,
      title: 'key not found',
    })
  })

  test.each([
    [{ expires_in: '1h', expires_at: null }, 422, 'expires_at must not stand beside expires_in'],
    [{ expires_in: '0' }, 422, 'expires_in must be in the future'],
    [{ expires_in: 'soon' }, 422, 'expires_in must be "500ms"'],
    [{ expires_at: '2020-01-01T00:00:00Z' }, 422, 'expires_at must be in the future'],
    [{ expires_at: 'tomorrow' }, 400, 'expires_at must be an RFC 3339 time'],
    [{ rate_limit_rps: 0 }, 422, 'rate_limit_rps must be a number from 0.01'],
    [{ abilities: ['write'] }, 400, 'abilities[0] must be "publish", "read"'],
    [{ colour: 'red' }, 400, 'colour is not known'],
    [{ kind: 'admin', scopes: ['a'] }, 422, "scopes is a producer key's"],
  ])('is not made with %j', async (given, status, detail) => {
    expectProblem(await post('/v1/keys', { name: 'a', ...given }), { status, detail })
  })

  test('works beside what it was before for the grace of a rotation, and its events stay its own', async () => {
    const { id, key } = await aKey()
    const event = await publish(key, 'a', { 'idempotency-key': 'rotated' })
    const rotated = await post(`/v1/keys/${id}/rotate`, { grace: '1h' })
    expect([rotated.status, rotated.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(rotated.json).toMatchObject({ id, key: expect.stringMatching(/^hk_[0-9a-f]{48}$/) })
    const graceMs = Date.parse(rotated.json.previous_expires_at) - Date.now()
    expect(Math.abs(graceMs - 3_600_000)).toBeLessThan(60_000)
    for (const token of [key, rotated.json.key]) {
      const again = await publish(token, 'a', { 'idempotency-key': 'rotated' })
      expect([again.json.id, again.headers.get('idempotent-replay')]).toEqual([event.json.id, 'true'])
      expect((await server.call('GET', `/v1/events/${event.json.id}`, { token })).status).toBe(200)
    }
    const last = (await post(`/v1/keys/${id}/rotate`, { grace: 0 })).json.key
    for (const token of [key, rotated.json.key]) expect((await publish(token, 'a')).status).toBe(401)
    expect((await publish(last, 'a')).status).toBe(202)
    expectProblem(await post(`/v1/keys/${id}/rotate`, { grace: '31d' }), { status: 422, detail: /^grace/ })
    await server.call('DELETE', `/v1/keys/${id}`)
    expectProblem(await post(`/v1/keys/${id}/rotate`), { status: 409, detail: 'the key is revoked' })
  })

  test('ends at its time also where it is remembered, and shows when it was used last', async () => {
    const clock = createManualClock()
    const timed = await aServer({ clock })
    const { json } = await timed.call('POST', '/v1/keys', { body: { name: 'a', expires_in: '3s' } })
    const whoami = () => timed.call('GET', '/v1/whoami', { token: json.key })
    expect((await whoami()).status).toBe(200)
    await clock.advance(1500)
    const used = async () => (await timed.call('GET', `/v1/keys/${json.id}`)).json.last_used_at
    while ((await used()) === null) await timed.engine.ping()
    await clock.advance(1499)
    expect((await whoami()).status).toBe(200)
    await clock.advance(1)
    expect((await whoami()).status).toBe(401)
  })
})

describe('admin tokens', () => {
  const aToken = (given: object = {}, options: CallOptions = {}) =>
    post('/v1/admin-tokens', { role: 'viewer', label: 'dashboard', ...given }, options)

  test.each([
    [{ role: 'root' }, 422, 'role must be one of viewer, operator, admin'],
    [{ role: 7 }, 400, 'role must be a string'],
    [{ label: '' }, 422, 'label must be 1 to 200 characters'],
    [{ label: 'x'.repeat(201) }, 422, 'label must be 1 to 200 characters'],
    [{ label: undefined }, 400, 'label is required'],
    [{ tenant_id: 'ten_01h455vb4pex5vsknk084sn02q' }, 404, 'ten_01h455vb4pex5vsknk084sn02q'],
    [{ label: 'x'.repeat(70_000) }, 413, ''],
  ])('are not made with %j', async (given, status, detail) => {
    expectProblem(await aToken(given), { status, ...(detail !== '' && { detail }) })
  })

  test('of one tenant make, list and revoke only such as are of the same', async () => {
    const { id: tenantId } = (await post('/v1/tenants', { uid: 'bound' })).json
    const bound = (await aToken({ role: 'admin', tenant_id: 'bound' })).json
    expect(bound.tenant_id).toBe(tenantId)
    const { token } = bound
    expect((await aToken({}, { token })).json.tenant_id).toBe(tenantId)
    expectProblem(await aToken({ tenant_id: null }, { token }), { status: 403 })
    expectProblem(await aToken({ tenant_id: defaultTenantId }, { token }), { status: 404 })
    const ofAll = (await aToken()).json
    const { json } = await server.call('GET', '/v1/admin-tokens', { token })
    expect(json.items).toHaveLength(2)
    expect((await server.call('GET', '/v1/admin-tokens?tenant=bound')).json).toEqual(json)
    for (const method of ['GET', 'DELETE']) {
      expectProblem(await server.call(method, `/v1/admin-tokens/${ofAll.id}`, { token }), { status: 404 })
    }
  })

  test('the last one that can make others is kept where the configuration has none', async () => {
    const alone = await aServer({ adminTokens: [] })
    const first = await alone.engine.adminTokens.createFirst({ role: 'admin', label: 'first' })
    const { token = '', key } = first ?? {}
    const make = (body: object) =>
      alone.call('POST', '/v1/admin-tokens', { token, body: { role: 'admin', label: 'a', ...body } })
    await make({ role: 'operator' })
    await make({ expires_in: '1h' })
    for (const path of [`/v1/admin-tokens/${key?.id}`, `/v1/keys/${key?.id}`]) {
      const refused = await alone.call('DELETE', path, { token })
      expectProblem(refused, { status: 409, detail: 'nobody could administer the server' })
    }
    const { json } = await make({})
    expect((await alone.call('DELETE', `/v1/admin-tokens/${key?.id}`, { token })).status).toBe(204)
    expect((await alone.call('GET', '/v1/keys', { token })).status).toBe(401)
    expect((await alone.call('GET', '/v1/keys', { token: json.token })).status).toBe(200)
  })
})
