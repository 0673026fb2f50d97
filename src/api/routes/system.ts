import { OuthookError } from '../../core/errors.ts'
import { principalOf } from '../auth.ts'
import type { Api, ApiContext } from '../context.ts'
import { SystemBody } from '../schemas/system.ts'
import { acrossTenants } from '../tenant-scope.ts'
import { toSystem } from '../views/system.ts'

const schema = {
  operationId: 'getSystem',
  tags: ['system'],
  summary: 'What the process that answers is, its settings without secrets, and what is found in its store',
  description:
    'Of several processes each answers for itself. The store is examined beside the work that goes on; checks that read whole tables are left to `outhook doctor`.',
  response: { 200: SystemBody },
}

export function systemRoute({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    let isAsked = false
    app.addHook('preClose', (done) => {
      // Closing waits for requests, which may wait for an examination; and until the store is open there is no system.
      if (isAsked) void engine.system.stop()
      done()
    })
    app.get('/v1/system', { schema, config: acrossTenants }, async (request) => {
      if (principalOf(request).tenantId !== null) throw boundToTenant()
      isAsked = true
      return toSystem(await engine.system.read())
    })
  }
}

/** Settings and findings are those of everybody. */
function boundToTenant(): OuthookError {
  return new OuthookError(
    'forbidden',
    'the system belongs to all tenants; use an admin token of all of them, this one is bound to a tenant',
    { title: 'insufficient role' },
  )
}
