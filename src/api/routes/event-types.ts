/** The catalogues of event types: of the server, or of the tenant that is named or that the caller is bound to. */
import { limits } from '../../core/model.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import {
  EventTypeBody,
  EventTypeChangeBody,
  EventTypeCreateBody,
  EventTypeImportAnswer,
  EventTypeImportBody,
  EventTypePage,
  EventTypeParams,
  EventTypeQuery,
} from '../schemas/event-types.ts'
import { NoBody } from '../schemas/shapes.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { reachOf } from '../tenant-scope.ts'
import { toEventType, toImportReport } from '../views/event-types.ts'

const tags = ['event types']
/** For a schema and an example, each as large as it may be. */
const bodyLimit = limits.maxEventBodyBytes
const whose =
  'Without `tenant` an admin token of all tenants is about the catalogue of the server, whose types hold for every tenant; a tenant’s own type holds in place of the server’s of that name.'

export function eventTypeRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerWrites(app, engine)
    registerReads(app, engine)
    registerChanges(app, engine)
  }
}

function registerWrites(app: Api, engine: ApiContext['engine']): void {
  const createSchema = {
    operationId: 'createEventType',
    'x-problems': [409, 422],
    tags,
    summary: 'Describe a topic, and say how payloads are checked',
    description: whose,
    body: EventTypeCreateBody,
    response: { 201: EventTypeBody },
  }
  app.post('/v1/event-types', { schema: createSchema, bodyLimit }, async (request, reply) => {
    const made = await engine.eventTypes.create(reachOf(request), request.body)
    return reply.code(201).send(toEventType(made))
  })

  const importSchema = {
    operationId: 'importEventTypes',
    'x-problems': [409, 422],
    tags,
    summary: 'Bring the catalogue to what an OpenAPI document says of its webhooks',
    description:
      'All of it or nothing. Types that are there keep their mode and what the document does not say; types that the document does not have stay as they are. ' +
      whose,
    body: EventTypeImportBody,
    response: { 200: EventTypeImportAnswer },
  }
  const options = { schema: importSchema, bodyLimit: limits.maxBatchBodyBytes }
  app.post('/v1/event-types/import', options, async (request) => {
    const { document, mode, dry_run: dryRun } = request.body
    const given = { document, ...(mode !== undefined && { mode }), ...(dryRun !== undefined && { dryRun }) }
    return toImportReport(await engine.eventTypes.import(reachOf(request), given))
  })
}

function registerReads(app: Api, engine: ApiContext['engine']): void {
  const listSchema = {
    operationId: 'listEventTypes',
    tags,
    summary: 'Event types by their names; of a tenant those that hold for it',
    querystring: EventTypeQuery,
    response: { 200: EventTypePage },
  }
  app.get('/v1/event-types', { schema: listSchema }, async (request) => {
    const { group, deprecated, own } = request.query
    const page = await engine.eventTypes.list(reachOf(request), {
      ...pageRequest(request.query),
      ...(group !== undefined && { group }),
      ...(deprecated !== undefined && { deprecated }),
      ...(own !== undefined && { own }),
    })
    return { items: page.items.map(toEventType), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getEventType',
    tags,
    summary: 'An event type; of a tenant its own, or else the server’s',
    params: EventTypeParams,
    headers: IfNoneMatchHeaders,
    response: { 200: EventTypeBody, 304: NoBody },
  }
  app.get('/v1/event-types/:name', { schema: getSchema }, async (request) =>
    toEventType(await engine.eventTypes.get(reachOf(request), request.params.name)),
  )
}

function registerChanges(app: Api, engine: ApiContext['engine']): void {
  const patchSchema = {
    operationId: 'updateEventType',
    'x-problems': [409, 412, 422],
    tags,
    summary: 'Change an event type; members that are absent stay',
    description: `What is published from then on is checked by what it is now. ${whose}`,
    params: EventTypeParams,
    headers: IfMatchHeaders,
    body: EventTypeChangeBody,
    response: { 200: EventTypeBody },
  }
  app.patch('/v1/event-types/:name', { schema: patchSchema, bodyLimit }, async (request) => {
    const options = ifMatchOf(request)
    const { name } = request.params
    return toEventType(await engine.eventTypes.update(reachOf(request), name, request.body, options))
  })

  const deleteSchema = {
    operationId: 'deleteEventType',
    'x-problems': [412],
    tags,
    summary: 'Delete an event type',
    description: `Events of the topic are published as before, and are not checked. ${whose}`,
    params: EventTypeParams,
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/event-types/:name', { schema: deleteSchema }, async (request, reply) => {
    await engine.eventTypes.delete(reachOf(request), request.params.name, ifMatchOf(request))
    return reply.code(204).send()
  })
}
