/** Links to the portal. The rules of `../port.ts` hold. */
import type { PortalLink } from '../../core/portal.ts'
import type { Page, PageRequest } from './reading.ts'

export interface NewPortalLink extends Pick<PortalLink, 'id' | 'tenantId' | 'abilities' | 'label'> {
  /** SHA-256 of its token; the token itself never reaches the store. */
  readonly hash: Uint8Array
  readonly lifeMs: number
}

export interface PortalLinkStore {
  insertPortalLink(link: NewPortalLink): Promise<PortalLink>
  /** Newest first, those that have ended lately too. */
  listPortalLinks(tenantId: string, page: PageRequest): Promise<Page<PortalLink>>
  /** False: the tenant has no such link. Can be called again, and changes nothing then. */
  revokePortalLink(tenantId: string, id: string): Promise<boolean>
  /** For each hash its link, whether it has ended or not, in one read and in the order of the hashes. */
  findPortalLinks(hashes: readonly Uint8Array[]): Promise<readonly (PortalLink | null)[]>
}
