/** Every route with every kind of token: who is let in stands in one table. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RouteAccess, routeAccess } from '../../../src/api/route-access.ts'
import { type AdminRole, adminRoles, defaultTenantId, type KeyAbility } from '../../../src/core/model.ts'
import { adminToken, type TestServer } from '../a-server.ts'
import { expectProblem } from '../expect-problem.ts'
import type { OpenServer } from '../hookrail-rows.ts'

const prefixes: Readonly<Record<string, string>> = {
  endpoints: 'ep',
  subscriptions: 'sub',
  deliveries: 'dlv',
  dlq: 'dlv',
  keys: 'key',
  'admin-tokens': 'adm',
  tenants: 'ten',
}

export const rows = Object.entries(routeAccess).map(([route, access]) => {
  const [method = '', url = ''] = route.split(' ')
  const prefix = prefixes[url.split('/')[2] ?? ''] ?? 'evt'
  const path = url
    .replace(':link_id', 'plk_01h455vb4pex5vsknk084sn02q')
    .replace(/:\w+/g, `${prefix}_01h455vb4pex5vsknk084sn02q`)
  return { route, method, url, access, path }
})
export const guarded = rows.filter(
  (row): row is typeof row & { access: RouteAccess } => row.access !== 'open',
)
const open = rows.filter(({ access }) => access === 'open')

export function describeRouteAccess(openServer: OpenServer): void {
  const closing: (() => Promise<void>)[] = []
  afterAll(() => Promise.all(closing.map((close) => close())))

  /** A server with a token of each kind; it keeps none in memory. */
  async function aScene() {
    const server = await openServer({ keyCacheMs: 0, closeWith: (close) => void closing.push(close) })
    const { apiKeys, adminTokens } = server.engine
    const aKey = async (abilities: readonly KeyAbility[]) =>
      (await apiKeys.create(defaultTenantId, { name: 'key', abilities })).token
    const aToken = (role: AdminRole) => adminTokens.create(null, { role, label: role })
    const revokedKey = await server.producer('gone')
    await server.call('DELETE', `/v1/keys/${revokedKey.id}`)
    const revokedToken = await aToken('admin')
    await server.call('DELETE', `/v1/admin-tokens/${revokedToken.key.id}`)
    const short = await adminTokens.create(null, { role: 'admin', label: 'short', expiresInMs: 1 })
    while (Date.now() <= Number(short.key.expiresAt)) await server.engine.ping()
    return {
      server,
      producer: await aKey(['publish']),
      reader: await aKey(['read']),
      roles: {
        viewer: (await aToken('viewer')).token,
        operator: (await aToken('operator')).token,
        admin: (await aToken('admin')).token,
      },
      wrong: ['hk_unknown', revokedKey.key, revokedToken.token, short.token],
    }
  }

  let scene: Awaited<ReturnType<typeof aScene>>
  /** Wrong tokens slow down whoever sends them, so they go to a server of their own. */
  let ofStrangers: Awaited<ReturnType<typeof aScene>>
  beforeAll(async () => {
    scene = await aScene()
    ofStrangers = await aScene()
  })

  describe.each(guarded)('S1.15 S1.33 $route', ({ method, path, access }) => {
    const call = (token: string | null, { server }: { server: TestServer } = scene) =>
      server.call(method, path, { token })
    const isLetIn = async (token: string) => {
      const { status, text } = await call(token)
      expect([text, status]).not.toEqual([text, 401])
      return status !== 403
    }
    const who = access.producer === undefined ? 'admin token' : 'producer key'

    test('refuses no token, an unknown one, revoked ones and one that has expired', async () => {
      expectProblem(await call(null, ofStrangers), {
        status: 401,
        title: 'missing credentials',
        detail: `Authorization: Bearer <${who}> required`,
      })
      for (const token of ofStrangers.wrong) {
        const answer = await call(token, ofStrangers)
        expect([401, 429]).toContain(answer.status)
        expectProblem(answer, {
          status: answer.status,
          title: answer.status === 401 ? 'invalid credentials' : 'rate limited',
          detail: who === 'producer key' ? 'unknown or revoked producer key' : 'unknown or revoked token',
        })
      }
    })

    test('takes a producer key only where the table says so', async () => {
      expect(await isLetIn(scene.producer)).toBe(access.producer === 'any' || access.producer === 'publish')
    })

    test('takes a key with the ability read only where the table says so', async () => {
      expect(await isLetIn(scene.reader)).toBe(access.producer === 'any' || access.producer === 'read')
    })

    test.each(adminRoles)(
      'takes a token of role %s if that is enough, and else says what is',
      async (role) => {
        const isEnough = adminRoles.indexOf(role) >= adminRoles.indexOf(access.role)
        expect(await isLetIn(scene.roles[role])).toBe(isEnough)
        if (isEnough) return
        expectProblem(await call(scene.roles[role]), {
          status: 403,
          title: 'insufficient role',
          detail: `requires role ${access.role}; this token has role ${role}`,
        })
      },
    )

    test('says 503 for each kind of token while the store is away, and lets the one of the configuration in', async () => {
      const { server, producer, reader, roles, wrong } = scene
      server.setStoreDown(true)
      try {
        for (const token of [producer, reader, ...Object.values(roles), ...wrong]) {
          const answer = await call(token)
          expectProblem(answer, { status: 503, title: 'not ready', detail: 'could not verify credentials' })
          expect(answer.headers.get('retry-after')).toBe('1')
        }
        expect([401, 403, 404]).not.toContain((await call(adminToken)).status)
      } finally {
        server.setStoreDown(false)
      }
    })

    test('takes the token of the configuration', async () => {
      expect(await isLetIn(adminToken)).toBe(true)
    })
  })

  describe.each(open)('$route', ({ method, path }) => {
    test('needs no token', async () => {
      const { status } = await scene.server.call(method, path, { token: null })
      expect([401, 403, 503]).not.toContain(status)
    })
  })
}
