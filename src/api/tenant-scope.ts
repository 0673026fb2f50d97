/**
 * Whose objects a request is about. A caller that is bound to a tenant sees that one's and nothing else: whatever is of
 * another tenant does not exist for it, and neither does the other tenant. Who may see all tenants names one by the query
 * parameter `tenant`; without it an object is found by its id alone, and everything else concerns the tenant `default`.
 *
 * This is done for every route below `/v1/` that asks for credentials, so that no new one can forget it.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { OuthookError } from '../core/errors.ts'
import { defaultTenantId } from '../core/model.ts'
import type { Principal } from '../engine/principal.ts'
import type { ApiContext } from './context.ts'
import { Closed } from './schemas/shapes.ts'
import { TenantParameter } from './schemas/tenants.ts'

/** Of routes that are not about the objects of one tenant. */
export const acrossTenants = { acrossTenants: true } as const

/** On a route that is not open. */
export function tenantIdOf(request: FastifyRequest): string {
  if (request.tenantId !== null) return request.tenantId
  throw new OuthookError(
    'internal',
    `${request.routeOptions.url} has a handler that wants a tenant and no scope`,
  )
}

/** Where the request names no tenant. */
export function tenantOfPrincipal({ tenantId }: Principal): string {
  return tenantId ?? defaultTenantId
}

/** Of what belongs to one tenant or to all: the tenant that is named or that the caller is bound to, else all (null). */
export function reachOf(request: FastifyRequest): string | null {
  const { tenant } = request.query as { readonly tenant?: string }
  return tenant === undefined ? (request.principal?.tenantId ?? null) : tenantIdOf(request)
}

/** To whoever is bound to a tenant, another one does not exist. */
export function requireSight({ tenantId }: Principal, id: string): void {
  if (tenantId === null || tenantId === id) return
  throw new OuthookError('not_found', 'no tenant with that id', { title: 'tenant not found' })
}

/** Before the routes are registered. */
export function scopeTenants(app: FastifyInstance, context: ApiContext): void {
  app.decorateRequest('tenantId', null)
  app.addHook('onRoute', (route) => {
    if (!isScoped(route)) return
    const query = (route.schema?.querystring ?? Closed({})) as ReturnType<typeof Closed>
    const properties = { ...query.properties, tenant: TenantParameter }
    route.schema = { ...route.schema, querystring: { ...query, properties } }
  })
  app.addHook('preValidation', (request, _reply, done) => {
    if (request.principal === null || !isScoped(request.routeOptions)) return done()
    let answered = false
    const answer = (error?: unknown): void => {
      if (!answered) done(error as Error | undefined)
      answered = true
    }
    const admit = (tenantId: string): void => {
      request.tenantId = tenantId
      answer()
    }
    try {
      const found = findTenant(request, request.principal, context)
      if (!(found instanceof Promise)) return admit(found)
      const unwatch = context.deadlines.watch(() => answer(late()))
      found.finally(unwatch).then(admit, answer)
    } catch (error) {
      answer(error)
    }
  })
}

function isScoped({
  url = '',
  config,
}: {
  readonly url?: string | undefined
  readonly config?: object
}): boolean {
  return url.startsWith('/v1/') && !(config !== undefined && 'acrossTenants' in config)
}

function findTenant(
  { query, params }: FastifyRequest,
  principal: Principal,
  { engine: { tenants } }: ApiContext,
): string | Promise<string> {
  const { tenant: named } = query as { readonly tenant?: unknown }
  if (named === undefined) {
    return (
      principal.tenantId ?? tenantOfObject(Object.values(params as Readonly<Record<string, string>>), tenants)
    )
  }
  if (typeof named !== 'string') {
    throw new OuthookError('invalid_request', 'tenant is given more than once; give it once')
  }
  const found = tenants.resolve(named)
  if (principal.tenantId === null) return found
  return Promise.resolve(found).then((id) => (id === principal.tenantId ? id : tenants.refuse(named)))
}

/** Of what the path names. An unknown id is the route's to answer. */
function tenantOfObject(
  ids: readonly string[],
  tenants: ApiContext['engine']['tenants'],
): string | Promise<string> {
  if (ids.length === 0) return defaultTenantId
  return Promise.all(ids.map((id) => tenants.tenantOf(id))).then(
    (found) => found.find((id) => id !== null) ?? defaultTenantId,
  )
}

function late(): OuthookError {
  const message = 'the tenant could not be looked up in time; send the request again'
  return new OuthookError('store_unavailable', message, { publicDetail: message })
}
