import type { Api, ApiContext } from '../context.ts'
import { pageRequest, timeRange } from '../page-request.ts'
import { AuditPage, AuditQuery } from '../schemas/audit.ts'
import { reachOf } from '../tenant-scope.ts'
import { toAuditLine } from '../views/audit.ts'

export function auditRoute({ engine }: ApiContext) {
  return async (app: Api): Promise<void> => {
    const schema = {
      operationId: 'listAudit',
      tags: ['audit'],
      summary: 'Who changed what, newest first',
      description:
        'Of the tenant that is named or that the token is of, else of all tenants and of the server itself. Kept for as long as the setting `retain-audit` says, 90 days by default.',
      querystring: AuditQuery,
      response: { 200: AuditPage },
    }
    app.get('/v1/audit', { schema }, async (request) => {
      const { actor_kind, actor_id, action, object_kind, object_id } = request.query
      const filter = {
        ...(actor_kind !== undefined && { actorKind: actor_kind }),
        ...(actor_id !== undefined && { actorId: actor_id }),
        ...(action !== undefined && { action }),
        ...(object_kind !== undefined && { objectKind: object_kind }),
        ...(object_id !== undefined && { objectId: object_id }),
        ...timeRange(request.query),
      }
      const page = await engine.audit.list(reachOf(request), filter, pageRequest(request.query))
      return { items: page.items.map(toAuditLine), next_cursor: page.nextCursor }
    })
  }
}
