/** Which page a path means. */
import { pages } from '../pages.ts'
import { matchPath, type Params } from './match-path.ts'
import type { PageEntry } from './page-entry.ts'

interface FoundPage {
  readonly entry: PageEntry
  readonly params: Params
}

/** Null: there is none. */
export function findPage(path: string): FoundPage | null {
  for (const entry of pages) {
    const params = matchPath(entry.path, path)
    if (params !== null) return { entry, params }
  }
  return null
}
