/**
 * No request reaches a private network unless the operator named it. The same rules are asked twice: when an
 * endpoint is created, for an early and clear error, and at every dial, on the very addresses that are then
 * connected to, because a name may answer differently each time.
 */
import { isIP } from 'node:net'
import type { Clock } from '../core/clock.ts'
import { OuthookError } from '../core/errors.ts'
import { limits } from '../core/model.ts'
import type { AddressPolicy } from './address-policy.ts'
import type { UrlCheck } from './port.ts'
import { type Lookup, lookupAddresses, type ResolvedAddress } from './resolver.ts'

const { maxUrlChars } = limits

/** Null when nothing speaks against the URL as written: scheme, user info, port, a literal address, localhost. */
export function refuseUrl(url: URL, policy: AddressPolicy | null): string | null {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    return `${url.protocol}// is not a scheme for webhooks; use https://`
  }
  if (url.hostname === '') return 'the URL names no host'
  if (url.username !== '' || url.password !== '') {
    return 'the URL holds a user name or password; leave them out: a credential of the kind basic carries them (with the sender alone, a header)'
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
  const denied = policy.refuseHost(hostname)
  if (denied !== null) return denied
  if (isIP(hostname) !== 0) return policy.refuseAddress(hostname)
  if (!isLocalhost(hostname) || localhostAddresses(policy, hostname).length > 0) return null
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
export function localhostAddresses(policy: AddressPolicy, hostname: string): readonly ResolvedAddress[] {
  return [
    { address: '127.0.0.1', family: 4 },
    { address: '::1', family: 6 },
  ].filter(({ address }) => policy.refuseAddress(address, hostname) === null)
}

/** One bad answer poisons the name: whoever mixes public and private answers is up to something. */
export function refuseAnswers(
  addresses: readonly ResolvedAddress[],
  policy: AddressPolicy,
  hostname: string,
): string | null {
  for (const { address } of addresses) {
    const refused = policy.refuseAddress(address, hostname)
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
  // `URL` takes them for slashes, and other readers do not: they would see another host.
  if (typeof text === 'string' && /^[^?#]*\\/.test(text)) {
    throw rejected('the URL holds a backslash; write "/", or %5C where it is meant')
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
  const refused = refuseAnswers(answers, policy, hostname)
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
  return async (text, refuse) => {
    const url = checkUrl(text, policy)
    const refused = refuse?.(url) ?? null
    if (refused !== null) throw rejected(refused)
    await resolveAndCheck(url, policy, options)
    return url
  }
}

function rejected(message: string): OuthookError {
  return new OuthookError('url_rejected', message)
}
