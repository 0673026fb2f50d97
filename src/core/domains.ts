/**
 * Hosts by name: an entry `example.com` stands for that host and for all below it, and for no other that happens to end
 * in the same letters (`evilexample.com`). Names are compared as `URL` writes them: lower case, IDN as `xn--`.
 */

/** Longer names do not exist (RFC 1035). */
export const maxDomainChars = 253

/** The entry in its normal form; null: it is no name of a host and no address. */
export function parseDomain(text: string): string | null {
  const bare = text.trim().replace(/\.$/, '')
  // `URL` would take what follows these for a path, a port, user info or the like.
  if (bare === '' || bare.length > maxDomainChars || /[\s/?#@\\%*]/.test(bare)) return null
  const isIpv6 = bare.includes(':')
  const url = `http://${isIpv6 && !bare.startsWith('[') ? `[${bare}]` : bare}`
  if (!URL.canParse(url)) return null
  const { hostname } = new URL(url)
  if (isIpv6) return url.endsWith(']') ? hostname.slice(1, -1) : null
  const labels = hostname.split('.')
  if (hostname.length > maxDomainChars) return null
  return labels.every((label) => /^[\w-]{1,63}$/.test(label)) ? hostname : null
}

/** Null: requests of whoever has these domains may go to the URL. An empty list is no list. */
export function refuseDomain(url: URL, domains: readonly string[]): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (domains.length === 0 || domains.some((domain) => isInDomain(host, domain))) return null
  return `Domain not authorized: ${host} is none of the tenant's authorized domains, nor below one; add it to them if requests may go there`
}

/** @param hostname as in a `URL`, without the brackets of an IPv6 address */
export function isInDomain(hostname: string, domain: string): boolean {
  const bare = hostname.replace(/\.+$/, '')
  return bare === domain || bare.endsWith(`.${domain}`)
}

/** An address, which no name has that can be looked up; in its normal form. */
export function isAddressDomain(domain: string): boolean {
  return domain.includes(':') || /^[\d.]+$/.test(domain)
}
