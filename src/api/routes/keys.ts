import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import { CreatedKeyBody, KeyCreateBody, KeyPage, KeyQuery, WhoamiBody } from '../schemas/keys.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import { tenantIdOf } from '../tenant-scope.ts'
import { toKey } from '../views/keys.ts'

const tags = ['keys']

export function keyRoutes({ engine, auth }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const createSchema = {
      operationId: 'createKey',
      'x-problems': [422],
      tags,
      summary: 'Make a producer key, or with `kind` an admin token',
      body: KeyCreateBody,
      response: { 201: CreatedKeyBody },
    }
    app.post('/v1/keys', { schema: createSchema }, async (request, reply) => {
      const { kind = 'producer', name } = request.body
      const { key, token } = await engine.apiKeys.create(tenantIdOf(request), { kind, name })
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toKey(key), key: token })
    })

    const listSchema = {
      operationId: 'listKeys',
      tags,
      summary: 'Keys, newest first; never their text',
      querystring: KeyQuery,
      response: { 200: KeyPage },
    }
    app.get('/v1/keys', { schema: listSchema }, async (request) => {
      const { kind } = request.query
      const page = await engine.apiKeys.list(tenantIdOf(request), {
        ...pageRequest(request.query),
        ...(kind !== undefined && { kind }),
      })
      return { items: page.items.map(toKey), next_cursor: page.nextCursor }
    })

    const revokeSchema = {
      operationId: 'revokeKey',
      tags,
      summary: 'Revoke a key; can be repeated',
      params: idParams('key', 'adm'),
      response: { 204: NoBody },
    }
    app.delete('/v1/keys/:id', { schema: revokeSchema }, async (request, reply) => {
      const { id } = request.params
      await engine.apiKeys.revoke(tenantIdOf(request), id)
      auth.forget(id)
      return reply.code(204).send()
    })
  }
}

export function whoamiRoute() {
  return async (app: Api): Promise<void> => {
    const schema = {
      operationId: 'whoami',
      tags,
      summary: 'Whose token this is',
      response: { 200: WhoamiBody },
    }
    app.get('/v1/whoami', { schema }, async (request) => {
      const principal = principalOf(request)
      const { tenantId, keyId } = principal
      const role = principal.kind === 'admin' ? principal.role : principal.kind
      return { role, tenant_id: tenantId, key_id: keyId }
    })
  }
}
