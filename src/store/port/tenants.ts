import type { Tenant, TenantSettings } from '../../core/tenant.ts'
import type { ChangeOptions } from '../../core/version.ts'
import type { Page, PageRequest } from './reading.ts'

export type NewTenant = Pick<Tenant, 'id' | 'uid' | 'name' | 'metadata' | 'settings'>

/** Members that are absent stay as they are, those of the settings too. */
export type TenantPatch = Partial<Pick<Tenant, 'uid' | 'name' | 'metadata'>> & {
  readonly settings?: Partial<TenantSettings>
}

export type TenantUidConflict = { readonly kind: 'uid_exists'; readonly tenantId: string }

export interface TenantRemoval {
  /** Some tenant is still being removed. */
  readonly open: boolean
  /** Call again at once; otherwise it waits for requests that are under way. */
  readonly more: boolean
}

export interface TenantStore {
  insertTenant(
    input: NewTenant,
  ): Promise<{ readonly kind: 'inserted'; readonly tenant: Tenant } | TenantUidConflict>
  /** Atomic with the tenant's routing version. Null: no such tenant, or it is being removed. Errors: version_conflict. */
  updateTenant(
    id: string,
    patch: TenantPatch,
    options?: ChangeOptions,
  ): Promise<{ readonly kind: 'updated'; readonly tenant: Tenant } | TenantUidConflict | null>
  /** Also while it is being removed. */
  getTenant(id: string): Promise<Tenant | null>
  /** Not one that is being removed: its uid is free. */
  getTenantByUid(uid: string): Promise<Tenant | null>
  /** Those that are being removed too. */
  listTenants(page: PageRequest): Promise<Page<Tenant>>
  /**
   * The tenant takes nothing more from then on, its keys and jobs are gone, and at most 1000 of its endpoints are deleted,
   * as by `deleteEndpoint`; `removeDeletedTenants` does the rest. Atomic. Null: no such tenant.
   * Errors: version_conflict, unless it is being removed already.
   */
  deleteTenant(id: string, options?: ChangeOptions): Promise<Tenant | null>
  /**
   * Goes on with one deleted tenant, at most `limit` rows of a table: the other endpoints, what waits for them, and, when
   * what was leased is over, every row of the tenant. Its own row stays, so that its id is never taken for one that was
   * not there. Only one process at a time works, and for the others there is nothing to do.
   */
  removeDeletedTenants(options: { readonly limit: number }): Promise<TenantRemoval>
  /** The tenant of the endpoint, subscription, key, event or delivery with this id; null: there is no such object. */
  findTenantOf(id: string): Promise<string | null>
}
