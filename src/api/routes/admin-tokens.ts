import type { onRequestHookHandler } from 'fastify'
import { OuthookError } from '../../core/errors.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { createAdminTokenOf } from '../new-keys.ts'
import { pageRequest } from '../page-request.ts'
import {
  AdminTokenBody,
  AdminTokenCreateBody,
  AdminTokenPage,
  AdminTokenQuery,
  CreatedAdminTokenBody,
} from '../schemas/admin-tokens.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { reachOf } from '../tenant-scope.ts'
import { toAdminToken } from '../views/keys.ts'

const tags = ['admin tokens']

export function adminTokenRoutes(context: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerCreate(app, context)
    registerReads(app, context)
    registerRevoke(app, context)
  }
}

function registerCreate(app: Api, { engine }: ApiContext): void {
  const schema = {
    operationId: 'createAdminToken',
    'x-problems': [404, 409, 422],
    tags,
    summary: 'Make an admin token; at most 256 are active',
    description: 'The only route that wants the content type `application/json`.',
    body: AdminTokenCreateBody,
    response: { 201: CreatedAdminTokenBody },
  }
  app.post('/v1/admin-tokens', { schema, onRequest: wantJson }, async (request, reply) => {
    const created = await createAdminTokenOf(engine, reachOf(request), request.body)
    return reply.code(201).header('cache-control', 'no-store').send(created)
  })
}

/** A form of some web page cannot ask for it with this content type. */
const wantJson: onRequestHookHandler = ({ raw }, _reply, done) => {
  const at = raw.rawHeaders.findIndex((name, index) => index % 2 === 0 && /^content-type$/i.test(name))
  const type = at === -1 ? '' : (raw.rawHeaders[at + 1] ?? '')
  if (/^application\/json\s*(?:;|$)/i.test(type.trim())) return done()
  done(
    new OuthookError('unsupported_media_type', 'send the body as JSON with Content-Type: application/json'),
  )
}

function registerReads(app: Api, { engine }: ApiContext): void {
  const listSchema = {
    operationId: 'listAdminTokens',
    tags,
    summary: 'Admin tokens, oldest first; never their text',
    querystring: AdminTokenQuery,
    response: { 200: AdminTokenPage },
  }
  app.get('/v1/admin-tokens', { schema: listSchema }, async (request) => {
    const page = await engine.adminTokens.list(reachOf(request), pageRequest(request.query))
    return { items: page.items.map(toAdminToken), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getAdminToken',
    tags,
    summary: 'One admin token, without its text',
    params: idParams('adm'),
    headers: IfNoneMatchHeaders,
    response: { 200: AdminTokenBody, 304: NoBody },
  }
  app.get('/v1/admin-tokens/:id', { schema: getSchema }, async (request) =>
    toAdminToken(await engine.adminTokens.get(reachOf(request), request.params.id)),
  )
}

function registerRevoke(app: Api, { engine, auth, keepsLastAdmin }: ApiContext): void {
  const schema = {
    operationId: 'revokeAdminToken',
    'x-problems': [409, 412],
    tags,
    summary: 'Revoke an admin token; can be repeated',
    description: 'The last token is kept without which nobody could make another one.',
    params: idParams('adm'),
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/admin-tokens/:id', { schema }, async (request, reply) => {
    const { id } = request.params
    const options = { keepLast: keepsLastAdmin, ...ifMatchOf(request) }
    await engine.adminTokens.revoke(reachOf(request), id, options)
    auth.forget(id)
    return reply.code(204).send()
  })
}
