import { portalAbilities } from '../../core/portal.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { pageRequest } from '../page-request.ts'
import { publicUrlOf } from '../public-url.ts'
import { formatTime } from '../rfc3339.ts'
import {
  CreatedPortalLinkBody,
  PortalBody,
  PortalLinkCreateBody,
  PortalLinkPage,
  portalLinkParams,
} from '../schemas/portal-links.ts'
import { Closed, idParams, NoBody, pageQuery } from '../schemas/shapes.ts'
import { acrossTenants, requireSight, tenantIdOf } from '../tenant-scope.ts'
import { toPortalLink } from '../views/portal-links.ts'

const tags = ['portal links']
const config = acrossTenants

export function portalLinkRoutes({ engine, auth, publicUrl }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const createSchema = {
      operationId: 'createPortalLink',
      'x-problems': [422],
      'x-optional-body': true,
      tags,
      summary: 'Make a link by which somebody of the tenant sees to its webhooks in a browser',
      params: idParams('ten'),
      body: PortalLinkCreateBody,
      response: { 201: CreatedPortalLinkBody },
    }
    app.post('/v1/tenants/:id/portal-links', { schema: createSchema, config }, async (request, reply) => {
      const { id } = request.params
      requireSight(principalOf(request), id)
      const { abilities, expires_in: expiresIn, label } = request.body
      const { link, token, url } = await engine.portalLinks.create(id, {
        publicUrl: publicUrlOf(request, publicUrl),
        ...(abilities !== undefined && { abilities }),
        ...(expiresIn !== undefined && { expiresIn }),
        ...(label !== undefined && { label }),
      })
      return reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ ...toPortalLink(link), token, url })
    })

    const listSchema = {
      operationId: 'listPortalLinks',
      tags,
      summary: 'Links to the portal, newest first, never their tokens; ended ones for a week',
      params: idParams('ten'),
      querystring: Closed({ ...pageQuery }),
      response: { 200: PortalLinkPage },
    }
    app.get('/v1/tenants/:id/portal-links', { schema: listSchema, config }, async (request) => {
      requireSight(principalOf(request), request.params.id)
      const page = await engine.portalLinks.list(request.params.id, pageRequest(request.query))
      return { items: page.items.map(toPortalLink), next_cursor: page.nextCursor }
    })

    const revokeSchema = {
      operationId: 'revokePortalLink',
      tags,
      summary: 'Revoke a link: whoever has opened it can do nothing more; can be repeated',
      params: portalLinkParams,
      response: { 204: NoBody },
    }
    app.delete(
      '/v1/tenants/:id/portal-links/:link_id',
      { schema: revokeSchema, config },
      async (request, reply) => {
        const { id, link_id: linkId } = request.params
        requireSight(principalOf(request), id)
        await engine.portalLinks.revoke(id, linkId)
        auth.forget(linkId)
        return reply.code(204).send()
      },
    )

    registerPortal(app, engine)
  }
}

function registerPortal(app: Api, engine: ApiContext['engine']): void {
  const schema = {
    operationId: 'getPortal',
    tags: ['portals'],
    summary: 'Whose portal it is, and what may be done there',
    description: 'With an admin token: as a link with all abilities would show it.',
    response: { 200: PortalBody },
  }
  app.get('/v1/portal', { schema }, async (request) => {
    const principal = principalOf(request)
    const tenant = await engine.tenants.get(tenantIdOf(request))
    const isLink = principal.kind === 'portal'
    return {
      link_id: isLink ? principal.keyId : null,
      tenant_id: tenant.id,
      tenant_name: tenant.name,
      abilities: [...(isLink ? principal.abilities : portalAbilities)],
      expires_at: isLink ? formatTime(principal.expiresAt) : null,
    }
  })
}
