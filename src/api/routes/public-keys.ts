/** What receivers verify ed25519 signatures with. They have no token of this server, so the route is open. */
import { defaultTenantId } from '../../core/model.ts'
import type { Api, ApiContext } from '../context.ts'
import { PublicKeysBody } from '../schemas/endpoint-secrets.ts'
import { idParams } from '../schemas/shapes.ts'
import { acrossTenants } from '../tenant-scope.ts'
import { toPublicKeys } from '../views/endpoint-secrets.ts'

/** After a rotation a receiver learns of the new key within this time; until then the old one signs beside it. */
const cacheSeconds = 60

const publicKeysSchema = {
  operationId: 'listEndpointPublicKeys',
  tags: ['endpoints'],
  summary: 'The public keys of its ed25519 secrets that sign, newest first, for receivers; needs no token',
  description:
    'A JSON Web Key Set (RFC 7517, RFC 8037) in which each key stands as `whpk_…` as well. 404 for an endpoint without such a secret as for none.',
  params: idParams('ep'),
  response: { 200: PublicKeysBody },
}

export function publicKeyRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.get(
      '/v1/endpoints/:id/public-keys',
      { schema: publicKeysSchema, config: acrossTenants },
      async (request, reply) => {
        const { id } = request.params
        // The id is known to whoever may ask, and is all that is needed.
        const tenantId = await engine.tenants.tenantOf(id)
        const keys = await engine.endpointSecrets.listPublicKeys(tenantId ?? defaultTenantId, id)
        return reply.header('cache-control', `public, max-age=${cacheSeconds}`).send(toPublicKeys(keys))
      },
    )
  }
}
