/** The table of routes and roles; what it says of each route, on SQLite. */
import { describe, expect, test } from 'vitest'
import { buildServer } from '../../src/api/server.ts'
import { createSystemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { aServer } from './a-server.ts'
import { describeRouteAccess, guarded, rows } from './both-stores/route-access.ts'

/** A server that is not listening. */
function aBuiltServer() {
  return buildServer({} as Engine, {
    version: '0',
    clock: createSystemClock(),
    log: silentLogger,
    metrics: { ingest() {}, wrongToken() {}, request() {}, contentType: '', render: async () => '' },
  })
}

describe('S1.33 the table of routes and roles', () => {
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
    const { paths } = (await (await aServer()).call('GET', '/openapi.json')).json
    for (const { route, method, url, access } of guarded) {
      const { security } = paths[url.replace(/:(\w+)/g, '{$1}')][method.toLowerCase()]
      const { role, producer, portal } = access
      const wanted = [
        ...(producer === undefined ? [] : [{ producerKey: producer === 'any' ? [] : [producer] }]),
        { adminToken: [role] },
        ...(portal === undefined ? [] : [{ portalLink: portal }]),
      ]
      expect([route, security]).toEqual([route, wanted])
    }
  })
})

describeRouteAccess(aServer)
