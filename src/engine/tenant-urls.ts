/** The one way in for a URL that a tenant names: the server's guard, and the tenant's own authorized domains. */
import { refuseDomain } from '../core/domains.ts'
import type { RoutingCache } from '../delivery/routing-cache.ts'
import type { UrlCheck } from '../sender/port.ts'
import type { TenantStore } from '../store/port.ts'

export interface TenantUrlsOptions {
  readonly checkUrl: UrlCheck
  readonly routing: Pick<RoutingCache, 'peek'>
  readonly store: Pick<TenantStore, 'getTenant'>
}

export class TenantUrls {
  readonly #options: TenantUrlsOptions

  constructor(options: TenantUrlsOptions) {
    this.#options = options
  }

  /**
   * The URL in its normal form. It is to be asked when the URL is given; before each request the sender's guard asks
   * again, and `refuseDomain` with the domains that the tenant has then. Errors: url_rejected.
   */
  async check(tenantId: string, text: string): Promise<URL> {
    const { checkUrl, routing } = this.#options
    const known = routing.peek(tenantId)?.tenant?.settings.authorizedDomains
    let domains = known ?? (await this.#read(tenantId))
    // Another process may have changed them a moment ago.
    if (known !== undefined && URL.canParse(text) && refuseDomain(new URL(text), known) !== null) {
      domains = await this.#read(tenantId)
    }
    return checkUrl(text, (url) => refuseDomain(url, domains))
  }

  async #read(tenantId: string): Promise<readonly string[]> {
    return (await this.#options.store.getTenant(tenantId))?.settings.authorizedDomains ?? []
  }
}
