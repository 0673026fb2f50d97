import { camelMembers } from '../camel-members.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import {
  CredentialBody,
  CredentialChangeBody,
  CredentialCreateBody,
  CredentialPage,
  CredentialQuery,
} from '../schemas/credentials.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toCredential } from '../views/credentials.ts'

const tags = ['credentials']

export function credentialRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const createSchema = {
      operationId: 'createCredential',
      'x-problems': [409, 422],
      tags,
      summary: 'Make a credential; its secret is sealed and never shown',
      body: CredentialCreateBody,
      response: { 201: CredentialBody },
    }
    app.post('/v1/credentials', { schema: createSchema }, async (request, reply) => {
      const made = await engine.credentials.create(tenantIdOf(request), camelMembers(request.body))
      return reply.code(201).send(toCredential(made))
    })
    registerReads(app, engine)
    registerChanges(app, engine)
  }
}

function registerReads(app: Api, engine: ApiContext['engine']): void {
  const listSchema = {
    operationId: 'listCredentials',
    tags,
    summary: 'Credentials, newest first, without their secrets',
    querystring: CredentialQuery,
    response: { 200: CredentialPage },
  }
  app.get('/v1/credentials', { schema: listSchema }, async (request) => {
    const { name } = request.query
    const page = await engine.credentials.list(tenantIdOf(request), {
      ...pageRequest(request.query),
      ...(name !== undefined && { name }),
    })
    return { items: page.items.map(toCredential), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getCredential',
    tags,
    summary: 'A credential, without its secret',
    params: idParams('crd'),
    headers: IfNoneMatchHeaders,
    response: { 200: CredentialBody, 304: NoBody },
  }
  app.get('/v1/credentials/:id', { schema: getSchema }, async (request) =>
    toCredential(await engine.credentials.get(tenantIdOf(request), request.params.id)),
  )
}

function registerChanges(app: Api, engine: ApiContext['engine']): void {
  const patchSchema = {
    operationId: 'updateCredential',
    'x-problems': [409, 412, 422],
    tags,
    summary: 'Change a credential; members that are absent stay',
    description: 'What is sent from then on, retries included, authenticates with what it is now.',
    params: idParams('crd'),
    headers: IfMatchHeaders,
    body: CredentialChangeBody,
    response: { 200: CredentialBody },
  }
  app.patch('/v1/credentials/:id', { schema: patchSchema }, async (request) => {
    const change = camelMembers(request.body)
    const tenantId = tenantIdOf(request)
    return toCredential(
      await engine.credentials.update(tenantId, request.params.id, change, ifMatchOf(request)),
    )
  })

  const deleteSchema = {
    operationId: 'deleteCredential',
    'x-problems': [409, 412],
    tags,
    summary: 'Delete a credential that no endpoint uses',
    description: 'While endpoints use it the answer is 409, and names them.',
    params: idParams('crd'),
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/credentials/:id', { schema: deleteSchema }, async (request, reply) => {
    await engine.credentials.delete(tenantIdOf(request), request.params.id, ifMatchOf(request))
    return reply.code(204).send()
  })
}
