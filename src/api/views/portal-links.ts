import type { Static } from 'typebox'
import type { PortalLink } from '../../core/portal.ts'
import { formatOptionalTime, formatTime } from '../rfc3339.ts'
import type { PortalLinkBody } from '../schemas/portal-links.ts'

export function toPortalLink(link: PortalLink): Static<typeof PortalLinkBody> {
  return {
    id: link.id,
    tenant_id: link.tenantId,
    abilities: [...link.abilities],
    label: link.label,
    created_at: formatTime(link.createdAt),
    expires_at: formatTime(link.expiresAt),
    revoked_at: formatOptionalTime(link.revokedAt),
  }
}
