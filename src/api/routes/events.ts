import type { FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { DirectRequest } from '../../core/direct-request.ts'
import { OuthookError } from '../../core/errors.ts'
import { checkTopicFilter } from '../../core/topics.ts'
import type { Engine } from '../../engine/engine.ts'
import type { EventFilter } from '../../engine/event-filter.ts'
import type { EventStatus } from '../../engine/events.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest, timeRange } from '../page-request.ts'

import { seesContents } from '../portal-rights.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import { EventPage, EventQuery } from '../schemas/event-list.ts'
import { EventStatusBody, EventStatusQuery, ExpungedBody, ExpungeQuery } from '../schemas/events.ts'
import { AnyJson, Bytes, idParams } from '../schemas/shapes.ts'
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
          summary: 'The payload, byte for byte as it was published or sent',
          params: idParams('evt'),
          response: {
            200: {
              content: {
                'application/json': { schema: AnyJson },
                'application/octet-stream': { schema: Bytes },
              },
            },
          },
        },
      },
      async (request, reply) => {
        const { tenantId, id, request: sent } = await visibleEvent(engine, request, request.params.id)
        const payload = await engine.events.payload(tenantId, id)
        return reply.header('content-type', payloadType(sent)).send(Buffer.from(payload))
      },
    )
  }
}

/** For good, and so for admins. */
export function eventExpungeRoute({ engine, log }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const schema = {
      operationId: 'expungeEventPayload',
      'x-problems': [409],
      tags,
      summary: 'Take the payload of an event out of the store for good',
      description:
        'With it goes what receivers’ answers repeat of it: bodies and headers that were captured, and errors made of ' +
        'them. The event and its deliveries stay, show `expunged_at`, and can never be sent again (410). Deliveries that ' +
        'have not come to an end are a 409, or cancelled with `cancel=true`; an attempt under way is a 409 in any case ' +
        '(`attempt_under_way`), and changes nothing. Expunging again changes nothing, and answers the same.',
      params: idParams('evt'),
      querystring: ExpungeQuery,
      response: { 200: ExpungedBody },
    }
    app.delete('/v1/events/:id/payload', { schema }, async (request) => {
      const tenantId = tenantIdOf(request)
      const { id } = request.params
      const { cancel = false } = request.query
      const { eventId, expungedAt, cancelled } = await engine.events.expungePayload(tenantId, id, { cancel })
      const by = principalOf(request)
      log.info({ tenant_id: tenantId, event_id: eventId, cancelled, by: by.keyId }, 'payload expunged')
      return { event_id: eventId, expunged_at: formatTime(expungedAt), cancelled }
    })
  }
}

/** A browser that opens the payload of a direct send must not take it for a page of this server's. */
function payloadType(sent: DirectRequest | null): string {
  const type = sent === null ? 'application/json' : sent.headers['content-type']
  return type === 'application/json' ? type : 'application/octet-stream'
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
          description:
            'A page reads so much and no more. Where few events of very many match, it may have fewer than its limit, ' +
            'or none, and says in `searched_until` how far back it has looked; `next_cursor` goes on from there.',
          querystring: EventQuery,
          response: { 200: EventPage },
        },
      },
      async (request) => {
        const { query } = request
        const tenantId = tenantIdOf(request)
        if (query.metadata !== undefined) requireContents(request)
        const page = await engine.events.list(tenantId, eventFilter(query), pageRequest(query))
        return {
          items: page.items.map(toEvent),
          next_cursor: page.nextCursor,
          searched_until: formatOptionalTime(page.searchedUntil),
        }
      },
    )
  }
}

function eventFilter(query: Static<typeof EventQuery>): EventFilter {
  const {
    topic,
    topic_pattern: topicPattern,
    ordering_key: orderingKey,
    delivery_state: deliveryState,
  } = query
  return {
    ...(topic !== undefined && { topic }),
    ...(topicPattern !== undefined && { topicPattern: checkTopicFilter(topicPattern, 'topic_pattern') }),
    ...(orderingKey !== undefined && { orderingKey }),
    ...(query.metadata !== undefined && { metadata: readPair(query.metadata) }),
    ...(deliveryState !== undefined && { deliveryState }),
    ...timeRange(query),
  }
}

/** Whoever may not see what was published could find it out by asking for one value after the other. */
function requireContents(request: FastifyRequest): void {
  if (seesContents(request)) return
  throw new OuthookError(
    'forbidden',
    'a link to the portal that does not show payloads cannot ask for metadata',
    {
      title: 'not permitted',
    },
  )
}

/** `name=value`, as the schema has it. */
function readPair(text: string): Readonly<Record<string, string>> {
  const at = text.indexOf('=')
  if (at < 1) {
    throw new OuthookError('invalid_request', 'metadata must be "name=value", such as "source=shop"')
  }
  return { [text.slice(0, at)]: text.slice(at + 1) }
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
  if (principal.kind !== 'producer' || principal.abilities.includes('read')) return event
  if (event.producerKeyId === principal.keyId) return event
  throw new OuthookError('not_found', 'no event with that id', { title: 'event not found' })
}
