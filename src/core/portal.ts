/** Links to the portal, by which a tenant's own people see to its webhooks in a browser. */
export const portalAbilities = [
  'view',
  'manage_endpoints',
  'resend',
  'see_payloads',
  'reveal_secret',
] as const
/** `view` is part of every link: the tenant's endpoints, events, deliveries and jobs, without what is in them. */
export type PortalAbility = (typeof portalAbilities)[number]

export const defaultPortalLinkLifeMs = 3_600_000
export const maxPortalLinkLifeMs = 7 * 24 * 3_600_000
/** How long after its end a link is known as one that has ended, and listed. */
export const endedPortalLinkMs = 7 * 24 * 3_600_000
/** What its token begins with. */
export const portalTokenPrefix = 'hkprt_'

export interface PortalLink {
  readonly id: string
  readonly tenantId: string
  /** In the order of `portalAbilities`. */
  readonly abilities: readonly PortalAbility[]
  /** For whom it is, in its maker's words; null: nothing was said. */
  readonly label: string | null
  readonly createdAt: number
  readonly expiresAt: number
  readonly revokedAt: number | null
}
