/** What callers authenticate with, without its text. */

/** What an admin token may do; each role may do what those before it may. */
export const adminRoles = ['viewer', 'operator', 'admin'] as const
export type AdminRole = (typeof adminRoles)[number]

/** What a producer key may do: publish events, read its tenant's, send to a URL or an endpoint that it names. */
export const keyAbilities = ['publish', 'read', 'send'] as const
export type KeyAbility = (typeof keyAbilities)[number]

export interface ApiKey {
  readonly id: string
  /** Null: an admin token of all tenants. */
  readonly tenantId: string | null
  readonly kind: 'producer' | 'admin'
  /** Of an admin token; null: a producer key. */
  readonly role: AdminRole | null
  readonly name: string
  /** Patterns of the topics that a producer key publishes. */
  readonly scopes: readonly string[]
  /** Of a producer key. */
  readonly abilities: readonly KeyAbility[]
  /** Events a second that a producer key publishes; null: as many as the server's setting says. */
  readonly rateLimitRps: number | null
  readonly createdAt: number
  readonly expiresAt: number | null
  /** Within a minute or so; null: never. */
  readonly lastUsedAt: number | null
  readonly revokedAt: number | null
  /** Another one after each change that somebody makes: for `ifMatch`. */
  readonly version: string
}
