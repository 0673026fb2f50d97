/**
 * pyfly asks each config where its requests may go; here a tenant is asked. What a config forbids is not made, so a
 * tenant's list is what all its configs allow together.
 */
import { isInDomain, parseDomain } from '../../core/domains.ts'
import { maxAuthorizedDomains } from '../../core/tenant.ts'
import type { CallbackConfig } from './callback-file.ts'
import type { PlannedEndpoint, Remarks } from './import-plan.ts'

/** What pyfly would say to a request of the config; null: it would make it. */
export function refusedHost({ authorizedDomains }: CallbackConfig, url: URL): string | null {
  if (authorizedDomains.length === 0) return null
  const host = hostOf(url)
  const isAllowed = authorizedDomains.some(({ domain }) => {
    const known = parseDomain(domain)
    return known !== null && isInDomain(host, known)
  })
  return isAllowed
    ? null
    : 'goes to a host that authorized_domains do not name: pyfly does not call it either'
}

export function planDomains(
  configs: readonly CallbackConfig[],
  endpoints: readonly PlannedEndpoint[],
  remark: Remarks,
): readonly string[] {
  const domains = new Set<string>()
  for (const { place, domain, description } of configs.flatMap((config) => config.authorizedDomains)) {
    const known = parseDomain(domain)
    if (known !== null) domains.add(known)
    const isNote = known === null || description !== ''
    if (!isNote) continue
    remark({
      place,
      problem: known === null ? 'is no name of a host, so pyfly matches nothing by it' : 'has a description',
      advice: known === null ? 'nothing' : 'keep it where people look it up; nothing depends on it',
      isLoss: false,
    })
  }
  const open = configs.find(({ authorizedDomains }) => authorizedDomains.length === 0)
  if (domains.size === 0) return []
  if (open !== undefined) addHosts(domains, open, endpoints, remark)
  if (domains.size <= maxAuthorizedDomains) return [...domains]
  remark({
    place: (configs[0] as CallbackConfig).place,
    problem: `and those of its tenant have ${domains.size} authorized domains; a tenant may have ${maxAuthorizedDomains}`,
    advice: 'name a parent domain in place of many; until then the tenant has no list',
    isLoss: true,
  })
  return []
}

/** A config without a list may call any host; its tenant's list then has the hosts that are called now. */
function addHosts(
  domains: Set<string>,
  open: CallbackConfig,
  endpoints: readonly PlannedEndpoint[],
  remark: Remarks,
): void {
  const hosts = endpoints.map(({ url }) => parseDomain(hostOf(new URL(url)))).filter((host) => host !== null)
  for (const host of hosts) {
    if (![...domains].some((domain) => isInDomain(host, domain))) domains.add(host)
  }
  remark({
    place: open.place,
    problem: 'has no authorized_domains, but another config of its tenant has: here they are of the tenant',
    advice: 'its hosts of now are among them; add others with "outhook tenants update … --authorized-domain"',
    isLoss: false,
  })
}

/** An IPv6 address without its brackets. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '')
}
