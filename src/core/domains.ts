/**
 * Hosts by name: an entry `example.com` stands for that host and for all below it, and for no other that happens to end
 * in the same letters (`evilexample.com`). Names are compared as `URL` writes them: lower case, IDN as `xn--`.
 */

/** Longer names do not exist (RFC 1035). */
const maxDomainChars = 253

/** The entry in its normal form; null: it is no name of a host and no address. */
export function parseDomain(text: string): string | null {
  const bare = text.trim().replace(/\.$/, '')
  // `URL` would take what follows these for a path, a port, user info or the like.
  if (bare === '' || bare.length > maxDomainChars || /[\s/?#@\\%*]/.test(bare)) return null
  const isIpv6 = bare.includes(':')
  const url = `http://${isIpv6 && !bare.startsWith('[') ? `[${bare}]` : bare}`
  if (!URL.canParse(url)) return null
  const { hostname, port } = new URL(url)
  if (port !== '' || (isIpv6 && !hostname.startsWith('['))) return null
  if (isIpv6) return hostname.slice(1, -1)
  const labels = hostname.split('.')
  return labels.every((label) => /^[\w-]{1,63}$/.test(label)) ? hostname : null
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
