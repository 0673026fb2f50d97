/** IPv6 addresses that lead to an IPv4 address: a gateway on the way unpacks it, and may stand inside. */
import ipaddr from 'ipaddr.js'

export interface Embedding {
  readonly words: string
  /** All that a packet may end up at. */
  readonly addresses: readonly ipaddr.IPv4[]
  /** A prefix of that length names them one by one. */
  readonly bits: number
}

const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')
const localNat64 = ipaddr.IPv6.parseCIDR('64:ff9b:1::/48')
const sixToFour = ipaddr.IPv6.parseCIDR('2002::/16')
const teredo = ipaddr.IPv6.parseCIDR('2001::/32')
const compatible = ipaddr.IPv6.parseCIDR('::/96')
const translated = ipaddr.IPv6.parseCIDR('::ffff:0:0:0/96')

/** Null for addresses that are what they look like. */
export function findEmbedding(address: ipaddr.IPv6): Embedding | null {
  const part = (index: number) => address.parts[index] ?? 0
  const last = () => toIPv4(part(6), part(7))
  if (address.match(nat64) || address.match(localNat64)) {
    return { words: 'a NAT64 address', addresses: [last()], bits: 128 }
  }
  if (address.match(sixToFour)) {
    return { words: 'a 6to4 address', addresses: [toIPv4(part(1), part(2))], bits: 48 }
  }
  if (address.match(teredo)) {
    const client = toIPv4(part(6) ^ 0xffff, part(7) ^ 0xffff)
    return { words: 'a Teredo address', addresses: [toIPv4(part(2), part(3)), client], bits: 128 }
  }
  // RFC 5214, 6.1: under any prefix, with the bit for "unique in the world" set or not.
  if ((part(4) & 0xfdff) === 0 && part(5) === 0x5efe) {
    return { words: 'an ISATAP address', addresses: [last()], bits: 128 }
  }
  // `::` and `::1` are no IPv4 addresses.
  const isCompatible = address.match(compatible) && (part(6) !== 0 || part(7) > 1)
  if (isCompatible || address.match(translated)) {
    return { words: 'an IPv4-compatible address', addresses: [last()], bits: 128 }
  }
  return null
}

function toIPv4(high: number, low: number): ipaddr.IPv4 {
  return new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255])
}
