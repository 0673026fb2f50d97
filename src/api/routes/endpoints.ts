import { OuthookError } from '../../core/errors.ts'
import { camelMembers } from '../camel-members.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import { checkEndpointMembers } from '../portal-rights.ts'
import {
  CreatedEndpointBody,
  DeletedQuery,
  EndpointBody,
  EndpointChangeBody,
  EndpointCreateBody,
  EndpointPage,
  EndpointQuery,
} from '../schemas/endpoints.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toEndpoint } from '../views/endpoints.ts'

const tags = ['endpoints']

const createSchema = {
  operationId: 'createEndpoint',
  'x-problems': [409, 422],
  tags,
  summary: 'Create an endpoint, or bring the one with this `uid` to what is given',
  description:
    '`topics` makes a subscription of the endpoint’s own. The secret is shown here; afterwards only `reveal` shows it.',
  body: EndpointCreateBody,
  response: { 200: EndpointBody, 201: CreatedEndpointBody },
}

export function endpointRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.post('/v1/endpoints', { schema: createSchema }, async (request, reply) => {
      const tenantId = tenantIdOf(request)
      checkEndpointMembers(request, request.body)
      const input = camelMembers(request.body)
      const { uid, url, urls } = input
      if (url === undefined && urls === undefined) {
        throw new OuthookError('invalid_body', 'url is required: where requests go; or urls, for a pool')
      }
      const result =
        typeof uid === 'string'
          ? await engine.endpoints.upsert(tenantId, { ...input, uid })
          : await engine.endpoints.create(tenantId, input)
      const endpoint = toEndpoint(result.endpoint)
      if (result.secret === null) return endpoint
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...endpoint, secret: result.secret, public_key: result.publicKey })
    })

    registerReads(app, engine)
    registerChanges(app, engine)
  }
}

function registerReads(app: Api, engine: ApiContext['engine']): void {
  const listSchema = {
    operationId: 'listEndpoints',
    tags,
    summary: 'Endpoints, newest first',
    querystring: EndpointQuery,
    response: { 200: EndpointPage },
  }
  app.get('/v1/endpoints', { schema: listSchema }, async (request) => {
    const { include_deleted: includeDeleted = false, uid } = request.query
    const tenantId = tenantIdOf(request)
    const page = await engine.endpoints.list(tenantId, {
      ...(uid !== undefined && { uid }),
      ...pageRequest(request.query),
      includeDeleted,
    })
    return { items: page.items.map(toEndpoint), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getEndpoint',
    tags,
    summary: 'An endpoint, without its secrets',
    params: idParams('ep'),
    querystring: DeletedQuery,
    headers: IfNoneMatchHeaders,
    response: { 200: EndpointBody, 304: NoBody },
  }
  app.get('/v1/endpoints/:id', { schema: getSchema }, async (request) => {
    const { include_deleted: includeDeleted = false } = request.query
    const tenantId = tenantIdOf(request)
    return toEndpoint(await engine.endpoints.get(tenantId, request.params.id, { includeDeleted }))
  })
}

function registerChanges(app: Api, engine: ApiContext['engine']): void {
  const patchSchema = {
    operationId: 'updateEndpoint',
    'x-problems': [409, 412, 422],
    tags,
    summary: 'Change an endpoint; members that are absent stay',
    description: '`{"enabled": true}` sends what waits for it.',
    params: idParams('ep'),
    headers: IfMatchHeaders,
    body: EndpointChangeBody,
    response: { 200: EndpointBody },
  }
  app.patch('/v1/endpoints/:id', { schema: patchSchema }, async (request) => {
    const tenantId = tenantIdOf(request)
    checkEndpointMembers(request, request.body)
    const change = camelMembers(request.body)
    return toEndpoint(await engine.endpoints.update(tenantId, request.params.id, change, ifMatchOf(request)))
  })

  const deleteSchema = {
    operationId: 'deleteEndpoint',
    'x-problems': [412],
    tags,
    summary: 'Delete an endpoint and its subscriptions, and cancel what waits for it',
    params: idParams('ep'),
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/endpoints/:id', { schema: deleteSchema }, async (request, reply) => {
    await engine.endpoints.delete(tenantIdOf(request), request.params.id, ifMatchOf(request))
    return reply.code(204).send()
  })
}
