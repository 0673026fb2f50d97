/**
 * Which addresses, hosts and ports a request may go to. What the operator denies is refused whatever else is allowed;
 * what is allowed comes next; then all that is not of the Internet is refused.
 */
import type ipaddr from 'ipaddr.js'
import { isAddressDomain, isInDomain, parseDomain } from '../core/domains.ts'
import { OuthookError } from '../core/errors.ts'
import { type FaceWords, serverWords } from '../core/face-words.ts'
import { type Address, findRange, findReserved, parseAddress, parseNetworks } from './address-ranges.ts'
import { type Embedding, findEmbedding } from './embedded-addresses.ts'
import { isRefusedPort } from './refused-ports.ts'

export interface AddressPolicy {
  readonly allowHttp: boolean
  readonly words: FaceWords
  /**
   * Null when the address may be connected to; else why not, and the setting that would allow it.
   * @param hostname the name that it is the address of, if it is that of one
   */
  refuseAddress(address: string, hostname?: string): string | null
  /** The same of a name or a literal address as it stands in a URL, without looking it up. */
  refuseHost(hostname: string): string | null
  /** The same of a port. */
  refusePort(port: number): string | null
}

export interface AddressPolicyOptions {
  /** Default false: `https://` only. */
  readonly allowHttp?: boolean
  /** CIDR ranges or single addresses, such as `10.0.0.0/8`. */
  readonly allowNetworks?: readonly string[]
  /** Hosts whose addresses may be of any range, such as `hooks.internal`; each stands for all below it too. */
  readonly allowHosts?: readonly string[]
  /** Ports that are refused otherwise, such as 22 or 6379: those of mail, databases and the like. */
  readonly allowPorts?: readonly number[]
  /** CIDR ranges or single addresses that are refused whatever is allowed. */
  readonly denyNetworks?: readonly string[]
  /** Hosts that are refused whatever is allowed; each stands for all below it too. */
  readonly denyHosts?: readonly string[]
}

interface Verdict {
  readonly denied: string | null
  /** Why the address may not be connected to unless its host is allowed. */
  readonly refused: string | null
}

/** Looking an address up in all ranges costs as much as a tenth of a request, and it never changes. */
const maxVerdicts = 4096

/** Errors: invalid_config. @example createAddressPolicy({ allowHttp: true, allowNetworks: ['127.0.0.0/8', '::1/128'] }) */
export function createAddressPolicy(
  options: AddressPolicyOptions = {},
  words: FaceWords = serverWords,
): AddressPolicy {
  const judge = createJudge(options, words)
  const allowedHosts = parseHosts(options.allowHosts ?? [])
  const deniedHosts = parseHosts(options.denyHosts ?? [])
  const allowedPorts = parsePorts(options.allowPorts ?? [])
  const verdicts = new Map<string, Verdict | null>()
  const verdictOf = (text: string): Verdict | null => {
    const known = verdicts.get(text)
    if (known !== undefined) return known
    const address = parseAddress(text)
    const verdict = address === null ? null : judge(address)
    if (verdicts.size >= maxVerdicts) verdicts.clear()
    verdicts.set(text, verdict)
    return verdict
  }
  return {
    allowHttp: options.allowHttp ?? false,
    words,
    refuseAddress(text, hostname) {
      const verdict = verdictOf(text)
      if (verdict === null) return `"${text}" is not an address`
      if (verdict.denied !== null || verdict.refused === null) return verdict.denied
      const isAllowed = hostname !== undefined && allowedHosts.some((host) => isInDomain(hostname, host))
      return isAllowed ? null : verdict.refused
    },
    refuseHost(hostname) {
      const denied = deniedHosts.find((host) => isInDomain(hostname, host))
      if (denied === undefined) return null
      return `${hostname} is denied by ${words.setting('deny-host', denied)}; take that away if requests may go there`
    },
    refusePort(port) {
      if (!isRefusedPort(port, allowedPorts)) return null
      const setting = words.setting('allow-port', String(port))
      return `port ${port} is not one of web servers; allow it with ${setting} if requests may go there`
    },
  }
}

function createJudge(options: AddressPolicyOptions, words: FaceWords): (address: Address) => Verdict {
  const allowed = parseNetworks(options.allowNetworks ?? [])
  const denied = parseNetworks(options.denyNetworks ?? [])
  const embeddingOf = (address: Address): Embedding | null =>
    address.kind() === 'ipv6' ? findEmbedding(address as ipaddr.IPv6) : null

  const deny = (address: Address): string | null => {
    // Whoever denies an address means each way to it.
    for (const each of [address, ...(embeddingOf(address)?.addresses ?? [])]) {
      const range = findRange(denied, each)
      if (range === null) continue
      const cidr = `${range[0]}/${range[1]}`
      return `${address} is denied by ${words.setting('deny-network', cidr)}; take that away if requests may go there`
    }
    return null
  }
  const refusal = (address: Address, what: string, cidr: string) =>
    `${address} is ${what}; allow it with ${words.setting('allow-network', cidr)} if requests may go there`
  const refuse = (address: Address): string | null => {
    const embedding = embeddingOf(address)
    const isInside = embedding?.addresses.some((inner) => refuse(inner) !== null) === true
    // Whoever allows a range of gateways has not allowed what lies behind them, unless named one by one.
    const leastBits = embedding !== null && isInside ? embedding.bits : 0
    if (findRange(allowed, address, leastBits) !== null) return null
    if (embedding !== null && isInside) {
      const inner = embedding.addresses.join(' and ')
      return refusal(address, `${embedding.words} that leads to ${inner}`, `${address}/${embedding.bits}`)
    }
    const reserved = findReserved(address)
    if (reserved !== null) return refusal(address, reserved.words, reserved.cidr)
    return embedding === null ? null : refusal(address, embedding.words, `${address}/128`)
  }
  return (address) => ({ denied: deny(address), refused: refuse(address) })
}

/** Errors: invalid_config, naming the entry. */
function parseHosts(hosts: readonly string[]): readonly string[] {
  return hosts.map((entry) => {
    const host = typeof entry === 'string' ? parseDomain(entry) : null
    if (host !== null && !isAddressDomain(host)) return host
    throw new OuthookError(
      'invalid_config',
      `"${entry}" is not a host; write a name such as hooks.example.com, and addresses as networks`,
    )
  })
}

/** Errors: invalid_config. */
function parsePorts(ports: readonly number[]): readonly number[] {
  const wrong = ports.find((port) => !Number.isInteger(port) || port < 1 || port > 65_535)
  if (wrong === undefined) return ports
  throw new OuthookError('invalid_config', `${wrong} is not a port; write a whole number from 1 to 65535`)
}
