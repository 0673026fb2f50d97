import { bytesToId, idPrefixes } from '../core/ids.ts'
import type { PortalAbility, PortalLink } from '../core/portal.ts'

export interface PortalLinkRow {
  readonly id: Uint8Array
  readonly tenant_id: Uint8Array
  /** JSON. */
  readonly abilities: string
  readonly label: string | null
  readonly created_at: number
  readonly expires_at: number
  readonly revoked_at: number | null
}

export const portalLinkColumns = 'id, tenant_id, abilities, label, created_at, expires_at, revoked_at'

export function toPortalLink(row: PortalLinkRow): PortalLink {
  return {
    id: bytesToId(idPrefixes.portalLink, row.id),
    tenantId: bytesToId(idPrefixes.tenant, row.tenant_id),
    abilities: JSON.parse(row.abilities) as readonly PortalAbility[],
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
  }
}
