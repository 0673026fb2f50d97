/** Who calls the API. */
import type { AdminRole, ApiKey, KeyAbility } from '../core/model.ts'
import type { PortalAbility, PortalLink } from '../core/portal.ts'

export type Principal = ProducerPrincipal | AdminPrincipal | PortalPrincipal

export interface ProducerPrincipal {
  readonly kind: 'producer'
  readonly tenantId: string
  readonly keyId: string
  /** Patterns of the topics that it publishes; null: all. */
  readonly scopes: readonly string[] | null
  readonly abilities: readonly KeyAbility[]
  /** Events a second; null: as many as the server's setting says. */
  readonly rateLimitRps: number | null
}

export interface AdminPrincipal {
  readonly kind: 'admin'
  readonly role: AdminRole
  /** The only tenant whose objects there are for it; null: all tenants. */
  readonly tenantId: string | null
  /** Null: the token of the configuration. */
  readonly keyId: string | null
}

/** Somebody of a tenant's, by a link to the portal. */
export interface PortalPrincipal {
  readonly kind: 'portal'
  readonly tenantId: string
  /** The link. */
  readonly keyId: string
  readonly abilities: readonly PortalAbility[]
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** The token of the configuration, which needs no store. */
export const breakGlass: AdminPrincipal = { kind: 'admin', role: 'admin', tenantId: null, keyId: null }

export function toPortalPrincipal({
  id: keyId,
  tenantId,
  abilities,
  expiresAt,
}: PortalLink): PortalPrincipal {
  return { kind: 'portal', tenantId, keyId, abilities, expiresAt }
}

export function toPrincipal(key: ApiKey): Principal {
  const { id: keyId, tenantId, kind, role, scopes, abilities, rateLimitRps } = key
  if (kind === 'producer' && tenantId !== null) {
    return { kind, tenantId, keyId, scopes: scopes.includes('*') ? null : scopes, abilities, rateLimitRps }
  }
  // The least that there is, should a row say nothing.
  return { kind: 'admin', role: role ?? 'viewer', tenantId, keyId }
}
