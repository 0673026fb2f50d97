import type { Credential } from '../../core/credential.ts'
import type { ExpiringCredential, ExpiryNotice } from '../../core/operational-events.ts'
import type { ChangeOptions } from '../../core/version.ts'
import type { TenantDeleted } from './config.ts'
import type { Page, PageRequest } from './reading.ts'

export interface NewCredential {
  readonly credential: Omit<Credential, 'createdAt' | 'updatedAt' | 'lastUsedAt' | 'version'>
  readonly sealed: Uint8Array
}

/** Members that are absent stay as they are, those of `settings` too. */
export type CredentialPatch = Partial<
  Pick<Credential, 'name' | 'description' | 'settings' | 'authorizedHosts' | 'secretHint' | 'active'>
> & { readonly sealed?: Uint8Array }

export type CredentialNameConflict = { readonly kind: 'name_exists'; readonly credentialId: string }

export type CredentialInsertion =
  | { readonly kind: 'inserted'; readonly credential: Credential }
  | CredentialNameConflict
  | TenantDeleted

export type CredentialDeletion =
  | { readonly kind: 'deleted' }
  | { readonly kind: 'not_found' }
  /** Nothing was done. The first of them, and how many there are. */
  | { readonly kind: 'in_use'; readonly endpointIds: readonly string[]; readonly count: number }

export interface CredentialUse {
  readonly id: string
  readonly at: number
}

export interface PendingExpiry extends ExpiringCredential {
  readonly tenantId: string
  readonly notice: ExpiryNotice
}

/** Endpoints that a refused deletion names. */
export const maxListedEndpoints = 20

/** Every change of a credential raises its tenant's version in the same transaction. */
export interface CredentialStore {
  /** Atomic with the look at the name and the tenant. */
  insertCredential(input: NewCredential): Promise<CredentialInsertion>
  /** Null: no such credential. Atomic with the look at the name and `ifMatch`. Errors: version_conflict. */
  updateCredential(
    tenantId: string,
    id: string,
    patch: CredentialPatch,
    options?: ChangeOptions,
  ): Promise<{ readonly kind: 'updated'; readonly credential: Credential } | CredentialNameConflict | null>
  /** Removes the row unless an endpoint that is not deleted names it. Atomic. Errors: version_conflict. */
  deleteCredential(tenantId: string, id: string, options?: ChangeOptions): Promise<CredentialDeletion>
  getCredential(tenantId: string, id: string): Promise<Credential | null>
  getCredentialByName(tenantId: string, name: string): Promise<Credential | null>
  /** Newest first. */
  listCredentials(tenantId: string, page: PageRequest): Promise<Page<Credential>>
  /**
   * Keeps a notice for the tenant with the credential; false: the certificate was told of before, with as few days or
   * fewer, or the credential is gone. Of all processes that see it one is told true, once.
   */
  noteExpiry(credentialId: string, notice: ExpiryNotice): Promise<boolean>
  /** Notices whose events are still to be published, of as many credentials. */
  listExpiryNotices(limit: number): Promise<readonly PendingExpiry[]>
  /** Its event is published. Does nothing where there is another notice by now. */
  removeExpiryNotice(credentialId: string, notice: ExpiryNotice): Promise<void>
  /** Keeps when each was used last. */
  noteCredentialUse(uses: readonly CredentialUse[]): Promise<void>
}
