import { OuthookError } from '../../core/errors.ts'
import type { Api, ApiContext } from '../context.ts'
import { NoBody, Text } from '../schemas/shapes.ts'

const tags = ['operations']

/** By which a second server finds out who holds its port. */
export const healthServerName = 'outhook'

/** Without credentials, for load balancers and scrapers. */
export function operationRoutes({ engine, metrics, isClosing }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const healthSchema = {
      operationId: 'healthz',
      tags,
      summary: 'The process answers',
      security: [],
      response: { 200: NoBody },
    }
    app.get('/healthz', { schema: healthSchema }, async (_request, reply) =>
      reply.code(200).header('server', healthServerName).send(),
    )

    const readySchema = {
      operationId: 'readyz',
      tags,
      summary: 'The store answers too; 503 when it does not, or while the server stops',
      security: [],
      response: { 200: NoBody },
    }
    app.get('/readyz', { schema: readySchema }, async (_request, reply) => {
      if (isClosing()) throw new OuthookError('shutting_down', 'the server is stopping; ask another')
      try {
        await engine.ping()
      } catch (cause) {
        const message = 'store unreachable; the server log says why'
        throw new OuthookError('store_unavailable', message, {
          cause,
          publicDetail: message,
          title: 'not ready',
        })
      }
      return reply.code(200).send()
    })

    const metricsSchema = {
      operationId: 'metrics',
      tags,
      summary: 'Prometheus metrics',
      security: [],
      response: { 200: { content: { 'text/plain': { schema: Text } } } },
    }
    app.get('/metrics', { schema: metricsSchema }, async (_request, reply) => {
      return reply.header('content-type', metrics.contentType).send(await metrics.render())
    })
  }
}
