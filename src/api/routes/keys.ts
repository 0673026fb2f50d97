import { durationForms, parseDuration } from '../../core/duration.ts'
import { OuthookError } from '../../core/errors.ts'
import { maxKeyGraceMs } from '../../engine/api-keys.ts'
import { principalOf } from '../auth.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { createKeyOf, keySettingsIn } from '../new-keys.ts'
import { pageRequest } from '../page-request.ts'
import { formatTime } from '../rfc3339.ts'
import {
  CreatedKeyBody,
  KeyBody,
  KeyChangeBody,
  KeyCreateBody,
  KeyPage,
  KeyQuery,
  RotatedKeyBody,
  RotateKeyBody,
  WhoamiBody,
} from '../schemas/keys.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { reachOf, tenantIdOf } from '../tenant-scope.ts'
import { toKey } from '../views/keys.ts'

const tags = ['keys']

export function keyRoutes(context: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerCreate(app, context)
    registerReads(app, context)
    registerChanges(app, context)
    registerRotate(app, context)
  }
}

function registerCreate(app: Api, { engine }: ApiContext): void {
  const schema = {
    operationId: 'createKey',
    'x-problems': [409, 422],
    tags,
    summary: 'Make a producer key, or with `kind` an admin token',
    body: KeyCreateBody,
    response: { 201: CreatedKeyBody },
  }
  app.post('/v1/keys', { schema }, async (request, reply) => {
    const whose = { tenantId: tenantIdOf(request), reach: reachOf(request) }
    const created = await createKeyOf(engine, whose, request.body)
    return reply.code(201).header('cache-control', 'no-store').send(created)
  })
}

function registerReads(app: Api, { engine }: ApiContext): void {
  const listSchema = {
    operationId: 'listKeys',
    tags,
    summary: 'Producer keys, newest first, or with `kind` admin tokens; never their text',
    querystring: KeyQuery,
    response: { 200: KeyPage },
  }
  app.get('/v1/keys', { schema: listSchema }, async (request) => {
    const asked = pageRequest(request.query)
    const page =
      request.query.kind === 'admin'
        ? await engine.adminTokens.list(reachOf(request), asked)
        : await engine.apiKeys.list(tenantIdOf(request), asked)
    return { items: page.items.map(toKey), next_cursor: page.nextCursor }
  })

  const getSchema = {
    operationId: 'getKey',
    tags,
    summary: 'One producer key, without its text',
    params: idParams('key'),
    headers: IfNoneMatchHeaders,
    response: { 200: KeyBody, 304: NoBody },
  }
  app.get('/v1/keys/:id', { schema: getSchema }, async (request) =>
    toKey(await engine.apiKeys.get(tenantIdOf(request), request.params.id)),
  )
}

function registerChanges(app: Api, { engine, auth, keepsLastAdmin }: ApiContext): void {
  const changeSchema = {
    operationId: 'updateKey',
    'x-problems': [412, 422],
    tags,
    summary: 'Change a producer key; absent members stay',
    params: idParams('key'),
    headers: IfMatchHeaders,
    body: KeyChangeBody,
    response: { 200: KeyBody },
  }
  app.patch('/v1/keys/:id', { schema: changeSchema }, async (request) => {
    const { id } = request.params
    const { name, ...settings } = request.body
    const change = { ...(name !== undefined && { name }), ...keySettingsIn(settings) }
    const key = await engine.apiKeys.update(tenantIdOf(request), id, change, ifMatchOf(request))
    auth.forget(id)
    return toKey(key)
  })

  const revokeSchema = {
    operationId: 'revokeKey',
    'x-problems': [409, 412],
    tags,
    summary: 'Revoke a key; can be repeated',
    params: idParams('key', 'adm'),
    headers: IfMatchHeaders,
    response: { 204: NoBody },
  }
  app.delete('/v1/keys/:id', { schema: revokeSchema }, async (request, reply) => {
    const { id } = request.params
    const ifMatch = ifMatchOf(request)
    if (id.startsWith('adm_')) {
      await engine.adminTokens.revoke(reachOf(request), id, { keepLast: keepsLastAdmin, ...ifMatch })
    } else await engine.apiKeys.revoke(tenantIdOf(request), id, ifMatch)
    auth.forget(id)
    return reply.code(204).send()
  })
}

function registerRotate(app: Api, { engine, auth }: ApiContext): void {
  const schema = {
    operationId: 'rotateKey',
    'x-problems': [409, 422],
    'x-optional-body': true,
    tags,
    summary: 'Give a producer key another text, beside which the one before is taken for a while',
    params: idParams('key'),
    body: RotateKeyBody,
    response: { 200: RotatedKeyBody },
  }
  app.post('/v1/keys/:id/rotate', { schema }, async (request, reply) => {
    const { id } = request.params
    const { grace } = request.body
    const options = grace === undefined ? {} : { graceMs: readGrace(grace) }
    const { key, token, previousExpiresAt } = await engine.apiKeys.rotate(tenantIdOf(request), id, options)
    auth.forget(id)
    return reply
      .header('cache-control', 'no-store')
      .send({ ...toKey(key), key: token, previous_expires_at: formatTime(previousExpiresAt) })
  })
}

function readGrace(grace: string | number): number {
  const ms = parseDuration(grace)
  if (ms !== null && ms <= maxKeyGraceMs) return ms
  throw new OuthookError('unprocessable', `grace must be ${durationForms}, from 0 to 30 days`)
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
