/**
 * Names whoever calls to the engine while a route changes something, for the audit log. Done for every route that is not
 * only read from, so that no new one can forget it; but not for publishing, which changes nothing that is set up.
 */
import type { FastifyInstance } from 'fastify'
import { actorOf } from '../engine/acting.ts'
import type { ApiContext } from './context.ts'

const publishing: ReadonlySet<string> = new Set(['/v1/events', '/v1/events/batch', '/v1/deliveries'])
const changing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Before the routes are registered. */
export function nameCallers(app: FastifyInstance, { engine }: Pick<ApiContext, 'engine'>): void {
  app.addHook('onRoute', (route) => {
    const [method = ''] = [route.method].flat()
    if (!route.url.startsWith('/v1/') || !changing.has(method)) return
    if (method === 'POST' && publishing.has(route.url)) return
    const { handler } = route
    route.handler = function (request, reply) {
      if (request.principal === null) return handler.call(this, request, reply)
      const actor = actorOf(request.principal, request.signInText !== null)
      return engine.acting.as(actor, () => handler.call(this, request, reply))
    }
  })
}
