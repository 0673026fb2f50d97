/** What the list of pages says of each. */
import type { ComponentType } from 'preact'
import type { Params } from './match-path.ts'
import type { Role } from './role.ts'

export interface PageProps {
  /** What the path says in the places of `:names`. */
  readonly params: Params
}

export interface PageEntry {
  /** Below /dashboard/, such as `endpoints/:id`. The first that matches is shown. */
  readonly path: string
  readonly title: string
  /** Where it stands in the navigation; absent: it does not. */
  readonly group?: 'Now' | 'Setup' | 'Repair' | 'Server'
  /** The least role that the API lets read it; absent: viewer. */
  readonly needs?: Role
  /** What it shows is of the whole server, so a token of one tenant is refused. */
  readonly needsAllTenants?: boolean
  /** Where no tenant is chosen it is of all of them together; absent: of the tenant `default`. */
  readonly isOfAllTenants?: boolean
  readonly load: () => Promise<{ readonly Page: ComponentType<PageProps> }>
}
