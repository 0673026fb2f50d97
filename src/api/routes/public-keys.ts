/** What receivers verify ed25519 signatures with. They have no token of this server, so the route is open. */
import { OuthookError } from '../../core/errors.ts'
import { defaultTenantId } from '../../core/model.ts'
import type { PublicKey } from '../../core/signing-secrets.ts'
import type { Api, ApiContext } from '../context.ts'
import { PublicKeysBody } from '../schemas/endpoint-secrets.ts'
import { idParams } from '../schemas/shapes.ts'
import { acrossTenants } from '../tenant-scope.ts'
import { toPublicKeys } from '../views/endpoint-secrets.ts'

/** After a rotation a receiver learns of the new key within this time; until then the old one signs beside it. */
const cacheSeconds = 60

/** Endpoints that are looked for at one time: strangers can ask, and are not to keep the store busy. */
const maxAtOnce = 64

const publicKeysSchema = {
  operationId: 'listEndpointPublicKeys',
  'x-problems': [429],
  tags: ['endpoints'],
  summary: 'The public keys of its ed25519 secrets that sign, newest first, for receivers; needs no token',
  description:
    'A JSON Web Key Set (RFC 7517, RFC 8037) in which each key stands as `whpk_…` as well. 404 for an endpoint without such a secret as for none.',
  params: idParams('ep'),
  response: { 200: PublicKeysBody },
}

export function publicKeyRoutes({ engine }: ApiContext) {
  const asked = new Map<string, Promise<readonly PublicKey[]>>()
  const find = async (id: string): Promise<readonly PublicKey[]> => {
    // The id is known to whoever may ask, and is all that is needed.
    const tenantId = await engine.tenants.tenantOf(id)
    return engine.endpointSecrets.listPublicKeys(tenantId ?? defaultTenantId, id)
  }
  const findOnce = (id: string): Promise<readonly PublicKey[]> => {
    const known = asked.get(id)
    if (known !== undefined) return known
    if (asked.size >= maxAtOnce) {
      const message = 'public keys are asked for by many just now; ask again in a moment'
      throw new OuthookError('rate_limited', message, { retryAfterSeconds: 1 })
    }
    const found = find(id).finally(() => asked.delete(id))
    asked.set(id, found)
    return found
  }
  return async (app: Api): Promise<void> => {
    app.get(
      '/v1/endpoints/:id/public-keys',
      { schema: publicKeysSchema, config: acrossTenants },
      async (request, reply) => {
        const keys = await findOnce(request.params.id)
        return reply.header('cache-control', `public, max-age=${cacheSeconds}`).send(toPublicKeys(keys))
      },
    )
  }
}
