import { OuthookError } from '../../core/errors.ts'
import { describeStoreFault } from '../../core/store-fault.ts'
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
      summary:
        'A publish would be durable now; 503 with the reason when it would not, or while the server stops',
      security: [],
      response: { 200: NoBody },
    }
    app.get('/readyz', { schema: readySchema }, async (_request, reply) => {
      if (isClosing()) throw new OuthookError('shutting_down', 'the server is stopping; ask another')
      try {
        await engine.ping()
      } catch (cause) {
        throw notReady(cause)
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
    // What several ask for at a time is made once, and is in memory once until they have taken it.
    let rendering: Promise<Buffer> | null = null
    app.get('/metrics', { schema: metricsSchema }, async (_request, reply) => {
      rendering ??= metrics
        .render()
        .then((text) => Buffer.from(text))
        .finally(() => {
          rendering = null
        })
      return reply.header('content-type', metrics.contentType).send(await rendering)
    })
  }
}

/** The reason in words; the log has the names and addresses. */
function notReady(cause: unknown): OuthookError {
  const { fault, publicDetail } = cause instanceof OuthookError ? cause : {}
  const detail =
    fault === undefined ? 'store unreachable; the server log says why' : describeStoreFault(fault)
  const message = publicDetail ?? detail
  return new OuthookError('store_unavailable', message, {
    cause,
    fault,
    publicDetail: message,
    title: 'not ready',
  })
}
