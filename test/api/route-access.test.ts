/** Every route of the server with every kind of token: who is let in stands in one table. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RouteAccess, routeAccess } from '../../src/api/route-access.ts'
import { buildServer } from '../../src/api/server.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { adminToken, aServer, type TestServer } from './a-server.ts'
import { expectProblem } from './expect-problem.ts'

const rows = Object.entries(routeAccess).map(([route, access]) => {
  const [method = '', url = ''] = route.split(' ')
  return { route, method, url, access, path: url.replace(/:\w+/g, 'evt_01h455vb4pex5vsknk084sn02q') }
})
const guarded = rows.filter((row): row is typeof row & { access: RouteAccess } => row.access !== 'open')
const open = rows.filter(({ access }) => access === 'open')

/** A server that is not listening. */
function aBuiltServer() {
  return buildServer({} as Engine, {
    version: '0',
    clock: createSystemClock(),
    log: silentLogger,
    metrics: { ingest() {}, wrongToken() {}, request() {}, contentType: '', render: async () => '' },
  })
}

describe('the table of routes and roles', () => {
  test('has no row for a route that the server has not', async () => {
    const app = aBuiltServer()
    await app.ready()
    expect(rows.filter(({ method, url }) => !app.hasRoute({ method: method as 'GET', url }))).toEqual([])
    await app.close()
  })

  test('has a row for each route of the server, which does not start otherwise', async () => {
    const app = aBuiltServer()
    app.register(async (scope) => void scope.get('/v1/forgotten', async () => 'open to all'))
    await expect(app.ready()).rejects.toThrow('nothing says who may use GET /v1/forgotten')
    await app.close()
  })

  test('is what the OpenAPI document says of each of its operations', async () => {
    const { paths } = (await server.call('GET', '/openapi.json')).json
    for (const { route, method, url, access } of guarded) {
      const { security } = paths[url.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
      const { role, producer } = access
      const wanted = [
        ...(producer === undefined ? [] : [{ producerKey: producer === 'any' ? [] : [producer] }]),
        { adminToken: [role] },
      ]
      expect([route, security]).toEqual([route, wanted])
    }
  })
})

let server: TestServer
let producer: string
let revoked: string
const closing: (() => Promise<void>)[] = []
beforeAll(async () => {
  server = await aServer({ keyCacheMs: 0, closeWith: (close) => void closing.push(close) })
  producer = (await server.producer()).key
  const gone = await server.producer('gone')
  await server.call('DELETE', `/v1/keys/${gone.id}`)
  revoked = gone.key
})
afterAll(() => Promise.all(closing.map((close) => close())))

describe.each(guarded)('$route', ({ method, path, access }) => {
  const call = (token: string | null) => server.call(method, path, { token })
  const isLetIn = async (token: string) => {
    const { status, text } = await call(token)
    expect([text, status]).not.toEqual([text, 401])
    return status !== 403
  }
  const who = access.producer === undefined ? 'admin token' : 'producer key'

  test('refuses no token, an unknown and a revoked one', async () => {
    expectProblem(await call(null), {
      status: 401,
      title: 'missing credentials',
      detail: `Authorization: Bearer <${who}> required`,
    })
    for (const token of ['hk_unknown', revoked]) {
      const answer = await call(token)
      expect([401, 429]).toContain(answer.status)
      expectProblem(answer, {
        status: answer.status,
        title: answer.status === 401 ? 'invalid credentials' : 'rate limited',
        detail: who === 'producer key' ? 'unknown or revoked producer key' : 'unknown or revoked token',
      })
    }
  })

  test('takes a producer key only where the table says so', async () => {
    expect(await isLetIn(producer)).toBe(access.producer === 'any' || access.producer === 'publish')
  })

  test('takes the token of the configuration', async () => {
    expect(await isLetIn(adminToken)).toBe(true)
  })
})

describe.each(open)('$route', ({ method, path }) => {
  test('needs no token', async () => {
    const { status } = await server.call(method, path, { token: null })
    expect([401, 403, 503]).not.toContain(status)
  })
})
