import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EventStatus } from '../../engine/events.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest, timeRange } from '../page-request.ts'
import { EventPage, EventQuery, EventStatusBody, EventStatusQuery } from '../schemas/events.ts'
import { AnyJson, idParams } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toEvent, toEventStatus } from '../views/events.ts'

const tags = ['events']

/** One event, for its producer and for admins. */
export function eventRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.get(
      '/v1/events/:id',
      {
        schema: {
          operationId: 'getEvent',
          tags,
          summary: 'An event, its deliveries and their attempts',
          description:
            'A producer key sees the events that were published with it. Of an event for many the deliveries come in ' +
            'pages: `next_cursor` leads to the next one.',
          params: idParams('evt'),
          querystring: EventStatusQuery,
          response: { 200: EventStatusBody },
        },
      },
      async (request) =>
        toEventStatus(await visibleEvent(engine, request, request.params.id, pageRequest(request.query))),
    )

    app.get(
      '/v1/events/:id/payload',
      {
        schema: {
          operationId: 'getEventPayload',
          'x-problems': [410],
          tags,
          summary: 'The payload, byte for byte as it was published',
          params: idParams('evt'),
          response: { 200: { content: { 'application/json': { schema: AnyJson } } } },
        },
      },
      async (request, reply) => {
        const { tenantId, id } = await visibleEvent(engine, request, request.params.id)
        const payload = await engine.events.payload(tenantId, id)
        return reply.header('content-type', 'application/json').send(Buffer.from(payload))
      },
    )
  }
}

export function eventListRoute({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.get(
      '/v1/events',
      {
        schema: {
          operationId: 'listEvents',
          tags,
          summary: 'Events, newest first',
          querystring: EventQuery,
          response: { 200: EventPage },
        },
      },
      async (request) => {
        const { query } = request
        const tenantId = tenantIdOf(request)
        const filter = { ...(query.topic !== undefined && { topic: query.topic }), ...timeRange(query) }
        const page = await engine.events.list(tenantId, filter, pageRequest(query))
        return { items: page.items.map(toEvent), next_cursor: page.nextCursor }
      },
    )
  }
}

/** To a producer, another's event does not exist. */
async function visibleEvent(
  engine: Engine,
  request: FastifyRequest,
  id: string,
  page: { readonly cursor?: string } = {},
): Promise<EventStatus> {
  const principal = principalOf(request)
  const event = await engine.events.get(tenantIdOf(request), id, page)
  const { kind } = principal
  if (kind === 'admin' || principal.abilities.includes('read') || event.producerKeyId === principal.keyId) {
    return event
  }
  throw new OuthookError('not_found', 'no event with that id', { title: 'event not found' })
}
