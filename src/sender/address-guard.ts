/**
 * No request reaches a private network unless the operator named it. The same rules are asked twice: when an
 * endpoint is created, for an early and clear error, and at every dial, on the very addresses that are then
 * connected to, because a name may answer differently each time.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { type FaceWords, serverWords } from '../core/face-words.ts'
import { limits } from '../core/model.ts'
import { findEmbedding } from './embedded-addresses.ts'
import type { UrlCheck } from './port.ts'
import { isRefusedPort } from './refused-ports.ts'
import { type Lookup, lookupAddresses, type ResolvedAddress } from './resolver.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = readonly [Address, number]

/** A set of address ranges. */
export type Networks = readonly Range[]

export interface AddressPolicy {
  readonly allowHttp: boolean
  readonly words: FaceWords
  /** Null when the address may be connected to; else why not, and the setting that would allow it. */
  refuseAddress(address: string): string | null
  /** The same of a port. */
  refusePort(port: number): string | null
}

export interface AddressPolicyOptions {
  /** Default false: `https://` only. */
  readonly allowHttp?: boolean
  /** CIDR ranges or single addresses, such as `10.0.0.0/8`. */
  readonly allowNetworks?: readonly string[]
  /** Ports that are refused otherwise, such as 22 or 6379: those of mail, databases and the like. */
  readonly allowPorts?: readonly number[]
}

const { maxUrlChars } = limits

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

/** @example createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.0/8', '::1/128'] }) */
export function createAddressPolicy(
  options: AddressPolicyOptions = {},
  words: FaceWords = serverWords,
): AddressPolicy {
  const refusal = (address: Address, what: string, cidr: string) =>
    `${address} is ${what}; allow it with ${words.setting('allow-network', cidr)} if requests may go there`
  const allowed = parseNetworks(options.allowNetworks ?? [])
  const allowedPorts = parsePorts(options.allowPorts ?? [])
  const refuse = (address: Address): string | null => {
    const embedding = address.kind() === 'ipv6' ? findEmbedding(address as ipaddr.IPv6) : null
    const isInside = embedding?.addresses.some((inner) => refuse(inner) !== null) === true
    // Whoever allows a range of gateways has not allowed what lies behind them, unless named one by one.
    const enoughBits = embedding !== null && isInside ? embedding.bits : 0
    if (allowed.some((range) => range[1] >= enoughBits && contains(range, address))) return null
    if (embedding !== null && isInside) {
      const inner = embedding.addresses.join(' and ')
      return refusal(address, `${embedding.words} that leads to ${inner}`, `${address}/${embedding.bits}`)
    }
    const refused = refusedRanges.find(({ range }) => contains(range, address))
    if (refused !== undefined) return refusal(address, refused.words, refused.cidr)
    const isPublic =
      address.range() === 'unicast' && (address.kind() === 'ipv4' || contains(globalUnicast, address))
    if (isPublic && embedding === null) return null
    const words = embedding?.words ?? 'not a public address'
    return refusal(address, words, `${address}/${address.kind() === 'ipv4' ? 32 : 128}`)
  }
  return {
    allowHttp: options.allowHttp ?? false,
    words,
    refuseAddress(text) {
      const bare = text.replace(/%.*$/, '')
      if (isIP(bare) === 0) return `"${text}" is not an address`
      return refuse(unwrap(ipaddr.parse(bare)))
    },
    refusePort(port) {
      if (!isRefusedPort(port, allowedPorts)) return null
      const setting = words.setting('allow-port', String(port))
      return `port ${port} is not one of web servers; allow it with ${setting} if requests may go there`
    },
  }
}

/** Errors: invalid_config. */
function parsePorts(ports: readonly number[]): readonly number[] {
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535)
  if (wrong === undefined) return ports
  throw new OuthookError('invalid_config', `${wrong} is not a port; write a whole number from 1 to 65535`)
}

function contains(range: Range, address: Address): boolean {
  return range[0].kind() === address.kind() && address.match(range[0], range[1])
}

/** `::ffff:10.0.0.1` is 10.0.0.1 to the system that connects, so it is here. */
function unwrap(address: Address): Address {
  if (address.kind() === 'ipv4') return address
  const v6 = address as ipaddr.IPv6
  return v6.isIPv4MappedAddress() ? v6.toIPv4Address() : v6
}

/** Null when nothing speaks against the URL as written: scheme, user info, port, a literal address, localhost. */
export function refuseUrl(url: URL, policy: AddressPolicy | null): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return `${url.protocol}// is not a scheme for webhooks; use https://`
  }
  if (url.hostname === '') return 'the URL names no host'
  if (url.username !== '' || url.password !== '') {
    return 'the URL holds a user name or password; put credentials into a header instead'
  }
  if (url.port === '0') return 'port 0 cannot be connected to; name the port of the receiver'
  if (policy === null) return null
  if (url.protocol === 'http:' && !policy.allowHttp) {
    return `http:// is not encrypted; use https://, or allow it with ${policy.words.setting('allow-http')}`
  }
  return (
    refuseHost(bareHostname(url), policy) ?? (url.port === '' ? null : policy.refusePort(Number(url.port)))
  )
}

function refuseHost(hostname: string, policy: AddressPolicy): string | null {
  if (isIP(hostname) !== 0) return policy.refuseAddress(hostname)
  if (!isLocalhost(hostname) || localhostAddresses(policy).length > 0) return null
  return `${hostname} is this machine; allow it with ${policy.words.setting('allow-network', '127.0.0.0/8')} if requests may go there`
}

/** Without the brackets of an IPv6 literal and without the dot that may end a name. */
export function bareHostname(url: URL): string {
  const { hostname } = url
  if (hostname.startsWith('[')) return hostname.slice(1, -1)
  return hostname.endsWith('.') ? hostname.slice(0, -1) : hostname
}

export function isLocalhost(hostname: string): boolean {
  return hostname === 'localhost' || hostname.endsWith('.localhost')
}

/**
 * What `localhost` stands for under a policy, without a lookup: most systems answer with both loopback addresses,
 * and an operator who allows 127.0.0.0/8 should not have to know about the other one.
 */
export function localhostAddresses(policy: AddressPolicy): readonly ResolvedAddress[] {
  return [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ].filter(({ address }) => policy.refuseAddress(address) === null)
}

/** One bad answer poisons the name: whoever mixes public and private answers is up to something. */
export function refuseAnswers(addresses: readonly ResolvedAddress[], policy: AddressPolicy): string | null {
  for (const { address } of addresses) {
    const refused = policy.refuseAddress(address)
    if (refused !== null) return refused
  }
  return null
}

/** The early check, without DNS. Errors: url_rejected. */
export function checkUrl(text: string | URL, policy: AddressPolicy): URL {
  if (String(text).length > maxUrlChars) {
    throw rejected(`the URL is longer than ${maxUrlChars} characters; shorten it`)
  }
  // `URL` drops these without a word, and what is then called is not what was written.
  if (typeof text === 'string' && /[\t\r\n]|^\s|\s$/.test(text)) {
    throw rejected('the URL holds a line break or tab, or a space before or after it; write it without')
  }
  if (!URL.canParse(String(text))) {
    throw rejected('this is not a URL; write it whole, such as https://example.com/hooks')
  }
  const url = new URL(text)
  const refused = refuseUrl(url, policy)
  if (refused !== null) throw rejected(refused)
  // `URL` takes "*" and the like, which no name has that can be looked up.
  if (!/^(?:[\w.-]+|\[.*\])$/.test(url.hostname)) {
    throw rejected(`the host ${url.hostname} is no name; names hold letters, digits, "-" and "."`)
  }
  return url
}

export interface ResolveOptions {
  readonly clock: Clock
  readonly lookup?: Lookup
  /** A name that has not answered by then passes, as one that does not exist does: the dial decides. */
  readonly timeoutMs?: number
}

/** Looks the host up and refuses it when any answer is not allowed. Errors: url_rejected. */
export async function resolveAndCheck(
  url: URL,
  policy: AddressPolicy,
  options: ResolveOptions,
): Promise<void> {
  const hostname = bareHostname(url)
  if (isIP(hostname) !== 0 || isLocalhost(hostname)) return
  const answers = await lookupInTime(hostname, options)
  const refused = refuseAnswers(answers, policy)
  if (refused !== null) throw rejected(`${hostname} resolves to a refused address: ${refused}`)
}

function lookupInTime(hostname: string, options: ResolveOptions): Promise<readonly ResolvedAddress[]> {
  const lookup = options.lookup ?? lookupAddresses
  return new Promise((resolve) => {
    const cancel = options.clock.schedule(options.timeoutMs ?? 3000, () => resolve([]))
    lookup(hostname)
      .catch(() => [])
      .then((answers) => {
        cancel()
        resolve(answers)
      })
  })
}

/** Both checks as one function, for whoever creates endpoints. */
export function createUrlCheck(policy: AddressPolicy, options: ResolveOptions): UrlCheck {
  return async (text) => {
    const url = checkUrl(text, policy)
    await resolveAndCheck(url, policy, options)
    return url
  }
}

function rejected(message: string): OuthookError {
  return new OuthookError('url_rejected', message)
}
