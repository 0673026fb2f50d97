/** Keys and admin tokens over HTTP, where two servers share a PostgreSQL database. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, testedServers } from '../servers/postgres.ts'
import { aServer, type TestServer } from './a-server.ts'
import { describeKeyRows } from './both-stores/key-rows.ts'
import { describeRouteAccess } from './both-stores/route-access.ts'
import { expectProblem } from './expect-problem.ts'

const newest = testedServers().at(-1)
if (newest === undefined) throw new Error('no server to test on')
let database: PostgresServer
const configOf = (what: string) => ({
  store: `${database.url}?schema=outhook_${what}_${process.pid}`,
  masterKey: 'ab'.repeat(32),
})
let one: TestServer
let two: TestServer
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  database = await newest.start()
  const config = configOf('keys')
  const closeWith = (close: () => Promise<void>): void => void closing.push(close)
  one = await aServer({ config, keyCacheMs: 0, closeWith })
  two = await aServer({ config, keyCacheMs: 0, closeWith })
})
afterAll(async () => {
  await Promise.all(closing.map((close) => close()))
  await database?.stop()
})

const post = (server: TestServer, path: string, body: unknown, token?: string) =>
  server.call('POST', path, { body, ...(token !== undefined && { token }) })
const publish = (server: TestServer, token: string, topic = 'a') =>
  post(server, '/v1/events', { topic, payload: 1 }, token)

test('a key is the same on both: scopes, rotation, changes, expiry and revoking', async () => {
  const { id, key } = (await post(one, '/v1/keys', { name: 'shop', scopes: ['a.*'], expires_in: '1h' })).json
  expect((await publish(two, key, 'a.b')).status).toBe(202)
  expectProblem(await publish(two, key, 'b'), { status: 403, title: 'topic not permitted' })
  await one.call('PATCH', `/v1/keys/${id}`, { body: { scopes: ['*'], expires_at: null } })
  expect((await publish(two, key, 'b')).status).toBe(202)
  const rotated = (await post(two, `/v1/keys/${id}/rotate`, { grace: 0 })).json.key
  expect([(await publish(one, key)).status, (await publish(one, rotated)).status]).toEqual([401, 202])
  await one.call('DELETE', `/v1/keys/${id}`)
  expect((await publish(two, rotated)).status).toBe(401)
})

test('S1.14 the rate of a key holds for both together', async () => {
  const { key } = (await post(one, '/v1/keys', { name: 'shop', rate_limit_rps: 0.1 })).json
  const answers = [await publish(one, key), await publish(two, key), await publish(one, key)]
  expect(answers.map(({ status }) => status)).toEqual([202, 429, 429])
  expect(answers[1]?.headers.get('retry-after')).toBe('10')
})

test('S1.33, S1.34 an admin token has its role on both, and of two last ones only one is revoked', async () => {
  const viewer = (await post(one, '/v1/admin-tokens', { role: 'viewer', label: 'a' })).json
  expect((await two.call('GET', '/v1/endpoints', { token: viewer.token })).status).toBe(200)
  expectProblem(await publish(two, viewer.token), { status: 403, title: 'insufficient role' })
  await one.call('DELETE', `/v1/admin-tokens/${viewer.id}`)
  expect((await two.call('GET', '/v1/endpoints', { token: viewer.token })).status).toBe(401)

  const last = [one, two].map((server) => post(server, '/v1/admin-tokens', { role: 'admin', label: 'last' }))
  const ids = (await Promise.all(last)).map(({ json }) => json.id)
  const revoked = await Promise.allSettled(
    ids.map((id, index) => [one, two][index]?.engine.adminTokens.revoke(null, id, { keepLast: true })),
  )
  expect(revoked.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})

test('the last use of a key is kept', async () => {
  const { id, key } = (await post(one, '/v1/keys', { name: 'shop' })).json
  expect((await publish(two, key)).status).toBe(202)
  const used = async () => (await one.call('GET', `/v1/keys/${id}`)).json.last_used_at
  while ((await used()) === null) await two.engine.ping()
  expect(Date.parse(await used())).toBeGreaterThan(0)
})

test('S4.5 authorized domains of a tenant hold on both, and one that was added is known at once', async () => {
  const { id } = (await post(one, '/v1/tenants', { uid: 'fenced' })).json
  const setDomains = (domains: readonly string[]) =>
    one.call('PATCH', `/v1/tenants/${id}`, { body: { settings: { authorized_domains: domains } } })
  const create = () => post(two, '/v1/endpoints?tenant=fenced', { url: 'https://93.184.216.34/' })
  const send = () =>
    post(two, '/v1/deliveries?tenant=fenced', { url: 'https://93.184.216.34/', payload: 1, delay: '1h' })
  expect([(await create()).status, (await send()).status]).toEqual([201, 202])
  await setDomains(['example.com'])
  while ((await send()).status === 202) await two.engine.ping()
  for (const answer of [await create(), await send()]) {
    expectProblem(answer, { status: 422, detail: /^Domain not authorized: 93\.184\.216\.34 / })
  }
  await setDomains(['example.com', '93.184.216.34'])
  expect([(await create()).status, (await send()).status]).toEqual([201, 202])
})

describeKeyRows(() => ({ one, two }))
describeRouteAccess((options) => aServer({ ...options, config: configOf('routes') }))
