/** What the server says of the portal in the page itself, before anybody is known. */
import type { ThemeInput } from './theme.ts'

export interface PortalSettings {
  readonly theme: ThemeInput
  /** Origins of pages that may put the portal into a frame; `self` is the server's own. */
  readonly frameAncestors: readonly string[]
}

export function readSettings(): PortalSettings {
  const text = document.querySelector('meta[name="portal"]')?.getAttribute('content') ?? '{}'
  const { theme = {}, frameAncestors = [] } = JSON.parse(text) as Partial<PortalSettings>
  return { theme, frameAncestors }
}
