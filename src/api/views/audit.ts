import type { Static } from 'typebox'
import type { AuditLine } from '../../core/audit.ts'
import { formatTime } from '../rfc3339.ts'
import type { AuditLineBody } from '../schemas/audit.ts'

export function toAuditLine(line: AuditLine): Static<typeof AuditLineBody> {
  const { id, createdAt, tenantId, actor, action, objectKind, objectId, before, after } = line
  return {
    id,
    created_at: formatTime(createdAt),
    tenant_id: tenantId,
    actor: { ...actor },
    action,
    object: { kind: objectKind, id: objectId },
    before,
    after,
  }
}
