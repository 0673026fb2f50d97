/** The catalogue for the developers of those who receive events: as documents for tools, and as a page. */
import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import type { EventType } from '../../core/event-type.ts'
import { documentNames } from '../../core/event-type.ts'
import { type DocumentInfo, toAsyncApi, toOpenApi } from '../../core/event-type-documents.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageStyle, sendEventTypesPage } from '../event-types-page.ts'
import { AnyJson, Text } from '../schemas/shapes.ts'
import { reachOf } from '../tenant-scope.ts'

const tags = ['event types']
const description = 'Of a tenant those that hold for it.'
const [openApi, asyncApi, page] = documentNames
const documents = [
  {
    file: openApi,
    operationId: 'getEventTypesOpenApi',
    what: 'an OpenAPI 3.1 document with webhooks',
    write: toOpenApi,
  },
  { file: asyncApi, operationId: 'getEventTypesAsyncApi', what: 'an AsyncAPI 3 document', write: toAsyncApi },
] as const

export function eventTypeDocumentRoutes({ engine, hasPublicEventTypes }: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerDocuments(app, engine)
    registerPublic(app, engine, hasPublicEventTypes)
  }
}

function registerDocuments(app: Api, { eventTypes }: ApiContext['engine']): void {
  for (const { file, operationId, what, write } of documents) {
    const summary = `The event types as ${what}`
    const schema = { operationId, tags, summary, description, response: { 200: AnyJson } }
    app.get(`/v1/event-types/${file}`, { schema }, async (request) => {
      const types = await eventTypes.listAll(reachOf(request))
      return write(types, infoOf(types))
    })
  }
  const schema = {
    operationId: 'getEventTypesPage',
    tags,
    summary: 'The event types as a page for people',
    description,
    response: { 200: { content: { 'text/html': { schema: Text } } } },
  }
  app.get(`/v1/event-types/${page}`, { schema }, async (request: FastifyRequest, reply) => {
    const types = await eventTypes.listAll(reachOf(request))
    return sendEventTypesPage(reply, types, { style: '../../event-types/style.css', openApi, asyncApi })
  })
}

/** Without credentials, and so of the server's catalogue alone. They are no part of the OpenAPI document. */
function registerPublic(app: Api, { eventTypes }: ApiContext['engine'], isPublic: boolean): void {
  const options = { schema: { hide: true } }
  app.get('/event-types/style.css', options, async (_request, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'no-cache').send(pageStyle),
  )
  app.get('/event-types/', options, async (_request, reply) => {
    refusePrivate(isPublic)
    return sendEventTypesPage(reply, await eventTypes.listAll(null), {
      style: 'style.css',
      openApi,
      asyncApi,
    })
  })
  for (const { file, write } of documents) {
    app.get(`/event-types/${file}`, options, async () => {
      refusePrivate(isPublic)
      const types = await eventTypes.listAll(null)
      return write(types, infoOf(types))
    })
  }
}

function refusePrivate(isPublic: boolean): void {
  if (isPublic) return
  throw new OuthookError(
    'not_found',
    `the page of the event types is not public here; with a token it is at /v1/event-types/${page}`,
  )
}

function infoOf(types: readonly EventType[]): DocumentInfo {
  const text = JSON.stringify(types.map(({ name, version }) => [name, version]))
  return { title: 'Webhooks', version: hash('sha256', text).slice(0, 12) }
}
