import { OuthookError } from '../../core/errors.ts'
import type { Principal } from '../../engine/principal.ts'
import { principalOf } from '../auth.ts'
import { camelMembers } from '../camel-members.ts'
import { ifMatchOf } from '../conditional-requests.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import { idParams, NoBody } from '../schemas/shapes.ts'
import {
  TenantBody,
  TenantChangeBody,
  TenantCreateBody,
  TenantPage,
  TenantQuery,
} from '../schemas/tenants.ts'
import { IfMatchHeaders, IfNoneMatchHeaders } from '../schemas/versions.ts'
import { acrossTenants, requireSight } from '../tenant-scope.ts'
import { toTenant } from '../views/tenants.ts'

const tags = ['tenants']
const config = acrossTenants

export function tenantRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    registerReads(app, engine)
    registerDelete(app, engine)

    const createSchema = {
      operationId: 'createTenant',
      'x-problems': [409, 422],
      tags,
      summary: 'Create a tenant, or bring the one with this `uid` to what is given',
      description: 'For admin tokens of all tenants.',
      body: TenantCreateBody,
      response: { 200: TenantBody, 201: TenantBody },
    }
    app.post('/v1/tenants', { schema: createSchema, config }, async (request, reply) => {
      requireAll(principalOf(request))
      const input = inputOf(request.body)
      const { uid } = input
      if (typeof uid !== 'string') return reply.code(201).send(toTenant(await engine.tenants.create(input)))
      const { tenant, created } = await engine.tenants.upsert({ ...input, uid })
      return reply.code(created ? 201 : 200).send(toTenant(tenant))
    })

    const changeSchema = {
      operationId: 'updateTenant',
      'x-problems': [409, 412, 422],
      tags,
      summary: 'Change a tenant; members that are absent stay, those of its settings too',
      description: 'For admin tokens of all tenants.',
      params: idParams('ten'),
      headers: IfMatchHeaders,
      body: TenantChangeBody,
      response: { 200: TenantBody },
    }
    app.patch('/v1/tenants/:id', { schema: changeSchema, config }, async (request) => {
      requireSight(principalOf(request), request.params.id)
      requireAll(principalOf(request))
      const { params, body } = request
      return toTenant(await engine.tenants.update(params.id, inputOf(body), ifMatchOf(request)))
    })
  }
}

function registerDelete(app: Api, engine: ApiContext['engine']): void {
  const schema = {
    operationId: 'deleteTenant',
    'x-problems': [412, 422],
    tags,
    summary: 'Delete a tenant and all that belongs to it',
    description:
      'For admin tokens of all tenants. It takes nothing more from then on, and what waits is cancelled; the rest is removed in the background. The tenant is `deleting` until then, with the progress in `removed` and `removal`, and afterwards a 404. Can be repeated.',
    params: idParams('ten'),
    headers: IfMatchHeaders,
    response: { 202: TenantBody },
  }
  app.delete('/v1/tenants/:id', { schema, config }, async (request, reply) => {
    requireSight(principalOf(request), request.params.id)
    requireAll(principalOf(request))
    const tenant = await engine.tenants.delete(request.params.id, ifMatchOf(request))
    return reply.code(202).send(toTenant(tenant))
  })
}

function registerReads(app: Api, engine: ApiContext['engine']): void {
  const listSchema = {
    operationId: 'listTenants',
    tags,
    summary: 'Tenants, newest first',
    description: 'A token that is bound to a tenant sees that one.',
    querystring: TenantQuery,
    response: { 200: TenantPage },
  }
  app.get('/v1/tenants', { schema: listSchema, config }, async (request) => {
    const { tenantId } = principalOf(request)
    const { uid } = request.query
    const page = await engine.tenants.list({
      ...pageRequest(request.query),
      ...(uid !== undefined && { uid }),
    })
    if (tenantId === null) return { items: page.items.map(toTenant), next_cursor: page.nextCursor }
    const own = toTenant(await engine.tenants.get(tenantId))
    return { items: uid === undefined || uid === own.uid ? [own] : [], next_cursor: '' }
  })

  const getSchema = {
    operationId: 'getTenant',
    tags,
    summary: 'A tenant with its settings',
    params: idParams('ten'),
    headers: IfNoneMatchHeaders,
    response: { 200: TenantBody, 304: NoBody },
  }
  app.get('/v1/tenants/:id', { schema: getSchema, config }, async (request) => {
    requireSight(principalOf(request), request.params.id)
    return toTenant(await engine.tenants.get(request.params.id))
  })
}

interface BodyMembers {
  readonly settings?: object
}

function inputOf<Body extends BodyMembers>({ settings, ...body }: Body) {
  return { ...body, ...(settings !== undefined && { settings: camelMembers(settings) }) }
}

/** A tenant does not set its own limits. */
function requireAll({ tenantId }: Principal): void {
  if (tenantId === null) return
  throw new OuthookError(
    'forbidden',
    'tenants are changed with an admin token of all tenants; this one is bound to a tenant',
    { title: 'insufficient role' },
  )
}
