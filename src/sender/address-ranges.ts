/** Ranges of addresses: how they are written, what lies in them, and which of them no request may go to. */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { OuthookError } from '../core/errors.ts'

export type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

/** A set of address ranges. */
export type Networks = readonly Range[]

/** The ranges that people meet, with the words for the message. What is not here is left to ipaddr.js. */
const namedRanges: readonly (readonly [cidr: string, words: string])[] = [
  ['127.0.0.0/8', 'a loopback address'],
  ['10.0.0.0/8', 'a private address'],
  ['172.16.0.0/12', 'a private address'],
  ['192.168.0.0/16', 'a private address'],
  ['169.254.0.0/16', 'a link-local address'],
  ['100.64.0.0/10', 'a carrier-grade NAT address'],
  ['0.0.0.0/8', 'an address of this host'],
  ['192.0.0.0/24', 'a reserved address'],
  ['168.63.129.16/32', 'an address of the cloud that this machine may run in'],
  ['198.18.0.0/15', 'a benchmarking address'],
  ['224.0.0.0/4', 'a multicast address'],
  ['240.0.0.0/4', 'a reserved address'],
  ['::1/128', 'a loopback address'],
  ['::/128', 'an address of this host'],
  ['::/96', 'an IPv4-compatible address'],
  ['fc00::/7', 'a private address'],
  ['fe80::/10', 'a link-local address'],
  ['fec0::/10', 'a site-local address'],
  ['ff00::/8', 'a multicast address'],
  ['64:ff9b::/96', 'a NAT64 address'],
  ['64:ff9b:1::/48', 'a NAT64 address'],
  ['2002::/16', 'a 6to4 address'],
  ['2001::/32', 'a Teredo address'],
  ['100::/64', 'a discard address'],
]

const refusedRanges = namedRanges.map(([cidr, words]) => ({ cidr, words, range: ipaddr.parseCIDR(cidr) }))

/** All IPv6 addresses that are routed on the Internet are in here, so whatever is outside needs no name. */
const globalUnicast: Range = ipaddr.parseCIDR('2000::/3')

/** Errors: invalid_config, naming the entry. */
export function parseNetworks(list: readonly string[]): Networks {
  return list.map((entry) => parseNetwork(entry.trim()))
}

function parseNetwork(entry: string): Range {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry)
  const text = match?.[1] ?? ''
  // `isIP` first: ipaddr.js also reads `10` and `0x7f.1`, which here is more likely a slip.
  const family = text.includes('%') ? 0 : isIP(text)
  const bits = match?.[2] === undefined ? (family === 4 ? 32 : 128) : Number(match[2])
  if (family === 0 || bits > (family === 4 ? 32 : 128)) {
    throw new OuthookError(
      'invalid_config',
      `"${entry}" is not a network; write an address range such as 10.0.0.0/8 or fd00::/8`,
    )
  }
  const address = ipaddr.parse(text)
  const unwrapped = unwrap(address)
  return unwrapped !== address && bits >= 96 ? [unwrapped, bits - 96] : [address, bits]
}

/** Null for what is no address. A zone (`fe80::1%eth0`) says which way, not where to. */
export function parseAddress(text: string): Address | null {
  const bare = text.replace(/%.*$/, '')
  return isIP(bare) === 0 ? null : unwrap(ipaddr.parse(bare))
}

/** `::ffff:10.0.0.1` is 10.0.0.1 to the system that connects, so it is here. */
function unwrap(address: Address): Address {
  if (address.kind() === 'ipv4') return address
  const v6 = address as ipaddr.IPv6
  return v6.isIPv4MappedAddress() ? v6.toIPv4Address() : v6
}

/** The first of the ranges that holds the address. */
export function findRange(networks: Networks, address: Address, leastBits = 0): Range | null {
  return networks.find((range) => range[1] >= leastBits && contains(range, address)) ?? null
}

function contains(range: Range, address: Address): boolean {
  return range[0].kind() === address.kind() && address.match(range[0], range[1])
}

/** Null: the address is one of the Internet's. */
export function findReserved(address: Address): { readonly words: string; readonly cidr: string } | null {
  const named = refusedRanges.find(({ range }) => contains(range, address))
  if (named !== undefined) return named
  const isPublic =
    address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(globalUnicast, address))
  return isPublic
    ? null
    : { words: 'not a public address', cidr: `${address}/${address.kind() === 'ipv4' ? 32 : 128}` }
}
