import type { ApiKey } from '../../core/model.ts'
import type { ChangeOptions } from '../../core/version.ts'
import type { Page, PageRequest } from './reading.ts'

export interface NewApiKey {
  readonly key: Omit<ApiKey, 'createdAt' | 'lastUsedAt' | 'revokedAt' | 'version'>
  /** SHA-256 of the whole key; the key itself never reaches the store. */
  readonly hash: Uint8Array
}

/** Whose keys: those of one kind, of one tenant. `tenantId` null: the admin tokens of each tenant and of all. */
export interface KeyOwner {
  readonly kind: ApiKey['kind']
  readonly tenantId: string | null
}

/** Members that are absent stay as they are. */
export type ApiKeyPatch = Partial<
  Pick<ApiKey, 'name' | 'scopes' | 'abilities' | 'rateLimitRps' | 'expiresAt'>
>

export interface FoundApiKey {
  readonly key: ApiKey
  /** When it, or the text that was looked up, is no longer good; null: no such time is known. */
  readonly until: number | null
}

export interface KeyUse {
  readonly id: string
  readonly at: number
}

export interface KeyStore {
  /** Null, and nothing written, when so many of the kind and tenant are active already: not revoked, not expired. Atomic. */
  insertApiKey(input: NewApiKey, options?: { readonly maxActive?: number }): Promise<ApiKey | null>
  /** Null, and nothing written, when the tenant has or ever had a key of this kind. Atomic. */
  insertFirstApiKey(input: NewApiKey): Promise<ApiKey | null>
  /** Null: no such key. Atomic with the look at `ifMatch`. Errors: version_conflict. */
  updateApiKey(
    owner: KeyOwner,
    id: string,
    patch: ApiKeyPatch,
    options?: ChangeOptions,
  ): Promise<ApiKey | null>
  /** Adds the hash and lets all earlier ones expire after `graceMs` at most, atomic. Null: no such key, or revoked. */
  rotateApiKey(
    owner: KeyOwner,
    id: string,
    rotation: { readonly hash: Uint8Array; readonly graceMs: number },
  ): Promise<ApiKey | null>
  /**
   * `revoked` also when it was before. `last`, and nothing done, with `keepLastAdmin` when no other token would be left
   * that is of role admin and of all tenants, not revoked, and never expires. Atomic.
   * Errors: version_conflict, unless it is revoked already.
   */
  revokeApiKey(
    owner: KeyOwner,
    id: string,
    options?: ChangeOptions & { readonly keepLastAdmin?: boolean },
  ): Promise<'revoked' | 'not_found' | 'last'>
  getApiKey(owner: KeyOwner, id: string): Promise<ApiKey | null>
  /** Admin tokens oldest first. */
  listApiKeys(owner: KeyOwner, page: PageRequest): Promise<Page<ApiKey>>
  /** For each hash its live key, neither revoked nor expired, in one read and in the order of the hashes. */
  findApiKeys(hashes: readonly Uint8Array[]): Promise<readonly (FoundApiKey | null)[]>
  /** Keeps when each was used last. */
  noteKeyUse(uses: readonly KeyUse[]): Promise<void>
}

export interface TakenTokens {
  readonly count: number
  /** Until there is another one, where fewer were there than wanted. */
  readonly waitMs: number
}

/** The tokens of keys and tenants that have a rate, for all processes together. */
export interface KeyTokens {
  /** As many as there are, `count` at most. Atomic. */
  take(id: string, wanted: { readonly rps: number; readonly count: number }): Promise<TakenTokens>
}
