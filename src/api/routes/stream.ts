import type { FastifyReply, FastifyRequest } from 'fastify'
import { checkStreamKind, type StreamFilter } from '../../core/stream-item.ts'
import { checkTopicFilter } from '../../core/topics.ts'
import type { Api, ApiContext } from '../context.ts'
import { type EventStream, openEventStream } from '../event-stream.ts'
import { idFilter } from '../page-request.ts'
import { seesContents } from '../portal-rights.ts'
import { type RouteAccess, routeAccess } from '../route-access.ts'
import { StreamItemBody, StreamQuery } from '../schemas/stream.ts'
import { reachOf } from '../tenant-scope.ts'
import { renderFrame, toFrame } from '../views/stream.ts'

const description =
  'Server-sent events, as they happen in all processes of the server; those of others come up to a second later. The ' +
  'data of each is JSON with `kind`, which is its name too. It is a live tail and no log: nothing is kept, so that ' +
  'whoever was away (and says so with `Last-Event-ID`, as browsers do by themselves) is told that something was missed ' +
  'and not what. `missed` also comes where more happens than 2000 in a second. Whoever does not read is cut off. A ' +
  'comment comes every 15 seconds. It ends when the server stops, and when the token or the sign-in is good no more. ' +
  'Without `tenant` an admin token of all tenants is told of all.'

export function streamRoute(context: ApiContext) {
  return async (app: Api): Promise<void> => {
    const ends = new Set<(reason: EndReason) => void>()
    app.addHook('preClose', (done) => {
      for (const end of ends) end('shutting_down')
      done()
    })
    const schema = {
      operationId: 'readStream',
      tags: ['stream'],
      summary: 'What happens, as it happens',
      description,
      querystring: StreamQuery,
      response: { 200: { content: { 'text/event-stream': { schema: StreamItemBody } } } },
    }
    // It has no end of its own, and HEAD would have no beginning.
    const config = { ownDeadline: true }
    app.get('/v1/stream', { schema, config, exposeHeadRoute: false }, (request, reply) => {
      read(context, { request, reply, ends, filter: filterOf(request) })
    })
  }
}

type EndReason = 'shutting_down' | 'unauthorized'

function filterOf(request: FastifyRequest): StreamFilter {
  const { kinds, topic_pattern, endpoint_id } = request.query as Readonly<Record<string, string | undefined>>
  return {
    tenantId: reachOf(request),
    kinds: kinds?.split(',').map(checkStreamKind),
    topicPattern: topic_pattern && checkTopicFilter(topic_pattern, 'topic_pattern'),
    endpointId: endpoint_id && idFilter(endpoint_id, 'endpoint_id', 'ep'),
  }
}

interface Reading {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly filter: StreamFilter
  /** Of all who read. */
  readonly ends: Set<(reason: EndReason) => void>
}

function read({ engine, auth, clock }: ApiContext, { request, reply, filter, ends }: Reading): void {
  const wasThere = request.headers['last-event-id'] !== undefined
  const withContents = seesContents(request)
  let out: EventStream | null = null
  const end = (reason: EndReason): void => {
    out?.end(renderFrame('ended', { kind: 'ended', at: clock.now(), reason }))
  }
  const stop = engine.stream.read(
    filter,
    {
      take: (items) => out?.write(items.map((item) => toFrame(item, withContents)).join('')),
      end: () => end('shutting_down'),
    },
    wasThere,
  )
  ends.add(end)
  const access = routeAccess['GET /v1/stream'] as RouteAccess
  const unwatch = auth.watch(request, access, () => end('unauthorized'))
  out = openEventStream(request, reply, {
    clock,
    onEnd() {
      ends.delete(end)
      unwatch()
      stop()
    },
  })
  out.write(renderFrame('started', { kind: 'started', at: clock.now(), tenantId: filter.tenantId }))
}
