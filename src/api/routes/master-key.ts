import { OuthookError } from '../../core/errors.ts'
import type { MasterKeyState } from '../../engine/master-key.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { MasterKeyBody } from '../schemas/master-key.ts'
import { acrossTenants } from '../tenant-scope.ts'

const tags = ['keys']
const config = acrossTenants

const getSchema = {
  operationId: 'getMasterKey',
  tags,
  summary: 'Which master key seals secrets, and how far an exchange of it is',
  response: { 200: MasterKeyBody },
}

const rotateSchema = {
  operationId: 'rotateMasterKey',
  'x-problems': [409],
  tags,
  summary: 'Seal everything under the new master key; every process must have been started with both before',
  description:
    'It goes on in the background, on every process and after every crash, until `replacing` is null and `remaining` is 0. Called again it begins nothing twice.',
  response: { 200: MasterKeyBody },
}

export function masterKeyRoutes({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    app.get('/v1/master-key', { schema: getSchema, config }, async (request) => {
      requireAll(principalOf(request))
      return toBody(await engine.masterKeys.state())
    })

    app.post('/v1/master-key/rotate', { schema: rotateSchema, config }, async (request) => {
      requireAll(principalOf(request))
      return toBody(await engine.masterKeys.rotate())
    })
  }
}

/** It concerns the secrets of every tenant. */
function requireAll({ tenantId }: { readonly tenantId: string | null }): void {
  if (tenantId === null) return
  throw new OuthookError(
    'forbidden',
    'the master key belongs to all tenants; use an admin token of all of them, this one is bound to a tenant',
    { title: 'insufficient role' },
  )
}

function toBody({ fingerprint, replacing, remaining, given }: MasterKeyState) {
  return { fingerprint, replacing, remaining, given: [...given] }
}
