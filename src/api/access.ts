/** Holds every route against the table of `route-access.ts`, and says in the OpenAPI document who may use it. */
import type { FastifyInstance } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import type { Authenticator } from './auth.ts'
import { accessOf, type RouteAccess } from './route-access.ts'

/** For all routes that are registered afterwards. A route that the table does not know makes the start fail. */
export function guardRoutes(app: FastifyInstance, auth: Authenticator): void {
  const guards = new Map<RouteAccess, ReturnType<Authenticator['require']>>()
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const access = accessOf(method, route.url)
      if (access === null) {
        throw new OuthookError(
          'internal',
          `nothing says who may use ${method} ${route.url}; add it to src/api/route-access.ts`,
        )
      }
      route.schema = { ...route.schema, ...documentOf(access) } as NonNullable<typeof route.schema>
      if (access === 'open') continue
      const guard = guards.get(access) ?? auth.require(access)
      guards.set(access, guard)
      const hooks = [route.onRequest ?? []].flat()
      // The route for HEAD is made from that for GET, with its hooks.
      if (!hooks.includes(guard)) route.onRequest = [guard, ...hooks]
    }
  })
}

/** OpenAPI 3.1 lets a requirement of any scheme name the roles that it takes. */
function documentOf(access: RouteAccess | 'open'): object {
  if (access === 'open') return { security: [] }
  const { role, producer, portal } = access
  const forProducers = producer === undefined ? [] : [{ producerKey: producer === 'any' ? [] : [producer] }]
  const forLinks = portal === undefined ? [] : [{ portalLink: [...portal] }]
  return { security: [...forProducers, { adminToken: [role] }, ...forLinks], 'x-access': access }
}
